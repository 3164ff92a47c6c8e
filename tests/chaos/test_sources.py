"""Data that are not what they should be, from folders and mirrors: the next source is asked, or a sentence says so,
and nothing wrong is ever used."""

import gzip
import hashlib
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from latentlab import data, fetch
from latentlab.errors import UserError

NAME = "t10k-labels-idx1-ubyte"


def header(magic, *shape):
    return struct.pack(f">{1 + len(shape)}I", magic, *shape)


def flipped(raw):
    return raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]


def other(change):
    """Packed again, with other bytes inside."""
    return lambda raw: gzip.compress(change(gzip.decompress(raw)))


SPOILT = {
    "is empty": lambda raw: b"",
    "is cut off": lambda raw: raw[: len(raw) // 2],
    "has one bit flipped": flipped,
    "has one bit of an image flipped": other(flipped),
    "has the wrong magic number": other(lambda raw: header(2052) + raw[4:]),
    "says another count": other(lambda raw: header(2049, 7) + raw[8:]),
    "says that it is huge": other(lambda raw: header(2049, 2**32 - 1) + raw[8:]),
    "is a gzip bomb": lambda raw: gzip.compress(bytes(200_000_000)),
    "is an HTML page": lambda raw: b"<!DOCTYPE html><title>404</title>",
    "is another data set's": other(lambda raw: raw[:8] + bytes(reversed(raw[8:]))),
}


def fetched(folder, **how):
    said = []
    return fetch.fetch("MNIST", folder, say=said.append, **how), said


@pytest.mark.parametrize("fault", [*SPOILT, "is a folder", "is a link to nothing"])
def test_a_spoilt_file(fault, planted, tmp_path, told):
    path = planted / f"MNIST/raw/{NAME}.gz"
    raw = path.read_bytes()
    path.unlink()
    if fault == "is a folder":
        path.mkdir()
    elif fault == "is a link to nothing":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(SPOILT[fault](raw))
    start = time.monotonic()
    with pytest.raises(UserError) as error:
        fetched(tmp_path / "r", source="local", data_dir=planted)
    assert time.monotonic() - start < 20
    sentence = str(error.value)
    assert f"no source has {NAME}: {path}" in sentence and "data_dir" in sentence and "\n" not in sentence
    assert not list((tmp_path / "r").rglob(f"*{NAME}*"))
    path.rmdir() if path.is_dir() else path.unlink()
    path.write_bytes(raw)
    fetched(tmp_path / "r", source="local", data_dir=planted)
    told(f"a data file {fault}", 1, sentence.split("; put ")[0].replace(str(planted), "DATA_DIR") + "; put …")


class Mirror(BaseHTTPRequestHandler):
    """Answers in the way that the first folder of the address says."""

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        _, manner, name = self.path.split("/")
        raw = (self.server.folder / name).read_bytes()
        if manner == "hangs":
            self.server.over.wait(60)
        elif manner == "loops":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif manner == "fails":
            self.send_error(500)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            sent = {"trickles": raw, "closes": raw[: len(raw) // 2], "lies": b"<html>".ljust(len(raw)), "good": raw}[
                manner
            ]
            step = 1 if manner == "trickles" else len(sent)
            for i in range(0, len(sent), step):
                self.wfile.write(sent[i : i + step])
                if manner == "trickles" and self.server.over.wait(0.2):
                    return

    def log_message(self, *words):
        pass


@pytest.fixture
def mirror(planted, monkeypatch):
    """Makes the first mirror answer in a manner, and the second well."""
    from torchvision import datasets

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads, server.folder, server.over = True, planted / "MNIST/raw", threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sums = [(f"{n}.gz", hashlib.md5((server.folder / f"{n}.gz").read_bytes()).hexdigest()) for n in data.NAMES]
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setattr(fetch, "RETRIES", 0)
    monkeypatch.setattr(fetch, "TIME_LIMIT", 1)
    monkeypatch.setattr(fetch, "PATIENCE", 3)

    def answer(*manners):
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{base}/{manner}/" for manner in manners])
        return base

    yield answer
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("manner", ["hangs", "loops", "trickles", "closes", "lies", "fails"])
def test_a_mirror_that(manner, mirror, tmp_path, told):
    base = mirror(manner, "good")
    record, said = fetched(tmp_path / "r", source="download")
    assert record["source"] == "published" and sum("not used" in line for line in said) == 4
    mirror(manner)
    with pytest.raises(UserError, match="no source has") as error:
        fetched(tmp_path / "s", source="download")
    assert not list((tmp_path / "s").rglob("*-ubyte*"))
    shown = str(error.value).split("; put ")[0].replace(base, "http://MIRROR")
    told(f"a mirror {manner}", 2, f"the next mirror is asked; with none left: {shown}; put …")
