"""Finds, fetches and verifies the files of a data set, or draws their synthetic counterpart.

A file counts only if its SHA-256, or that of its unpacked bytes, is the published one; whatever else a source holds is
named in the log and never used.
"""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TypeVar

from latentlab.data.synthetic import write_synthetic
from latentlab.records.data import DataRecord
from latentlab.records.datasets import ARCHIVE_SUFFIX, Dataset, archive_name
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import atomic_write, sha256

T = TypeVar("T")
Log = Callable[[str], object]

DATA_VARIABLE = "LATENTLAB_DATA"  # environment variable that names the data folder
MAX_BYTES = 48_000_000  # slightly more than the largest published file; nothing larger is ever unpacked
ATTEMPT_TIME_LIMIT = 30  # seconds without an answer, for one attempt at one mirror
MIRROR_TIME_LIMIT = 300  # seconds for all attempts at one mirror: one that sends a byte now and then never times out
RETRIES = 2


def fetch_dataset(
    dataset: Dataset,
    resources: str | Path,
    source: str = "auto",
    data_dir: str | Path | None = None,
    validation_size: int = 0,
    training_size: int | None = None,
    log: Log = print,
) -> DataRecord:
    """Bring the files of a data set into the folder `resources` and return their record.

    Args:
        source: "local": what lies in `resources` already, else the folder `data_dir`. "download": what lies there
            already, else torchvision's mirrors. "synthetic": drawn. "auto": each of these in turn, but never synthetic
            data where a folder was named or a mirror can be reached.
        data_dir: a folder laid out as torchvision's, or None.
        validation_size, training_size: see DataRecord.
        log: takes a line about each file.

    Raises:
        UserError: no source had a file, or `data_dir` is not a folder.
    """
    folder = Path(resources) / dataset.name / "raw"
    reads_folder = data_dir and source in ("auto", "local")
    if reads_folder and not Path(data_dir).is_dir() and not _is_complete(dataset, folder):
        first = next(iter(dataset.sha256))
        origin = DATA_VARIABLE if str(data_dir) == os.environ.get(DATA_VARIABLE) else "data_dir"
        raise UserError(
            f"{origin}: {data_dir} is not a folder; name one that holds {dataset.name}/raw/{archive_name(first)}"
        )
    nothing_at_hand = not data_dir and not _is_complete(dataset, folder)
    if source == "synthetic" or (source == "auto" and nothing_at_hand and not _is_online(dataset)):
        if source == "auto":
            log("NO DATA FOLDER AND NO NETWORK: drawing synthetic data; results made from them are not real")
        folder = Path(resources) / "synthetic" / dataset.name / "raw"
        checksums, origin = write_synthetic(dataset, folder), "synthetic"
    else:
        for name in dataset.sha256:
            _fetch_file(dataset, name, folder / name, source, data_dir, log)
        checksums, origin = dataset.sha256, "published"
    return DataRecord(
        dataset=dataset.name,
        source=origin,
        folder=str(folder),
        sha256=checksums,
        validation_size=validation_size,
        training_size=training_size,
    )


def local_data_folder(setting: str | None) -> str | None:
    """The folder to read data from: the setting `data_dir`, else the environment variable LATENTLAB_DATA, else None."""
    return setting or os.environ.get(DATA_VARIABLE) or None


def _is_complete(dataset: Dataset, folder: Path) -> bool:
    return all((folder / name).is_file() for name in dataset.sha256)


def _is_online(dataset: Dataset) -> bool:
    """Whether any mirror can be reached, whatever it answers."""
    import requests

    for mirror, _ in _mirrors(dataset, next(iter(dataset.sha256))):
        try:
            requests.head(mirror, timeout=5)
            return True
        except requests.RequestException:
            continue
    return False


def _fetch_file(dataset: Dataset, name: str, target: Path, source: str, data_dir: str | Path | None, log: Log) -> None:
    """Bring one verified file to `target`."""
    if target.is_file():
        if sha256(target) == dataset.sha256[name]:
            log(f"{target}: already there, verified")
            return
        target.replace(rejected := target.with_name(name + ".rejected"))
        log(f"{target}: not the published file; renamed to {rejected.name}")
    problems = []
    for place, read in _sources(dataset, name, source, data_dir):
        try:
            raw = read()
        except Exception as error:  # whatever is wrong with one source, the next one is tried
            problems.append(f"{place} could not be read ({_reason(error)})")
        else:
            if hashlib.sha256(raw).hexdigest() == dataset.sha256[name]:
                with atomic_write(target) as partial:
                    partial.write_bytes(raw)
                log(f"{target}: from {place}, verified")
                return
            problems.append(f"{place} is not the published file")
        log(f"{problems[-1]}; not used")
    raise UserError(
        f"{dataset.name}: no source has {name}: {'; '.join(problems) or 'no folder holds it'}; put "
        f"{archive_name(name)} into a folder as {dataset.name}/raw/{archive_name(name)} and name that folder as "
        "data_dir, or set data_source to synthetic"
    )


def _sources(
    dataset: Dataset, name: str, source: str, data_dir: str | Path | None
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Pairs of a source's name and a function that returns the file's bytes, local ones first."""
    if data_dir and source != "download":
        local = Path(data_dir) / dataset.name / "raw" / name
        for path in dict.fromkeys((local, local.with_name(archive_name(name)))):
            if path.exists() or path.is_symlink():
                yield str(path), lambda path=path: _read(path, name)
    for mirror, md5 in _mirrors(dataset, name) if source != "local" else ():
        yield mirror, lambda mirror=mirror, md5=md5: _download(mirror, name, md5)


def _read(path: Path, name: str) -> bytes:
    """The bytes of the file `name` at `path`, unpacked unless its checksum is that of the archive, but never more than
    `MAX_BYTES` of them."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b" and not name.endswith(ARCHIVE_SUFFIX)
    with gzip.open(path) if is_packed else path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError("larger than the published file")
    return raw


def _mirrors(dataset: Dataset, name: str) -> list[tuple[str, str]]:
    """Addresses and MD5 checksums as torchvision lists them. It is slow to import, so only a download does."""
    from torchvision import datasets

    published = getattr(datasets, str(dataset.torchvision))
    md5 = dict(published.resources)[archive_name(name)]
    return [(mirror, md5) for mirror in published.mirrors]


def _download(base: str, name: str, md5: str) -> bytes:
    """The bytes of the file `name`, whose archive lies at the address `base`, by pooch, which adds the retries and the
    time limit that torchvision's own download lacks."""
    import pooch

    def download() -> bytes:
        with TemporaryDirectory() as folder:
            archive = archive_name(name)
            cache = pooch.create(folder, base, registry={archive: f"md5:{md5}"}, retry_if_failed=RETRIES)
            downloader = pooch.HTTPDownloader(timeout=ATTEMPT_TIME_LIMIT)
            return _read(Path(cache.fetch(archive, downloader=downloader)), name)

    return _with_time_limit(MIRROR_TIME_LIMIT, download)


def _with_time_limit(seconds: float, read: Callable[[], T]) -> T:
    """What `read()` returns or raises, or TimeoutError after so many seconds; its thread then ends with the process."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(read())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        if future.done():  # read() itself raised it
            raise
        raise TimeoutError(f"not complete after {seconds} s") from error


def _reason(error: Exception) -> str:
    """An exception in a few words, on one line."""
    if isinstance(error, EOFError):
        return "it ends too early"
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 160 else words[:157] + "..."
