"""Hand-ins: each is a target by its name, a new one is a new folder, and one is handed in when all is there."""

import os
import shutil
import zipfile

import pdfplumber
import pytest
from conftest import copy_source

from latentlab import handins


def test_each_hand_in_is_a_target_by_its_name(project):
    for name in handins.names(project.root / "templates"):
        assert "Nothing to be done" in project.snakemake("-n", name).stdout
        assert (project.made / f"handins/{name}/{name}.pdf").exists()


def test_a_new_folder_is_a_new_hand_in(project):
    folder = project.root / "templates/mine"
    shutil.copytree(project.root / "templates/lab8", folder)
    spec = folder / "handin.yaml"
    spec.write_text(
        spec.read_text()
        .replace("title: Exploring latent spaces", "title: A hand-in of my own")
        .replace("2.2 What differs, and why", "2.2 My question")
    )
    try:
        project.snakemake("mine")
        with pdfplumber.open(project.made / "handins/mine/mine.pdf") as pdf:
            words = pdf.pages[0].extract_text()
        assert len(pdf.pages) == 1 and "A hand-in of my own" in words and "2.2 My question" in words
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(project.made / "handins/mine", ignore_errors=True)
        shutil.rmtree(project.made / "logs/handins/mine", ignore_errors=True)


def test_a_folder_with_the_name_of_a_stage_is_refused_in_one_sentence(project):
    folder = project.root / "templates/figures"
    shutil.copytree(project.root / "templates/lab8", folder)
    try:
        done = project.snakemake("-n", check=False)
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "latentlab: templates/figures: a rule is called figures already" in done.stdout


def test_the_end_says_where_the_page_is(project):
    said = project.snakemake("--forcerun", "publish_report", "--", "results/report.pdf").stdout
    assert "latentlab: made results/smoke/results/report.pdf\n" in said and "latentlab: 1 job in 0." in said


def test_the_workflow_s_own_report_shows_what_was_made(project, tmp_path):
    project.snakemake("--report", str(tmp_path / "report.zip"))
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
        names = [name.rsplit("/", 1)[-1] for name in archive.namelist()]
    for category in ("Hand-ins", "Figures", "Models", "Latent planes", "Sweeps", "Classifiers"):
        assert f'"{category}"' in page
    assert {"lab8.pdf", "cvae.html", "vae_map.svg", "sheet.png", "mistakes.png", "strips.png"} <= set(names)
    assert "turned round by Bayes" in page and "the second upwards" in page, "captions are there"


def test_no_more_jobs_at_a_time_than_the_machine_has_cores(project):
    said = project.snakemake("--cores", "1000", "--forcerun", "publish_report", "--", "results/report.html").stdout
    assert f"Provided cores: {len(os.sched_getaffinity(0))}\n" in said


def test_what_is_missing_is_listed_and_the_last_archive_stays(project):
    earlier = project.made / "submission/summary.zip"
    earlier.parent.mkdir(exist_ok=True)
    earlier.write_bytes(b"an earlier one")
    os.utime(earlier, (0, 0))
    try:
        done = project.snakemake("submission", check=False)
        assert done.returncode == 1 and "Traceback" not in done.stdout
        for line in ("authors in config.yaml: put your own name there", "the page was made on stand-in data"):
            assert sum(said.startswith(line) for said in done.stdout.splitlines()) >= 1, done.stdout
        assert earlier.read_bytes() == b"an earlier one"
    finally:
        shutil.rmtree(earlier.parent)


@pytest.mark.long
def test_two_runs_from_scratch_give_the_same_bytes(tmp_path):
    runs = [copy_source(tmp_path / name) for name in ("one", "another")]
    for run in runs:
        run.snakemake("lab8")
    one, another = (run.hashes() for run in runs)
    assert {"weights.safetensors", "vae_map.svg", "lab8.html", "lab8.pdf"} <= {name.rsplit("/")[-1] for name in one}
    assert one == another
