"""Odd places to work in, and results that another version has left."""

import os
import subprocess

import pytest
from conftest import copy_source
from elsewhere import NO_POWERS, Elsewhere, sentences

from latentlab import files

pytestmark = pytest.mark.long
ODD_NAME = "mit Leerzeichen, ünï & 🦆 'x'"


def made(there, **how):
    done = there.run(**how)
    assert done.returncode == 0 and there.page().is_file(), done.stdout[-4000:]
    return done


def test_folders_with_odd_names(tmp_path, told):
    source = copy_source(tmp_path / ODD_NAME / "latentlab")
    made(Elsewhere(tmp_path / ODD_NAME / "results of mine", source.root))
    told("source and results in folders with spaces, umlauts, a quote, an ampersand and an emoji", 1, "the report")


def test_a_source_tree_that_may_only_be_read(tmp_path, told, root_s_powers):
    """By a user who is not root, as far as permissions can tell, from another working directory, with neither a home
    nor a language."""
    source = copy_source(tmp_path / "source")
    for path in [source.root, *source.root.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    before = sorted(source.root.rglob("*"))
    (tmp_path / "cwd").mkdir()
    there = Elsewhere(tmp_path / "elsewhere", source.root)
    try:
        made(there, prefix=NO_POWERS, cwd=tmp_path / "cwd", HOME=None, LANG="C", LC_ALL="C")
        assert sorted(source.root.rglob("*")) == before and not list((tmp_path / "cwd").iterdir())
    finally:
        subprocess.run(["chmod", "-R", "u+w", source.root], check=True)
    told("source tree may only be read; not root; no HOME; LANG=C; another working directory", 1, "the report")


def test_results_of_another_version_are_set_aside_and_remade(elsewhere, told):
    made(elsewhere)
    results = elsewhere.folder / "results"
    (results / "format").unlink()  # as before there were formats
    metrics = results / "models/FashionMNIST/lab8-vae/d2/seed0/metrics.json"
    metrics.write_text('{"of": "another shape"}')
    os.utime(metrics, (2_000_000_000, 2_000_000_000))  # newer than all else: nothing would remake it
    done = made(elsewhere)
    (sentence,) = (line for line in sentences(done) if "another version" in line)
    assert "negative_elbo" in metrics.read_text()
    assert (results / "old-1" / metrics.relative_to(results)).read_text() == '{"of": "another shape"}'
    assert (results / "format").read_text() == f"{files.FORMAT}\n"
    told("results of another version", 1, sentence, "nothing: the old ones are kept")


def test_a_training_that_explodes_stops(elsewhere, told):
    entry = "{learning_rate: 30.0, likelihood: gaussian, output: linear}"
    (elsewhere.folder / "config.yaml").write_text(f"models: {{lab8-vae: {entry}}}\n")
    done = elsewhere.run("--", "results/models/FashionMNIST/lab8-vae/d2/seed0/weights.safetensors")
    sentence = next(line for line in sentences(done) if "the loss is" in line)
    assert done.returncode and "epoch 1:" in sentence and "lower learning_rate (now 30)" in sentence
    told("a training explodes", 1, sentence)


def test_a_code_that_collapses_still_gives_a_page_that_says_so(elsewhere, told):
    import pdfplumber

    (elsewhere.folder / "config.yaml").write_text(
        "models: {lab8-vae: {beta: 1.0e+6}, lab8-ae: {learning_rate: 1.0e-30}}\n"
    )
    made(elsewhere)
    with pdfplumber.open(elsewhere.page()) as pdf:
        words = pdf.pages[0].extract_text()
    assert len(pdf.pages) == 1 and "Collapsed: lab8-vae" in words
    told(
        "a code collapses",
        1,
        "the page, at whose foot stands: Collapsed: lab8-vae. Such a code does not vary with the image …",
    )
