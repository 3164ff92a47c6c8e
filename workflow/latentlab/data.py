"""The IDX files of MNIST and Fashion-MNIST: which there are, and how they are verified and read.

The files lie as torchvision keeps them, `{root}/{dataset}/raw/{name}`, and count only if the SHA-256 of the unpacked
file is the published one: copies are often packed again, so the sum of the `.gz` says little.
"""

import hashlib
import struct
from pathlib import Path

import numpy as np

from latentlab.errors import UserError
from latentlab.files import read_json

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
FOREIGN = {"MNIST": "FashionMNIST", "FashionMNIST": "MNIST"}  # images of another kind, to tell apart
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049


def digest(record):
    """One SHA-256 (hex) for all the files of a record."""
    return hashlib.sha256("".join(record["sha256"][name] for name in NAMES).encode()).hexdigest()


def load(record, split):
    """Images, uint8 `(n, 28, 28)`, and labels, uint8 `(n,)`, of "train", "validation" or "test".

    Args:
        record: of the data (a dictionary, or its file): `dataset`; `folder` and `sha256` of its files; `source`. Its
            `validation_size` says how many of the published training images, the last ones, are held out as
            "validation"; its `training_size`, how many of the others are trained on, the first ones, or None for all.

    Raises:
        UserError: a file is missing or is not the one that was verified, or there are fewer images than that.
    """
    record = read_json(record) if isinstance(record, str | Path) else record
    images, labels = (_verified(record, name) for name in FILES["test" if split == "test" else "train"])
    images, labels = read_idx(images), read_idx(labels)
    kept = slice(None) if split == "test" else _part(record, split, len(images))
    return images[kept].copy(), labels[kept].copy()  # writable, unlike the file's bytes: torch warns of those


def _part(record, split, published):
    """Which of the published training images belong to a split."""
    left = published - record["validation_size"]
    if left < 1:
        raise UserError(f"validation_size: {record['validation_size']} leaves none of {published} images to train on")
    shown = record["training_size"] or left
    if shown > left:
        raise UserError(f"training_size: {shown} is more than the {left} images that validation_size leaves")
    return slice(shown) if split == "train" else slice(left, None)


def is_stand_in(record):
    """Whether the project drew these pictures itself."""
    return record["source"] == "stand-in"


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
        raise UserError(f"{path} {state}; get it again with: snakemake --cores 1 --forcerun fetch_data -- data")
    return raw
