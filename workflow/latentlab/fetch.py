"""Find, fetch and verify the data, or draw their stand-in.

A file counts only if the SHA-256 of its unpacked bytes is the published one; whatever else a source holds is named
and never used.
"""

import gzip
import hashlib
import os
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from latentlab import standin
from latentlab.data import NAMES, SHA256
from latentlab.errors import UserError
from latentlab.files import sha256, whole

MAX_BYTES = 48_000_000  # a little more than the largest file: nothing larger is ever unpacked
TIME_LIMIT = 30  # seconds without an answer, for one try at one mirror
PATIENCE = 300  # seconds for all tries at one mirror: one that sends a byte now and then always answers in time
RETRIES = 2


def fetch(dataset, resources, source="auto", data_dir=None, say=print):
    """Bring the four files of `dataset` to the folder `resources` and return their record (data.py reads by it, once it
    knows the sizes of the splits, too).

    Args:
        source: "local": what lies in `resources` already, else the folder `data_dir`. "download": what lies there,
            else torchvision's mirrors. "stand-in": drawn. "auto": all of these in turn, but never stand-in data
            where a folder was named or a mirror can be reached.
        data_dir: a folder laid out as torchvision's, or None.
        say: takes a line about each file.

    Raises:
        UserError: no source had a file.
    """
    folder = Path(resources) / dataset / "raw"
    if data_dir and not Path(data_dir).is_dir() and not _complete(folder):
        raise UserError(f"data_dir: {data_dir} is not a folder; name one that holds {dataset}/raw/{NAMES[0]}.gz")
    if source == "stand-in" or (source == "auto" and not data_dir and not _complete(folder) and not _online(dataset)):
        if source == "auto":
            say("NO DATA FOLDER AND NO NETWORK: the project draws stand-in data; what is made from them is not real")
        folder = Path(resources) / "stand-in" / dataset / "raw"
        return _record(dataset, "stand-in", folder, standin.write(dataset, folder))
    for name in NAMES:
        _fetch_file(dataset, name, folder / name, source, data_dir, say)
    return _record(dataset, "published", folder, SHA256[dataset])


def local_folder(configured):
    """The folder to read from: the knob `data_dir`, else the environment variable LATENTLAB_DATA, else None."""
    return configured or os.environ.get("LATENTLAB_DATA") or None


def _record(dataset, source, folder, sums):
    return {"dataset": dataset, "source": source, "folder": str(folder), "sha256": {name: sums[name] for name in NAMES}}


def _complete(folder):
    return all((folder / name).is_file() for name in NAMES)


def _online(dataset):
    """Whether any of the mirrors can be reached; whatever it answers."""
    import requests

    for mirror, _ in _mirrors(dataset, NAMES[0]):
        try:
            requests.head(mirror, timeout=5)
            return True
        except requests.RequestException:
            continue
    return False


def _fetch_file(dataset, name, target, source, data_dir, say):
    wanted = SHA256[dataset][name]
    if target.is_file():
        if sha256(target) == wanted:
            return say(f"{target}: already there, verified")
        target.replace(rejected := target.with_name(name + ".rejected"))
        say(f"{target}: not the published file; set aside as {rejected.name}")
    tried = []
    for place, read in _places(dataset, name, source, data_dir):
        try:
            raw = read()
        except Exception as error:  # whatever a source does wrong, the next one is asked
            tried.append(f"{place} could not be read ({_reason(error)})")
        else:
            if hashlib.sha256(raw).hexdigest() == wanted:
                with whole(target) as partial:
                    partial.write_bytes(raw)
                return say(f"{target}: from {place}, verified")
            tried.append(f"{place} is not the published file")
        say(f"{tried[-1]}; not used")
    raise UserError(
        f"{dataset}: no source has {name}: {'; '.join(tried) or 'no folder holds it'}; put {name}.gz into a folder as "
        f"{dataset}/raw/{name}.gz and name that folder as data_dir, or set data_source to stand-in"
    )


def _places(dataset, name, source, data_dir):
    """Pairs of a place's name and a function that returns the unpacked bytes, nearest first."""
    if data_dir and source != "download":
        local = Path(data_dir) / dataset / "raw" / name
        for path in (local, local.with_name(name + ".gz")):
            if path.exists() or path.is_symlink():
                yield str(path), lambda path=path: _unpack(path)
    for mirror, md5 in _mirrors(dataset, name) if source != "local" else ():
        yield mirror, lambda mirror=mirror, md5=md5: _download(mirror, name + ".gz", md5)


def _unpack(path):
    """The file's bytes, unpacked, but never more than `MAX_BYTES` of them."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError("larger than the published file")
    return raw


def _mirrors(dataset, name):
    """Addresses and MD5 sums as torchvision knows them; it is slow to import, so only a download does."""
    from torchvision import datasets

    published = getattr(datasets, dataset)
    md5 = dict(published.resources)[name + ".gz"]
    return [(mirror, md5) for mirror in published.mirrors]


def _download(base, name, md5):
    """The unpacked bytes of `{base}{name}`; pooch adds the retries and the time limit that torchvision's own lacks."""
    import pooch

    def fetched():
        with TemporaryDirectory() as folder:
            cache = pooch.create(folder, base, registry={name: f"md5:{md5}"}, retry_if_failed=RETRIES)
            return _unpack(Path(cache.fetch(name, downloader=pooch.HTTPDownloader(timeout=TIME_LIMIT))))

    return _within(PATIENCE, fetched)


def _within(seconds, read):
    """What `read()` returns or raises, or TimeoutError after so many seconds; it is then left behind, and ends with the
    process at the latest."""
    done = Future()

    def work():
        try:
            done.set_result(read())
        except Exception as error:
            done.set_exception(error)

    Thread(target=work, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError as error:
        if done.done():  # it is one of its own
            raise
        raise TimeoutError(f"not there after {seconds} s") from error


def _reason(error):
    """An exception in a few words, on one line."""
    if isinstance(error, EOFError):
        return "it ends too early"
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 160 else words[:157] + "..."
