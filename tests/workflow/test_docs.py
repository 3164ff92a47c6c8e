"""What the documentation says to do is done here, with the results that it promises."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pdfplumber
import pytest
from projects import ROOT, Project, copy_source

BLOCK = r"(?:(Append to|Create) `([^`]+)`[^\n]*\n\n)?```(\w+)\n(.*?)```"


def instructions(page):
    """The fenced blocks of a page that a reader is to act on, as (action, path, text): the words before a block say
    which file it belongs to, and shell commands are run."""
    for action, path, language, text in re.findall(BLOCK, (ROOT / "docs" / page).read_text(), re.DOTALL):
        if action or language == "sh":
            yield action or "Run", path, text


@pytest.fixture
def project_copy(project, tmp_path):
    """A copy of the project with its results, to be changed."""
    shutil.copytree(project.root, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def test_the_tutorial_adds_a_model_and_an_assignment(project_copy):
    commands = 0
    for action, path, text in instructions("contributor.md"):
        if action == "Append to":
            with (project_copy.root / path).open("a") as file:
                file.write(text)
        elif action == "Create":
            (project_copy.root / path).parent.mkdir(exist_ok=True)
            (project_copy.root / path).write_text(text)
        else:
            arguments = text.split()
            assert arguments[:5] == ["snakemake", "--cores", "2", "--workflow-profile", "profiles/smoke"]
            project_copy.snakemake(*arguments[5:])
            commands += 1
    assert commands == 2
    assert (project_copy.results / "models/MNIST/flat-vae/d2/seed0/metrics.json").exists()
    with pdfplumber.open(project_copy.results / "reports/flat/flat.pdf") as pdf:
        assert len(pdf.pages) == 1 and "With a linear decoder the negated" in pdf.pages[0].extract_text()


@pytest.mark.long
def test_the_reports_of_a_class_are_made_from_one_checkout(tmp_path):
    """Three students with settings of their own, by the loop in staff.md; nothing is written into the source tree."""
    project = copy_source(tmp_path / "source")
    settings = (ROOT / "profiles/smoke/settings.yaml").read_text()
    for number in range(3):
        folder = tmp_path / f"class/student{number}"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(
            f"authors: [{{name: Student {number}}}]\nassignment: lab8\nseed: {number}\n{settings}"
        )
    loop = next(text for action, _, text in instructions("staff.md") if action == "Run")
    loop = loop.replace(". .venv/bin/activate\n", "").replace("snakemake", f"{sys.executable} -m snakemake")
    before = {path: path.read_bytes() for path in project.root.glob("workflow/**/*.py")}
    subprocess.run(["bash", "-euc", loop], cwd=project.root, check=True, capture_output=True)
    for number in range(3):
        with pdfplumber.open(tmp_path / f"reports/student{number}/results/report.pdf") as pdf:
            text = pdf.pages[0].extract_text()
            assert len(pdf.pages) == 1 and f"Student {number}" in text and f"seed {number}" in text
    assert not (project.root / "results/report.pdf").exists()
    assert before == {path: path.read_bytes() for path in project.root.glob("workflow/**/*.py")}


def test_the_graph_in_the_documentation_is_that_of_the_workflow(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import rulegraph

    assert rulegraph.rule_graph() in (ROOT / "docs/workflow.md").read_text()


def test_links_in_the_documentation_lead_to_files():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())]
    assert links
    for page, link in links:
        assert (page.parent / Path(link)).exists(), f"{page.name}: {link}"
