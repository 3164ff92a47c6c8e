"""The archive that a notebook is handed in with."""

import zipfile

import planted
import pytest
import torch
import yaml

from latentlab.models.checkpoint import save_checkpoint
from latentlab.models.networks import build_model
from latentlab.notebook.archive import Archive, fill_archive, pack_archive
from latentlab.records.archive import ArchiveContents
from latentlab.records.data import DataRecord
from latentlab.records.datasets import get_dataset
from latentlab.records.runs import ModelSpec
from latentlab.runtime.files import write_csv

STYLE = planted.ROOT / "matplotlibrc"
RECORD = DataRecord(
    dataset="FashionMNIST", source="published", folder="resources/FashionMNIST/raw", sha256={}, validation_size=5000
)
SPEC = ModelSpec.of(planted.SETTINGS, get_dataset("FashionMNIST"))


@pytest.fixture
def contents():
    config = yaml.safe_load((planted.ROOT / "config.yaml").read_text())
    return ArchiveContents.of(planted.load("lab8-pca"), config, [RECORD])


@pytest.fixture
def files(tmp_path):
    """A model's weights, metrics and history."""
    paths = {name: tmp_path / name for name in ("weights.safetensors", "metrics.json", "history.csv")}
    torch.manual_seed(0)
    save_checkpoint(paths["weights.safetensors"], build_model(SPEC))
    planted.model(planted.SETTINGS)["metrics.json"].write(paths["metrics.json"])
    terms = ("loss", "reconstruction", "kl")
    keys = ["epoch", *(f"{split}_{term}" for split in ("train", "validation") for term in terms)]
    write_csv(paths["history.csv"], [dict.fromkeys(keys, 3.0 - epoch) | {"epoch": epoch} for epoch in (1, 2)])
    return {("vae", name): path for name, path in paths.items()}


def test_contents_describe_the_models_and_figures_of_an_assignment(contents, tmp_path):
    assert contents.dataset == "FashionMNIST" and contents.data == {"FashionMNIST": RECORD}
    assert set(contents.models) == {"ae", "vae", "cvae", "digits", "linear", "hidden"}
    assert contents.models["vae"].stochastic and not contents.models["hidden"].stochastic
    assert contents.models["hidden"].label == "one hidden layer"
    assert contents.figures["digits"].dataset == "MNIST"
    assert contents.figures["embeddings"].panels[1].files["codes.npz"] == "runs/vae/codes.npz"
    contents.write(tmp_path / "contents.json")
    assert ArchiveContents.read(tmp_path / "contents.json") == contents


def test_equal_folders_give_equal_archives_without_their_data(tmp_path, contents, files):
    for name in "ab":
        folder = tmp_path / name
        (folder / "resources").mkdir(parents=True)
        (folder / "resources/data").write_text("large")
        fill_archive(folder, contents, files, STYLE)
        pack_archive(folder, tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert "torch==" in archive.read("requirements.txt").decode()
    modules = {"latentlab/notebook/archive.py", "latentlab/models/networks.py", "latentlab/__init__.py"}
    assert modules | {"runs/vae/metrics.json", "contents.json", "matplotlibrc"} <= set(names)
    assert not any("resources" in name or "cache" in name for name in names)


def test_an_archive_opens_its_models_metrics_and_figures(tmp_path, contents, files):
    fill_archive(tmp_path / "archive", contents, files, STYLE)
    archive = Archive(tmp_path / "archive")
    assert archive.dataset.classes[0] == "T-shirt"
    assert archive.metrics("vae") == planted.model(planted.SETTINGS)["metrics.json"]
    assert archive.model("vae").spec == SPEC
    image = archive.figure("loss_terms", width=100)
    assert image.data.startswith(b"\x89PNG") and image.width == round(100 / 25.4 * 120) and image.alt
