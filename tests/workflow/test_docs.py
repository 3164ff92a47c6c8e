"""What the documentation tells to do is done here, and does what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pdfplumber
import pytest
from conftest import ROOT, copy_source

sys.path.insert(0, str(ROOT / "docs"))


BLOCK = r"(?:(Append to|Create) `([^`]+)`[^\n]*\n\n)?```(\w+)\n(.*?)```"


def blocks(page):
    """The fenced blocks of a page that something is to be done with, as the words before it say: what, path, text."""
    for told, path, language, block in re.findall(BLOCK, (ROOT / "docs" / page).read_text(), re.DOTALL):
        if told or language == "sh":
            yield told or "Run", path, block


@pytest.fixture
def copy(project, tmp_path):
    """The project with everything made, to be changed."""
    shutil.copytree(project.root, tmp_path / "copy", symlinks=True)
    return type(project)(tmp_path / "copy")


def test_the_tutorial_adds_a_model_and_a_hand_in(copy):
    done = 0
    for what, path, block in blocks("contributor.md"):
        if what == "Append to":
            with (copy.root / path).open("a") as file:
                file.write(block)
        elif what == "Create":
            (copy.root / path).parent.mkdir(exist_ok=True)
            (copy.root / path).write_text(block)
        else:
            words = block.split()
            assert words[:5] == ["snakemake", "--cores", "2", "--workflow-profile", "profiles/smoke"]
            copy.snakemake(*words[5:])
            done += 1
    assert done == 2
    assert (copy.made / "models/MNIST/flat-vae/d2/seed0/metrics.json").exists()
    with pdfplumber.open(copy.made / "handins/flat/flat.pdf") as pdf:
        assert len(pdf.pages) == 1 and "With a linear decoder the negated" in pdf.pages[0].extract_text()


@pytest.mark.long
def test_a_class_is_reproduced_from_one_checkout(tmp_path):
    """Three students of the loop in staff.md, each with what differs; the source is read, not written."""
    project = copy_source(tmp_path / "source")
    small = (ROOT / "profiles/smoke/settings.yaml").read_text()
    for number in range(3):
        folder = project.root / f"class/student{number}"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(
            f"authors: [{{name: Student {number}}}]\nhandin: lab8\nseed: {number}\n{small}"
        )
    loop = next(block for what, _, block in blocks("staff.md") if what == "Run")
    loop = loop.replace(". .venv/bin/activate\n", "").replace("snakemake", f"{sys.executable} -m snakemake")
    before = {path: path.read_bytes() for path in project.root.glob("workflow/**/*.py")}
    subprocess.run(["bash", "-euc", loop], cwd=project.root, check=True, capture_output=True)
    pages = []
    for number in range(3):
        with pdfplumber.open(project.root / f"class/student{number}/results/report.pdf") as pdf:
            pages.append(pdf.pages[0].extract_text())
            assert len(pdf.pages) == 1 and f"Student {number}" in pages[-1] and f"seed {number}" in pages[-1]
    assert not (project.root / "results/report.pdf").exists()
    assert before == {path: path.read_bytes() for path in project.root.glob("workflow/**/*.py")}


def test_the_readme_s_graph_is_the_workflow_s():
    import rulegraph

    assert rulegraph.picture() in (ROOT / "README.md").read_text()


def test_what_the_documentation_links_to_is_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / Path(target)).exists(), f"{page.name}: {target}"
