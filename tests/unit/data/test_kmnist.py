"""KMNIST, of which only the archives' checksums were published: its files are kept packed. The files here have the form
of the published ones, but few images."""

import functools
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from builders import block_images, plant_dataset

from latentlab.data import fetch
from latentlab.data.fetch import fetch_dataset
from latentlab.data.splits import load_split
from latentlab.records.datasets import DATASETS, archive_name
from latentlab.runtime.errors import UserError

KMNIST = DATASETS["KMNIST"]


@pytest.fixture
def planted_kmnist(tmp_path):
    """The declaration with checksums of planted files, and their folder."""
    return plant_dataset(tmp_path / "planted", KMNIST), tmp_path / "planted"


def test_the_archives_are_those_that_torchvision_lists():
    from torchvision import datasets

    assert set(KMNIST.sha256) == {name for name, md5 in datasets.KMNIST.resources}
    assert list(KMNIST.classes) == datasets.KMNIST.classes


@pytest.fixture
def no_log():
    return lambda line: None


def test_archives_are_kept_and_read_as_published(planted_kmnist, tmp_path, monkeypatch, no_log):
    dataset, folder = planted_kmnist
    monkeypatch.setitem(DATASETS, "KMNIST", dataset)
    record = fetch_dataset(dataset, tmp_path / "r", "local", folder, validation_size=10, log=no_log)
    assert {path.name for path in (tmp_path / "r/KMNIST/raw").iterdir()} == set(KMNIST.sha256)
    images, labels = load_split(record, "test")
    expected_images, expected_labels = block_images(20, 2, dataset)
    assert (images == expected_images.numpy()).all() and (labels == expected_labels.numpy()).all()
    assert len(load_split(record, "train")[0]) == 40 and len(record.digest) == 64
    again = fetch_dataset(dataset, tmp_path / "r", "local", validation_size=10, log=no_log)
    assert again == record, "files that are there already need no source"


@pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])])
def test_another_archive_is_never_used(planted_kmnist, tmp_path, damage, no_log):
    dataset, folder = planted_kmnist
    path = folder / "KMNIST/raw/t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"no source has t10k-labels-idx1-ubyte\.gz: .*put t10k-labels-idx1-ubyte\.gz"):
        fetch_dataset(dataset, tmp_path / "r", "local", folder, log=no_log)


def test_a_download_is_verified(planted_kmnist, tmp_path, monkeypatch, no_log):
    from torchvision import datasets

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    dataset, folder = planted_kmnist
    raw = folder / "KMNIST/raw"
    monkeypatch.setitem(DATASETS, "KMNIST", dataset)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(raw)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    md5 = [(name, hashlib.md5((raw / name).read_bytes()).hexdigest()) for name in dataset.sha256]
    monkeypatch.setattr(datasets.KMNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(datasets.KMNIST, "resources", md5)
    monkeypatch.setattr(fetch, "RETRIES", 0)
    try:
        record = fetch_dataset(dataset, tmp_path / "r", "download", log=no_log)
    finally:
        server.shutdown()
        server.server_close()
    assert record.source == "published" and load_split(record, "test")[0].dtype == np.uint8


def test_the_name_of_an_archive_ends_once():
    assert archive_name("train") == archive_name("train.gz") == "train.gz"
