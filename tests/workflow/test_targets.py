"""Targets of the workflow: each assignment by its name, the submission, and what a run prints at its end."""

import os
import shutil
import zipfile

import pdfplumber
import pytest
from PIL import Image
from projects import ROOT, copy_source, user_messages

from latentlab.data.splits import load_split
from latentlab.records.assignment_file import assignment_names
from latentlab.records.data import DataRecord
from latentlab.records.metrics import RestorationMetrics
from latentlab.report.conformance import violations


@pytest.fixture
def add_assignment(project):
    """Copies the folder of assignment lab8 under another name; everything of it is removed afterwards."""
    folders = []

    def add_assignment(name):
        folders.append(project.root / "templates" / name)
        folders.extend(
            project.results / folder / name for folder in ("reports", "logs/reports", "checksums/results/reports")
        )
        return shutil.copytree(project.root / "templates/lab8", project.root / "templates" / name)

    yield add_assignment
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def test_each_assignment_is_a_target_by_its_name(project):
    names = assignment_names(project.root / "templates")
    assert len(names) == 6
    for name in names:
        assert "Nothing to be done" in project.snakemake("-n", name).stdout
        assert (project.results / f"reports/{name}/{name}.pdf").exists()


def test_a_new_folder_is_a_new_assignment(project, add_assignment):
    path = add_assignment("mine") / "assignment.yaml"
    text = path.read_text()
    for old, new in (
        ("title: Exploring latent spaces", "title: An assignment of my own"),
        ("2.2 What differs, and why", "2.2 My question"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    project.snakemake("mine")
    with pdfplumber.open(project.results / "reports/mine/mine.pdf") as pdf:
        page = pdf.pages[0].extract_text()
    assert len(pdf.pages) == 1 and "An assignment of my own" in page and "2.2 My question" in page


def test_a_folder_with_the_name_of_a_stage_is_refused_in_one_sentence(project, add_assignment):
    add_assignment("figures")
    process = project.snakemake("-n", check=False)
    assert process.returncode == 1 and "Traceback" not in process.stdout
    assert "latentlab: templates/figures: there is a rule of this name already" in process.stdout


def test_a_run_prints_where_the_report_is(project):
    output = project.snakemake("--forcerun", "publish_report", "--", "results/report.pdf").stdout
    assert "latentlab: made results/smoke/results/report.pdf\n" in output and "latentlab: 1 job in 0." in output


def test_the_reports_of_all_assignments_conform_to_their_standards(project):
    pdfs = sorted((project.results / "reports").glob("*/*.pdf"))
    assert len(pdfs) == len(list((ROOT / "templates").glob("*/assignment.yaml")))
    assert {pdf.name: found for pdf in pdfs if (found := list(violations(pdf)))} == {}


def test_everything_that_is_made_is_recorded_and_damage_to_it_is_noticed(project):
    """The first job that reads a damaged file refuses it, and making the file anew is the remedy that it names."""
    recorded = project.results / "checksums"
    made = {path for path in project.results.rglob("*") if path.is_file() and recorded not in path.parents}
    names = {path.relative_to(project.results.parent) for path in made}
    names = {name for name in names if name.parts[1] not in ("logs", "benchmarks", "format", "submission")}
    unrecorded = {name for name in names if not (recorded / name.with_name(f"{name.name}.sha256")).is_file()}
    # Copies under names that say what they are made of.
    assert all("SYNTHETIC-DATA" in name.name for name in unrecorded) and len(names) > 300
    figure = next((project.results / "reports/lab8/figures").glob("vae_map.svg"))
    before, times = figure.read_bytes(), (figure.stat().st_atime_ns, figure.stat().st_mtime_ns)
    figure.write_bytes(before[:-20])
    assert user_messages(project.snakemake("lab8", check=False))[-1] == (
        "latentlab: results/reports/lab8/figures/vae_map.svg: damaged or changed since it was made; remove it and run "
        "the same command again"
    )
    figure.unlink()
    project.snakemake("lab8")
    assert figure.read_bytes() == before and (figure.stat().st_atime_ns, figure.stat().st_mtime_ns) != times


def test_what_a_denoising_autoencoder_restores_is_made_on_demand(working_directory, monkeypatch):
    target = "results/models/MNIST/small-denoising/d2/seed0/restorations.json"
    process = working_directory.snakemake("--", target)
    assert process.returncode == 0, process.stdout[-4000:]
    metrics = RestorationMetrics.read(working_directory.folder / target)
    monkeypatch.chdir(working_directory.folder)
    pixels = load_split(DataRecord.read("results/data/MNIST.json"), "test")[0] / 255
    assert metrics.corrupted == pytest.approx(0.3 * (pixels**2).mean(), rel=0.05), "the share that is masked"
    assert metrics.restored > 0
    image = Image.open((working_directory.folder / target).with_suffix(".png"))
    assert image.size == (10 * 28, 3 * 28) and image.mode == "L"


def test_a_run_says_which_settings_differ_from_the_last_run(project):
    project.snakemake("--config", "course=Mine", "--", "results/reports/lab8/lab8.html")
    process = project.snakemake("lab8")
    assert 'latentlab: since the last run here: course "Mine" → null' in user_messages(process)
    (project.results.parent / ".snakemake/settings.json").write_text("{damaged")
    forced = ["--forcerun", "print_pdf", "--", "lab8"]
    assert "since the last run" not in project.snakemake(*forced).stdout


def test_the_report_of_snakemake_shows_the_results(project, tmp_path):
    project.snakemake("--report", tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    for category in ("Reports", "Figures", "Models", "Latent planes", "Sweeps", "Classifiers"):
        assert f'"{category}"' in page
    assert {"lab8.pdf", "cvae.html", "vae_map.svg", "reconstructions.png", "mistakes.png", "strips.png"} <= names
    assert "used as a classifier by" in page and "the second upwards" in page, "the captions are there"


def test_at_most_as_many_jobs_run_at_a_time_as_there_are_cores(project):
    arguments = ["--cores", "1000", "--forcerun", "publish_report", "--", "results/report.html"]
    assert f"Provided cores: {len(os.sched_getaffinity(0))}\n" in project.snakemake(*arguments).stdout


def test_a_refused_submission_names_what_is_missing_and_keeps_the_last_archive(project):
    archive = project.results / "submission/summary.zip"
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(b"an earlier one")
    os.utime(archive, (1000, 1000))
    try:
        process = project.snakemake("submission", check=False)
        assert process.returncode == 1 and "Traceback" not in process.stdout
        for problem in ("authors in config.yaml: put your own name there", "the page was made on synthetic data"):
            assert any(line.startswith(problem) for line in process.stdout.splitlines()), process.stdout
        assert archive.read_bytes() == b"an earlier one"
    finally:
        shutil.rmtree(archive.parent)


@pytest.mark.long
def test_two_runs_from_scratch_give_the_same_bytes(tmp_path):
    projects = [copy_source(tmp_path / name) for name in ("first", "second")]
    for project in projects:
        project.snakemake("lab8")
    first, second = (project.hashes() for project in projects)
    assert {"weights.safetensors", "vae_map.svg", "lab8.html", "lab8.pdf"} <= {name.rsplit("/")[-1] for name in first}
    assert first == second
