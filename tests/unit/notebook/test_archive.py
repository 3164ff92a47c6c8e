"""The archive with weights, metrics and library."""

import zipfile

import planted
import pytest

from latentlab.notebook.archive import pack_library


@pytest.fixture
def files(tmp_path):
    """A model's metrics and weights."""
    paths = {name: tmp_path / name for name in ("weights.safetensors", "metrics.json")}
    paths["weights.safetensors"].write_bytes(b"weights")
    planted.model(planted.SETTINGS)["metrics.json"].write(paths["metrics.json"])
    return {("vae", name): path for name, path in paths.items()}


def test_equal_contents_give_equal_archives(tmp_path, files):
    for name in "ab":
        pack_library(tmp_path / f"{name}.zip", files, {"epochs": 3})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_archive_holds_weights_metrics_settings_and_the_library(tmp_path, files):
    pack_library(tmp_path / "a.zip", files, {"epochs": 3})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = set(archive.namelist())
        assert "torch==" in archive.read("requirements.txt").decode()
        assert archive.read("config.yaml").decode() == "epochs: 3\n"
        assert 'load_checkpoint("runs/vae/weights.safetensors")' in archive.read("README.md").decode()
        assert archive.read("runs/vae/weights.safetensors") == b"weights"
    assert {"runs/vae/metrics.json", "latentlab/models/train.py", "latentlab/__init__.py"} <= names
    assert not any("cache" in name for name in names)
