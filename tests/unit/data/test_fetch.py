import functools
import gzip
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from latentlab.data import fetch
from latentlab.data.fetch import fetch_dataset, local_data_folder
from latentlab.data.splits import load_split
from latentlab.records.datasets import DATASETS
from latentlab.runtime.errors import UserError


def fetch_mnist(resources, **options):
    """The record, and the lines of the log."""
    lines = []
    return fetch_dataset(DATASETS["MNIST"], resources, validation_size=10, log=lines.append, **options), lines


def test_local_files_are_unpacked_and_verified(planted, tmp_path):
    record, lines = fetch_mnist(tmp_path / "r", source="local", data_dir=planted)
    assert record.source == "published" and not record.is_synthetic
    assert record.sha256 == DATASETS["MNIST"].sha256 and record.validation_size == 10
    assert len(lines) == 4 and all(line.endswith("verified") for line in lines)
    raw = gzip.decompress((planted / "MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())
    assert (tmp_path / "r/MNIST/raw/t10k-images-idx3-ubyte").read_bytes() == raw


def test_unpacked_local_files_are_used_too(planted, tmp_path):
    for path in (planted / "MNIST/raw").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    record, _ = fetch_mnist(tmp_path / "r", source="local", data_dir=planted)
    assert len(load_split(record, "test")[0]) == 20


def test_files_that_are_there_already_need_no_source(planted, tmp_path):
    fetch_mnist(tmp_path, source="local", data_dir=planted)
    _, lines = fetch_mnist(tmp_path, source="local")
    assert len(lines) == 4 and all("already there" in line for line in lines)


def cut_short(raw):
    return raw[: len(raw) // 2]


def flip_bit(raw):
    return raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]


@pytest.mark.parametrize(
    "damage", [cut_short, flip_bit, lambda raw: b"", lambda raw: b"<html>not found</html>", lambda raw: raw[:2]]
)
def test_a_damaged_file_is_named_and_never_used(planted, tmp_path, damage):
    path = planted / "MNIST/raw/t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"no source has t10k-labels-idx1-ubyte: .*t10k-labels-idx1-ubyte\.gz"):
        fetch_mnist(tmp_path / "r", source="local", data_dir=planted)
    assert not (tmp_path / "r/MNIST/raw/t10k-labels-idx1-ubyte").exists()


def test_a_gzip_bomb_is_not_unpacked(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 100_000)
    (planted / "MNIST/raw/t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(UserError, match="larger than the published file"):
        fetch_mnist(tmp_path / "r", source="local", data_dir=planted)


def test_a_changed_file_in_resources_is_renamed_and_fetched_again(planted, tmp_path):
    fetch_mnist(tmp_path / "r", source="local", data_dir=planted)
    changed = tmp_path / "r/MNIST/raw/train-labels-idx1-ubyte"
    changed.write_bytes(b"text that is named like data")
    record, lines = fetch_mnist(tmp_path / "r", source="local", data_dir=planted)
    assert any("renamed to train-labels-idx1-ubyte.rejected" in line for line in lines)
    assert changed.with_name(changed.name + ".rejected").read_bytes().startswith(b"text")
    assert len(load_split(record, "train")[1]) == 40


def test_a_data_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"data_dir: .*nowhere is not a folder"):
        fetch_mnist(tmp_path, data_dir=tmp_path / "nowhere")


def test_a_data_folder_of_the_environment_that_is_not_there_is_named_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTLAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"LATENTLAB_DATA: .*nowhere is not a folder"):
        fetch_mnist(tmp_path, data_dir=local_data_folder(None))


def test_the_setting_names_the_data_folder_before_the_environment_does(monkeypatch):
    monkeypatch.setenv("LATENTLAB_DATA", "/environment")
    assert local_data_folder("/setting") == "/setting" and local_data_folder(None) == "/environment"
    monkeypatch.setenv("LATENTLAB_DATA", "")
    assert local_data_folder(None) is None


def test_synthetic_data_are_drawn_only_without_folder_and_network(planted, tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.data.synthetic.SIZES", {"train": 30, "test": 10})
    monkeypatch.setattr(fetch, "_is_online", lambda dataset: False)
    record, lines = fetch_mnist(tmp_path / "a")
    assert record.is_synthetic and "synthetic" in record.folder and "NO DATA FOLDER" in lines[0]
    assert len(load_split(record, "train")[0]) == 20
    record, _ = fetch_mnist(tmp_path / "b", data_dir=planted)
    assert not record.is_synthetic
    record, _ = fetch_mnist(tmp_path / "b")
    assert not record.is_synthetic, "the published files are there already"
    with pytest.raises(UserError, match="no source has"):
        fetch_mnist(tmp_path / "c", source="local")


def test_synthetic_data_are_drawn_wherever_they_are_asked_for(planted, tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.data.synthetic.SIZES", {"train": 30, "test": 10})
    record, lines = fetch_mnist(tmp_path, source="synthetic", data_dir=planted)
    assert record.is_synthetic and lines == []


def test_a_download_is_verified_too(planted, tmp_path, monkeypatch):
    """A server on this machine plays two mirrors: the first has web pages, the second the files."""
    from torchvision import datasets

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    folder = planted / "MNIST/raw"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "bad").mkdir()
    checksums = []
    for name in DATASETS["MNIST"].sha256:
        (folder / "bad" / f"{name}.gz").write_bytes(b"<html>")
        checksums.append((f"{name}.gz", hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest()))
    base = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [base + "bad/", base])
    monkeypatch.setattr(datasets.MNIST, "resources", checksums)
    monkeypatch.setattr(fetch, "RETRIES", 0)
    try:
        record, lines = fetch_mnist(tmp_path / "r", source="download")
    finally:
        server.shutdown()
        server.server_close()
    assert sum("not used" in line for line in lines) == 4
    assert len(load_split(record, "test")[0]) == 20
