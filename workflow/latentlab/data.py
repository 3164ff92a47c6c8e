"""Find, fetch, verify and read the IDX files of MNIST and Fashion-MNIST.

The files lie as torchvision keeps them, `{root}/{dataset}/raw/{name}`, and count only if the SHA-256 of the unpacked
file is the published one: copies are often packed again, so the sum of the `.gz` says little.
"""

import gzip
import hashlib
import os
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from latentlab.errors import UserError
from latentlab.files import read_json, sha256, whole

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
NAMES = [name for pair in FILES.values() for name in pair]

SHA256 = {
    "MNIST": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "FashionMNIST": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
CLASSES = {
    "MNIST": [str(digit) for digit in range(10)],
    "FashionMNIST": [
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ],
}  # fmt: skip
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
MAX_BYTES = 48_000_000  # a little more than the largest file: nothing larger is ever unpacked
TIME_LIMIT = 30  # seconds without an answer, for one try at one mirror
RETRIES = 2


def fetch(dataset, resources, data_dir=None, say=print):
    """Bring the four verified files of `dataset` to `{resources}/{dataset}/raw` and return their record.

    Sources in turn: what lies there already, the local folder `data_dir`, torchvision's mirrors. A file with another
    checksum is named through `say` and never used; in `resources` it is set aside as `{name}.rejected`.

    Raises:
        UserError: no source had the file.
    """
    folder = Path(resources) / dataset / "raw"
    if data_dir and not Path(data_dir).is_dir():
        raise UserError(f"data_dir: {data_dir} is not a folder; name one that holds {dataset}/raw/{NAMES[0]}.gz")
    for name in NAMES:
        _fetch_file(dataset, name, folder / name, data_dir, say)
    return {
        "dataset": dataset,
        "source": "published",
        "folder": str(folder),
        "sha256": {name: SHA256[dataset][name] for name in NAMES},
    }


def digest(record):
    """One SHA-256 (hex) for all the files of a record."""
    return hashlib.sha256("".join(record["sha256"][name] for name in NAMES).encode()).hexdigest()


def load(record, split, validation_size=5000):
    """Images, uint8 `(n, 28, 28)`, and labels, uint8 `(n,)`, of "train", "validation" or "test".

    The last `validation_size` of the published training images are held out as "validation".

    Raises:
        UserError: a file is missing or is not the one that was verified.
    """
    record = read_json(record) if isinstance(record, str | Path) else record
    images, labels = (_verified(record, name) for name in FILES["test" if split == "test" else "train"])
    images, labels = read_idx(images), read_idx(labels)
    if split != "test" and validation_size >= len(images):
        raise UserError(f"validation_size: {validation_size} leaves none of {len(images)} images to train on")
    held_out = slice(len(images) - validation_size, None)
    kept = {"test": slice(None), "train": slice(len(images) - validation_size), "validation": held_out}[split]
    return images[kept], labels[kept]


def read_idx(source):
    """The array in an IDX file of unsigned bytes (a path, or the file's bytes); yann.lecun.com/exdb/mnist."""
    raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    magic = struct.unpack(">I", raw[:4])[0]
    axes = {IMAGES_MAGIC: 3, LABELS_MAGIC: 1}[magic]
    shape = struct.unpack(f">{axes}I", raw[4 : 4 + 4 * axes])
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def _verified(record, name):
    path = Path(record["folder"]) / name
    raw = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != record["sha256"][name]:
        state = "has changed since it was verified" if raw else "is missing"
        raise UserError(f"{path} {state}; fetch it again with: snakemake --cores 1 --forcerun fetch_data -- data")
    return raw


def _fetch_file(dataset, name, target, data_dir, say):
    wanted = SHA256[dataset][name]
    if target.is_file():
        if sha256(target) == wanted:
            return say(f"{target}: already there, verified")
        target.replace(rejected := target.with_name(name + ".rejected"))
        say(f"{target}: not the published file; set aside as {rejected.name}")
    tried = []
    for source, read in _sources(dataset, name, data_dir):
        try:
            raw = read()
        except Exception as error:  # whatever a source does wrong, the next one is asked
            tried.append(f"{source} could not be read ({_reason(error)})")
        else:
            if hashlib.sha256(raw).hexdigest() == wanted:
                with whole(target) as partial:
                    partial.write_bytes(raw)
                return say(f"{target}: from {source}, verified")
            tried.append(f"{source} is not the published file")
        say(f"{tried[-1]}; not used")
    raise UserError(
        f"{dataset}: no source has {name}: {'; '.join(tried)}; put {name}.gz into a folder laid out as "
        f"{dataset}/raw/{name}.gz and name that folder as data_dir"
    )


def _sources(dataset, name, data_dir):
    """Pairs of a source's name and a function that returns the unpacked bytes, nearest first."""
    if data_dir:
        local = Path(data_dir) / dataset / "raw" / name
        for path in (local, local.with_name(name + ".gz")):
            if path.exists() or path.is_symlink():
                yield str(path), lambda path=path: _unpack(path)
    for mirror, md5 in _mirrors(dataset, name):
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

    with TemporaryDirectory() as folder:
        cache = pooch.create(folder, base, registry={name: f"md5:{md5}"}, retry_if_failed=RETRIES)
        return _unpack(Path(cache.fetch(name, downloader=pooch.HTTPDownloader(timeout=TIME_LIMIT))))


def _reason(error):
    """An exception in a few words, on one line."""
    if isinstance(error, EOFError):
        return "it ends too early"
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 160 else words[:157] + "..."


def local_folder(configured):
    """The folder to read from: the knob `data_dir`, else the environment variable LATENTLAB_DATA, else None."""
    return configured or os.environ.get("LATENTLAB_DATA") or None
