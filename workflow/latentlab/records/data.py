"""What is recorded of a data set's files: results/data/{dataset}.json and the request that led to it."""

import hashlib
from typing import Literal

from latentlab.records.base import Record
from latentlab.records.datasets import Dataset, get_dataset


class DataRecord(Record, frozen=True):
    """The verified files of a data set, and how its published training images are split."""

    dataset: str
    source: Literal["published", "synthetic"]
    folder: str
    """Where the unpacked files are."""
    sha256: dict[str, str]
    """File name → SHA-256 of the unpacked file."""
    validation_size: int
    """How many of the published training images, the last ones, are held out for validation."""
    training_size: int | None = None
    """How many of the others are trained on, the first ones; None: all of them."""

    @property
    def declaration(self) -> Dataset:
        return get_dataset(self.dataset)

    @property
    def is_synthetic(self) -> bool:
        return self.source == "synthetic"

    @property
    def digest(self) -> str:
        """One SHA-256 (hex) for all files."""
        sums = "".join(self.sha256[name] for name in self.declaration.sha256)
        return hashlib.sha256(sums.encode()).hexdigest()


class DataRequest(Record, frozen=True, omit_defaults=False):
    """Where a run was told to look for data."""

    data_dir: str | None
    source: Literal["auto", "local", "download", "synthetic"]
