"""What the documentation says to do is done here, with the results that it promises."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pdfplumber
import pytest
import yaml
from projects import ROOT, Project, copy_source

from latentlab.records.data import DataRecord
from latentlab.records.metrics import ModelMetrics
from latentlab.records.provenance import Provenance

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
BLOCK = r"(?:(Append to|Create|Set in) `([^`]+)`[^\n]*\n\n)?```(\w+)\n(.*?)```"
PLACEHOLDERS = {"STAGE": "grids", "FOLDER": "folder"}
ELSEWHERE = "flat|--report|slurm|--configfile|\\$"  # commands that other tests run, or that are warned of


def instructions(page):
    """The fenced blocks of a page that a reader is to act on, as (action, path, text): the words before a block say
    which file it belongs to, and shell commands are run."""
    for action, path, language, text in re.findall(BLOCK, (ROOT / page).read_text(), re.DOTALL):
        if action or language == "sh":
            yield action or "Run", path, text


@pytest.fixture
def project_copy(project, tmp_path):
    """A copy of the project with its results, to be changed."""
    shutil.copytree(project.root, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def test_the_tutorial_adds_a_model_and_an_assignment(project_copy):
    commands = 0
    for action, path, text in instructions("docs/contributor.md"):
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


def documented_commands():
    """Every command of Snakemake that a page names, in a line of a block or between backticks, without comments."""
    for page in PAGES:
        text = page.read_text()
        lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
        for command in [*lines, *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)]:
            if command.startswith("snakemake ") and not re.search(ELSEWHERE, command):
                yield " ".join(PLACEHOLDERS.get(word, word) for word in shlex.split(command, comments=True))


@pytest.mark.parametrize("command", sorted(set(documented_commands())))
def test_snakemake_accepts_each_command_of_the_documentation(project, command):
    arguments = command.replace("--workflow-profile profiles/smoke", "").split()[1:]
    (project.root / "folder").mkdir(exist_ok=True)
    try:
        project.snakemake("-n", *arguments)
    finally:
        shutil.rmtree(project.root / "folder")


@pytest.mark.long
def test_a_student_gets_from_a_clone_to_a_submission_and_staff_make_it_again(tmp_path):
    """Step by step through student.md, on published data, with trainings as short as those of the preview; then what
    staff.md says of one submission. There a contributor's set-up works too."""
    project = copy_source(tmp_path / "clone")
    config = project.root / "config.yaml"
    preview = yaml.safe_load((ROOT / "profiles/preview/settings.yaml").read_text())
    settings = yaml.safe_load(config.read_text()) | preview | {"preview": False}
    config.write_text(yaml.safe_dump(settings))
    variables = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    for action, path, text in instructions("docs/student.md"):
        if action == "Set in":
            settings |= yaml.safe_load(text)
            config.write_text(yaml.safe_dump(settings))
        elif action == "Create":
            (project.root / path).write_text(text)
        else:
            subprocess.run(["bash", "-euc", text], cwd=project.root, env=variables, check=True)
    with zipfile.ZipFile(project.root / "results/submission/lab8.zip") as archive:
        archive.extractall(tmp_path / "handed-in")
    html = (tmp_path / "handed-in/lab8.html").read_text()
    for words in ("Ada Example", "Deep Learning, spring term", "nothing does that for the autoencoder"):
        assert words in html
    command = "snakemake --cores 2 --directory FOLDER -- report"
    assert f"`{command}`" in (ROOT / "docs/staff.md").read_text()
    command = f". .venv/bin/activate; {command.replace('FOLDER', shlex.quote(str(tmp_path / 'handed-in')))}"
    subprocess.run(["bash", "-euc", command], cwd=project.root, env=variables, check=True)
    again = tmp_path / "handed-in/results/report.pdf"
    assert again.read_bytes() == (tmp_path / "handed-in/lab8.pdf").read_bytes()
    for file in ("lab8.pdf", "lab8.zip"):
        shutil.copy(project.root / "results/submission/lab8.zip", tmp_path / "handed-in")
        process = subprocess.run(
            ["./run", "rebuild", tmp_path / "handed-in" / file],
            cwd=project.root,
            env=variables,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.returncode == 0, process.stderr[-3000:]
        assert f"latentlab: {file}: made again: the same bytes\n" in process.stderr
    contributing = next(text for action, _, text in instructions("CONTRIBUTING.md") if action == "Run")
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    subprocess.run(["bash", "-euc", contributing], cwd=project.root, env=variables, check=True)
    assert (project.root / ".git/hooks/pre-commit").exists()


def test_the_graph_in_the_documentation_is_that_of_the_workflow(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import rulegraph

    assert rulegraph.rule_graph() in (ROOT / "docs/workflow.md").read_text()


def test_links_in_the_documentation_lead_to_files():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())]
    assert links
    for page, link in links:
        assert (page.parent / Path(link)).exists(), f"{page.name}: {link}"


@pytest.mark.long
def test_the_tutorial_on_images_ends_with_a_page(tmp_path):
    """docs/images.md, step by step, with the packages of this environment in place of installing them again."""
    project = copy_source(tmp_path / "clone")
    environment = project.root / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != "installed":
            (environment / path.name).symlink_to(path)
    (environment / "installed").write_text(f"{project.root}\n{(project.root / 'uv.lock').read_text()}")
    variables = os.environ | {"PYTHONPATH": str(project.root / "workflow")}
    for action, path, text in instructions("docs/images.md"):
        if action == "Create":
            (project.root / path).write_text(text)
        else:
            subprocess.run(
                ["bash", "-euc", text], cwd=project.root, env=variables, check=True, stdin=subprocess.DEVNULL
            )
    results = project.root / "results"
    record = DataRecord.read(results / "data/Shapes.json")
    assert record.declaration.image_shape == (3, 20, 32) and record.source == "images" and record.validation_size == 60
    with pdfplumber.open(results / "report.pdf") as pdf:
        text = pdf.pages[0].extract_text()
        assert len(pdf.pages) == 1 and "Shapes in two planes" in text
    assert "There are 3 classes" in (results / "report.html").read_text()
    provenance = Provenance.read(results / "reports/shapes/provenance.json")
    assert provenance.data[0].sha256 == record.digest and provenance.data[0].originals == record.originals
    metrics = ModelMetrics.read(results / "models/Shapes/small-vae/d2/seed0/metrics.json")
    assert metrics.likelihood.log_likelihood > -metrics.test.negative_elbo, "by quadrature, as of any other images"
    assert "small-vae" in (results / "explorer.html").read_text()
    first = {path: path.read_bytes() for path in results.rglob("*.json") if "checksums" not in path.parts}
    command = ["snakemake", "--cores", "2", "--config", "assignment=shapes", "--forceall", "--", "report"]
    subprocess.run(command, cwd=project.root, env=variables, check=True)
    assert first == {path: path.read_bytes() for path in first}, "equal bytes"
