"""The report on the published data, as `./run report` leaves it in results/."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pdfplumber
import pytest
import yaml
from sklearn.decomposition import PCA

from latentlab import data, pca, settings, training
from latentlab.files import read_json

RESULTS = Path(__file__).parents[2] / "results"
pytestmark = pytest.mark.long


def test_the_report_is_made_on_published_data():
    with pdfplumber.open(RESULTS / "report.pdf") as pdf:
        assert len(pdf.pages) == 1
        assert "stand-in" not in pdf.pages[0].extract_text().lower()
    assert not (RESULTS / "report-STAND-IN-DATA.pdf").exists()


def test_a_short_training_is_already_in_the_right_region():
    """Nats are nats: the lab's VAE is between 255 and 300 after a few epochs, its KL between 3 and 12."""
    test = read_json(RESULTS / "models/FashionMNIST/lab8-vae/d2/seed0/metrics.json")["test"]
    assert 255 < test["negative_elbo"] < 300 and 3 < test["kl"] < 12


def test_the_low_rank_plane_of_the_test_images_is_scikit_learns():
    images, _ = data.load(RESULTS / "data/FashionMNIST.json", "test")
    pixels = training.to_pixels(images.copy()).numpy()
    exact = PCA(2, svd_solver="covariance_eigh").fit(pixels)
    positions, explained = pca.plane(pixels)
    assert explained == pytest.approx(exact.explained_variance_ratio_, abs=1e-4)
    assert np.abs(positions) == pytest.approx(np.abs(exact.transform(pixels)), abs=1e-2)


def test_a_linear_autoencoder_comes_to_pca_s_plane():
    record = RESULTS / "data/FashionMNIST.json"
    train, held_out, test = (training.tensors(*data.load(record, split)) for split in ("train", "validation", "test"))
    root = Path(__file__).parents[2]
    config = yaml.safe_load((root / "config.yaml").read_text())
    wanted = settings.resolve(config, root / "workflow/schemas/config.schema.yaml", "linear-ae")
    model, _ = training.train(wanted, 2, 0, train, held_out)
    reference = pca.Reference(training.to_pixels(train[0]).numpy())
    x = training.to_pixels(test[0])
    best = pca.error(x.numpy(), reference.reconstruct(x.numpy(), 2))
    assert pca.error(x.numpy(), training.reconstruct(model, wanted, x, test[1]).numpy()) < 1.02 * best
    assert reference.angles(model.decoder[0].weight.detach().numpy()).max() < 5


def test_it_can_be_handed_in(tmp_path):
    (tmp_path / "mine.yaml").write_text("authors: [{name: Ada Example}]\nepochs: 2\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(tmp_path / "mine.yaml")]
    done = subprocess.run([*command, "--", "submission"], cwd=RESULTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with zipfile.ZipFile(RESULTS / "submission/summary.zip") as archive:
        archive.extractall(tmp_path)
    checked = subprocess.run(["sha256sum", "--check", "manifest.txt"], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    names = {line.rsplit(": ")[0] for line in checked.stdout.splitlines()}
    assert {"summary.pdf", "summary.html", "config.yaml", "provenance.json", "metrics/vae/metrics.json"} <= names
