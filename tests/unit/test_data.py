import gzip

import numpy as np
import pytest

from latentlab import data, fetch
from latentlab.errors import UserError
from latentlab.files import write_json


def lines(dataset="MNIST", **options):
    said = []
    record = fetch.fetch(dataset, options.pop("resources"), say=said.append, **options)
    return record | {"validation_size": 10, "training_size": None}, said


def test_local_files_are_unpacked_and_verified(planted, tmp_path):
    record, _ = lines(resources=tmp_path / "r", source="local", data_dir=planted)
    assert record["source"] == "published"
    images, labels = data.load(record, "test")
    raw = gzip.decompress((planted / "MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())
    assert images.tobytes() == raw[16:] and images.shape == (20, 28, 28) and labels.shape == (20,)


def test_validation_is_held_out_of_training(planted, tmp_path):
    record, _ = lines(resources=tmp_path, source="local", data_dir=planted)
    train, held_out = (data.load(record, split)[0] for split in ("train", "validation"))
    everything = data.read_idx(tmp_path / "MNIST/raw/train-images-idx3-ubyte")
    assert (np.concatenate([train, held_out]) == everything).all() and len(held_out) == 10
    fewer = record | {"training_size": 7}
    assert (data.load(fewer, "train")[0] == train[:7]).all() and (data.load(fewer, "validation")[0] == held_out).all()
    with pytest.raises(UserError, match="validation_size: 50 leaves none"):
        data.load(record | {"validation_size": 50}, "train")
    with pytest.raises(UserError, match="training_size: 41 is more than the 40 images that validation_size leaves"):
        data.load(record | {"training_size": 41}, "train")


def test_files_already_fetched_need_no_source(planted, tmp_path):
    lines(resources=tmp_path, source="local", data_dir=planted)
    _, said = lines(resources=tmp_path, source="local")
    assert all("already there" in line for line in said)


def truncated(raw):
    return raw[: len(raw) // 2]


def flipped(raw):
    return raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]


@pytest.mark.parametrize(
    "spoil", [truncated, flipped, lambda raw: b"", lambda raw: b"<html>not found</html>", lambda raw: raw[:2]]
)
def test_a_bad_file_is_named_and_never_used(planted, tmp_path, spoil):
    bad = planted / "MNIST/raw/t10k-labels-idx1-ubyte.gz"
    bad.write_bytes(spoil(bad.read_bytes()))
    with pytest.raises(UserError, match=r"no source has t10k-labels-idx1-ubyte: .*t10k-labels-idx1-ubyte\.gz"):
        lines(resources=tmp_path / "r", source="local", data_dir=planted)
    assert not (tmp_path / "r/MNIST/raw/t10k-labels-idx1-ubyte").exists()


def test_a_bomb_is_not_unpacked(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 100_000)
    (planted / "MNIST/raw/t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(UserError, match="larger than the published file"):
        lines(resources=tmp_path / "r", source="local", data_dir=planted)


def test_a_changed_file_in_resources_is_set_aside(planted, tmp_path):
    lines(resources=tmp_path / "r", source="local", data_dir=planted)
    changed = tmp_path / "r/MNIST/raw/train-labels-idx1-ubyte"
    changed.write_bytes(b"text that is named like data")
    record, said = lines(resources=tmp_path / "r", source="local", data_dir=planted)
    assert any("set aside" in line for line in said)
    assert changed.with_name(changed.name + ".rejected").read_bytes().startswith(b"text")
    assert len(data.load(record, "train")[1]) == 40


def test_reading_notices_changed_and_missing_files(planted, tmp_path):
    record, _ = lines(resources=tmp_path, source="local", data_dir=planted)
    write_json(tmp_path / "record.json", record)
    labels = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte"
    labels.write_bytes(flipped(labels.read_bytes()))
    with pytest.raises(UserError, match="has changed since it was verified"):
        data.load(tmp_path / "record.json", "test")
    labels.unlink()
    with pytest.raises(UserError, match="is missing"):
        data.load(record, "test")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"data_dir: .*nowhere is not a folder"):
        lines(resources=tmp_path, data_dir=tmp_path / "nowhere")


def test_stand_in_only_without_folder_and_network(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_online", lambda dataset: False)
    monkeypatch.setattr(fetch.standin, "SIZES", {"train": 30, "test": 10})
    record, said = lines(resources=tmp_path / "a")
    assert data.is_stand_in(record) and "stand-in" in record["folder"] and "NO DATA FOLDER" in said[0]
    assert len(data.load(record, "train")[0]) == 20
    record, _ = lines(resources=tmp_path / "b", data_dir=planted)
    assert not data.is_stand_in(record)


def test_a_download_is_verified_too(planted, tmp_path, monkeypatch):
    """The mirrors are played by a server on this machine: the first sends rubbish, the second the files."""
    import functools
    import hashlib
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from torchvision import datasets

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    folder = planted / "MNIST/raw"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "bad").mkdir()
    sums = []
    for name in data.NAMES:
        (folder / "bad" / f"{name}.gz").write_bytes(b"<html>")
        sums.append((f"{name}.gz", hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest()))
    base = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [base + "bad/", base])
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setattr(fetch, "RETRIES", 0)
    try:
        record, said = lines(resources=tmp_path / "r", source="download")
    finally:
        server.shutdown()
        server.server_close()
    assert sum("not used" in line for line in said) == 4
    assert len(data.load(record, "test")[0]) == 20
