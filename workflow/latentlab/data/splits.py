"""Reads the images of a split, once their files are verified."""

import gzip
import hashlib
from pathlib import Path

import numpy as np

from latentlab.data import idx, npy
from latentlab.records.data import DataRecord
from latentlab.records.datasets import ARCHIVE_SUFFIX, archive_name
from latentlab.runtime.errors import UserError

READERS = {"idx": idx, "npy": npy}  # format → the module that reads and writes it


def load_split(record: DataRecord, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (n, rows, columns), or in colour (n, 3, rows, columns), and labels, uint8 (n,), of "train",
    "validation" or "test".

    Raises:
        UserError: a file is missing or has changed since it was verified, or there are fewer images than the record's
            sizes need.
    """
    reader = READERS[record.declaration.reader]
    published = "test" if split == "test" else "train"
    names = reader.FILES[published]
    images, labels = reader.read_split({name: _read_verified(record, name) for name in names}, published)
    part = slice(None) if split == "test" else _training_part(record, split, len(images))
    return images[part].copy(), labels[part].copy()  # writable copies, because torch warns of read-only arrays


def _training_part(record: DataRecord, split: str, n_published: int) -> slice:
    """Which of the published training images belong to "train" or "validation"."""
    available = n_published - record.validation_size
    if available < 1:
        raise UserError(f"validation_size: {record.validation_size} leaves none of {n_published} images to train on")
    used = record.training_size or available
    if used > available:
        raise UserError(f"training_size: {used} is more than the {available} images that validation_size leaves")
    return slice(used) if split == "train" else slice(available, None)


def _read_verified(record: DataRecord, name: str) -> bytes:
    """The contents of the file `name`, unpacked, if its checksum is that of the record."""
    name = name if name in record.sha256 else archive_name(name)
    path = Path(record.folder) / name
    raw = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != record.sha256[name]:
        state = "has changed since it was verified" if raw else "is missing"
        raise UserError(f"{path} {state}; get it again with: snakemake --cores 1 --forcerun fetch_data -- data")
    return gzip.decompress(raw) if name.endswith(ARCHIVE_SUFFIX) else raw
