"""The report on published data, as `./run report` leaves it in results/."""

import os
import subprocess
import zipfile

import numpy as np
import pdfplumber
import pytest
import yaml
from projects import ROOT, copy_source, run_snakemake
from sklearn.decomposition import PCA

from latentlab.data.splits import load_split
from latentlab.metrics.pca import PCAReference, mean_squared_error, principal_plane
from latentlab.models.inference import reconstruct
from latentlab.models.inputs import to_pixels, to_tensors
from latentlab.models.train import train_model
from latentlab.records.config import resolve_model
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ModelMetrics
from latentlab.records.runs import ModelSpec
from latentlab.report.conformance import violations

RESULTS = ROOT / "results"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def record():
    return DataRecord.read(RESULTS / "data/FashionMNIST.json")


def test_the_report_is_made_from_published_data():
    with pdfplumber.open(RESULTS / "report.pdf") as pdf:
        assert len(pdf.pages) == 1
        assert "synthetic" not in pdf.pages[0].extract_text().lower()
    assert not (RESULTS / "report-SYNTHETIC-DATA.pdf").exists()
    assert list(violations(RESULTS / "report.pdf")) == []


def test_a_preview_is_made_from_published_data_with_ones_own_text_is_marked_and_cannot_be_submitted(tmp_path):
    project, data = copy_source(tmp_path / "clone"), os.environ["LATENTLAB_DATA"]
    (project.root / "mine.md").write_text("## 2.2\n\nI see a KL term of {{ vae.test.kl }} nats.")
    config = project.root / "config.yaml"
    config.write_text(config.read_text().replace("discussion: null", "discussion: mine.md"))
    preview = ["--workflow-profile", "profiles/preview", "--config", "authors=[{name: Ada}]", "assignment=lab8"]
    process = run_snakemake(project.root, *preview, "--", "report", LATENTLAB_DATA=data)
    assert process.returncode == 0, process.stdout[-4000:]
    with pdfplumber.open(project.root / "results/preview/results/report.pdf") as pdf:
        text = pdf.pages[0].extract_text()
    assert len(pdf.pages) == 1 and "A first look, from short trainings on few images" in text
    assert "I see a KL term of" in text
    assert "synthetic" not in text.lower()
    process = run_snakemake(project.root, *preview, "--", "submission", LATENTLAB_DATA=data)
    assert process.returncode == 1 and "the page is a preview: make the report with `./run report`" in process.stdout


def test_a_short_training_reaches_the_known_range():
    """Losses are in nats: after a few epochs lab 8's VAE lies between 255 and 300, its KL term between 3 and 12."""
    losses = ModelMetrics.read(RESULTS / "models/FashionMNIST/lab8-vae/d2/seed0/metrics.json").test
    assert 255 < losses.negative_elbo < 300 and 3 < losses.kl < 12


def test_the_principal_plane_of_the_test_images_is_that_of_scikit_learn(record):
    pixels = to_pixels(load_split(record, "test")[0]).numpy()
    expected = PCA(2, svd_solver="covariance_eigh").fit(pixels)
    positions, explained = principal_plane(pixels)
    assert explained == pytest.approx(expected.explained_variance_ratio_, abs=1e-4)
    assert np.abs(positions) == pytest.approx(np.abs(expected.transform(pixels)), abs=1e-2)


def test_a_linear_autoencoder_finds_the_principal_plane(record):
    training, validation, test = (to_tensors(*load_split(record, split)) for split in ("train", "validation", "test"))
    settings = resolve_model(yaml.safe_load((ROOT / "config.yaml").read_text()), "linear-ae")
    model, _ = train_model(ModelSpec.of(settings, record.declaration, 2, 0), training, validation)
    reference = PCAReference(to_pixels(training[0]).numpy())
    x = to_pixels(test[0])
    best = mean_squared_error(x.numpy(), reference.reconstruct(x.numpy(), 2))
    assert mean_squared_error(x.numpy(), reconstruct(model, model.encode(x)[0], test[1]).numpy()) < 1.02 * best
    assert reference.angles(model.decoder[0].weight.detach().numpy()).max() < 5


def test_the_report_can_be_submitted(tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("authors: [{name: Ada Example}]\nepochs: 2\n")
    data_folder = os.environ.get("LATENTLAB_DATA")
    process = run_snakemake(ROOT, "--configfile", settings, "--", "submission", LATENTLAB_DATA=data_folder)
    assert process.returncode == 0, process.stdout[-3000:]
    with zipfile.ZipFile(RESULTS / "submission/summary.zip") as archive:
        archive.extractall(tmp_path)
    check = subprocess.run(["sha256sum", "--check", "manifest.txt"], cwd=tmp_path, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    names = {line.rsplit(": ")[0] for line in check.stdout.splitlines()}
    assert {"summary.pdf", "summary.html", "config.yaml", "provenance.json", "metrics/vae/metrics.json"} <= names
