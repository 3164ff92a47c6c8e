"""Unusual places to work in, unusual trainings, and results of another version."""

import os
import subprocess

import pdfplumber
import pytest
from projects import UNPRIVILEGED, WorkingDirectory, copy_source, user_messages

from latentlab.runtime.results import FORMAT

pytestmark = pytest.mark.long
UNUSUAL_NAME = "mit Leerzeichen, ünï & 🦆 'x'"


def make_report(directory, **options):
    process = directory.snakemake(**options)
    assert process.returncode == 0 and directory.report.is_file(), process.stdout[-4000:]
    return process


def test_folders_may_have_unusual_names(tmp_path, record_fault):
    source = copy_source(tmp_path / UNUSUAL_NAME / "latentlab")
    make_report(WorkingDirectory(tmp_path / UNUSUAL_NAME / "my results", source.root))
    record_fault("source and results in folders with spaces, umlauts, quote, ampersand and emoji", 1, "the report")


def test_the_source_tree_may_be_read_only(tmp_path, record_fault, root_user):
    """For a user whom permissions bind, from another working directory, without a home and a language."""
    source = copy_source(tmp_path / "source")
    for path in [source.root, *source.root.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    before = sorted(source.root.rglob("*"))
    (tmp_path / "cwd").mkdir()
    directory = WorkingDirectory(tmp_path / "working-directory", source.root)
    try:
        make_report(directory, prefix=UNPRIVILEGED, cwd=tmp_path / "cwd", HOME=None, LANG="C", LC_ALL="C")
        assert sorted(source.root.rglob("*")) == before and not list((tmp_path / "cwd").iterdir())
    finally:
        subprocess.run(["chmod", "-R", "u+w", source.root], check=True)
    record_fault("source tree read-only; not root; no HOME; LANG=C; another working directory", 1, "the report")


def test_results_of_another_version_are_moved_away_and_made_again(working_directory, record_fault):
    make_report(working_directory)
    results = working_directory.results
    (results / "format").unlink()  # as in the versions before there were formats
    metrics = results / "models/FashionMNIST/lab8-vae/d2/seed0/metrics.json"
    metrics.write_text('{"other": "keys"}')
    os.utime(metrics, (2_000_000_000, 2_000_000_000))  # newer than all inputs, so not made again for another reason
    (message,) = (line for line in user_messages(make_report(working_directory)) if "another version" in line)
    assert "negative_elbo" in metrics.read_text()
    assert (results / "old-1" / metrics.relative_to(results)).read_text() == '{"other": "keys"}'
    assert (results / "format").read_text() == f"{FORMAT}\n"
    record_fault("results of another version", 1, message, "nothing: the old ones are kept")


def test_a_training_that_diverges_is_stopped(working_directory, record_fault):
    settings = "{learning_rate: 30.0, likelihood: gaussian, output: linear}"
    (working_directory.folder / "config.yaml").write_text(f"models: {{lab8-vae: {settings}}}\n")
    process = working_directory.snakemake("--", "results/models/FashionMNIST/lab8-vae/d2/seed0/weights.safetensors")
    message = next(line for line in user_messages(process) if "the loss is" in line)
    assert process.returncode and "epoch 1:" in message and "lower learning_rate (now 30)" in message
    record_fault("a training diverges", 1, message)


def test_the_report_of_a_collapsed_model_says_so(working_directory, record_fault):
    (working_directory.folder / "config.yaml").write_text(
        "models: {lab8-vae: {beta: 1.0e+6}, lab8-ae: {learning_rate: 1.0e-30}}\n"
    )
    make_report(working_directory)
    with pdfplumber.open(working_directory.report) as pdf:
        assert len(pdf.pages) == 1 and "Collapsed: lab8-vae" in pdf.pages[0].extract_text()
    record_fault("the codes of a model collapse", 1, "the report, which says at its foot: Collapsed: lab8-vae. …")
