"""Damaged data in folders and on mirrors: the next source is tried, or one sentence says what is wrong. Nothing damaged
is ever used."""

import gzip
import hashlib
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from latentlab.data import fetch
from latentlab.data.fetch import fetch_dataset
from latentlab.records.datasets import get_dataset
from latentlab.runtime.errors import UserError

NAME = "t10k-labels-idx1-ubyte"


def idx_header(magic, *shape):
    return struct.pack(f">{1 + len(shape)}I", magic, *shape)


def flip_bit(raw):
    return raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]


def repacked(change):
    """A function that changes the bytes inside a .gz file."""
    return lambda raw: gzip.compress(change(gzip.decompress(raw)))


DAMAGE = {  # what is wrong with a file → its bytes, from those of the published one
    "is empty": lambda raw: b"",
    "is cut off": lambda raw: raw[: len(raw) // 2],
    "has one flipped bit": flip_bit,
    "has one flipped bit in its contents": repacked(flip_bit),
    "has a wrong magic number": repacked(lambda raw: idx_header(2052) + raw[4:]),
    "has a wrong count": repacked(lambda raw: idx_header(2049, 7) + raw[8:]),
    "has a huge count": repacked(lambda raw: idx_header(2049, 2**32 - 1) + raw[8:]),
    "is a gzip bomb": lambda raw: gzip.compress(bytes(200_000_000)),
    "is an HTML page": lambda raw: b"<!DOCTYPE html><title>404</title>",
    "is that of another data set": repacked(lambda raw: raw[:8] + bytes(reversed(raw[8:]))),
}


def fetch_mnist(folder, **options):
    """The record of MNIST, fetched into `folder`, and the lines of the log."""
    lines = []
    return fetch_dataset(get_dataset("MNIST"), folder, log=lines.append, **options), lines


def without_remedy(message):
    """The part of the message that says what is wrong."""
    return message.split("; put ")[0] + "; put …"


@pytest.mark.parametrize("damage", [*DAMAGE, "is a folder", "is a link to nothing"])
def test_a_damaged_file_is_named_and_not_used(damage, planted, tmp_path, record_fault):
    path = planted / f"MNIST/raw/{NAME}.gz"
    raw = path.read_bytes()
    path.unlink()
    if damage == "is a folder":
        path.mkdir()
    elif damage == "is a link to nothing":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(DAMAGE[damage](raw))
    start = time.monotonic()
    with pytest.raises(UserError) as error:
        fetch_mnist(tmp_path / "resources", source="local", data_dir=planted)
    assert time.monotonic() - start < 20
    message = str(error.value)
    assert f"no source has {NAME}: {path}" in message and "data_dir" in message and "\n" not in message
    assert not list((tmp_path / "resources").rglob(f"*{NAME}*"))
    path.rmdir() if path.is_dir() else path.unlink()
    path.write_bytes(raw)
    record, _ = fetch_mnist(tmp_path / "resources", source="local", data_dir=planted)
    assert record.source == "published"
    record_fault(f"a data file {damage}", 1, without_remedy(message.replace(str(planted), "DATA_DIR")))


class Mirror(BaseHTTPRequestHandler):
    """Answers as the first folder of the address says."""

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        raw = (self.server.folder / name).read_bytes()
        if behaviour == "hangs":
            self.server.stopped.wait(60)
        elif behaviour == "redirects-forever":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif behaviour == "fails":
            self.send_error(500)
        else:
            bodies = {"closes-early": raw[: len(raw) // 2], "sends-something-else": b"<html>".ljust(len(raw))}
            body = bodies.get(behaviour, raw)
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            step = 1 if behaviour == "is-slow" else len(body)
            for i in range(0, len(body), step):
                self.wfile.write(body[i : i + step])
                if behaviour == "is-slow" and self.server.stopped.wait(0.2):
                    return

    def log_message(self, *arguments):
        pass


@pytest.fixture
def set_mirrors(planted, monkeypatch):
    """Sets the mirrors of MNIST, each by its behaviour, and returns the address that they have in common."""
    from torchvision import datasets

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads, server.folder, server.stopped = True, planted / "MNIST/raw", threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = [f"{name}.gz" for name in get_dataset("MNIST").sha256]
    checksums = [(name, hashlib.md5((server.folder / name).read_bytes()).hexdigest()) for name in names]
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(datasets.MNIST, "resources", checksums)
    monkeypatch.setattr(fetch, "RETRIES", 0)
    monkeypatch.setattr(fetch, "ATTEMPT_TIME_LIMIT", 1)
    monkeypatch.setattr(fetch, "MIRROR_TIME_LIMIT", 3)

    def set_mirrors(*behaviours):
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{base}/{behaviour}/" for behaviour in behaviours])
        return base

    yield set_mirrors
    server.stopped.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "behaviour", ["hangs", "redirects-forever", "is-slow", "closes-early", "sends-something-else", "fails"]
)
def test_after_a_bad_mirror_the_next_one_is_tried(behaviour, set_mirrors, tmp_path, record_fault):
    base = set_mirrors(behaviour, "good")
    record, lines = fetch_mnist(tmp_path / "first", source="download")
    assert record.source == "published" and sum("not used" in line for line in lines) == 4
    set_mirrors(behaviour)
    with pytest.raises(UserError, match="no source has") as error:
        fetch_mnist(tmp_path / "second", source="download")
    assert not list((tmp_path / "second").rglob("*-ubyte*"))
    message = without_remedy(str(error.value).replace(base, "http://MIRROR"))
    fault = f"a mirror {behaviour.replace('-', ' ')}"
    record_fault(fault, 2, f"the next mirror is tried; without another one: {message}")
