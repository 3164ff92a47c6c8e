"""What is recorded of a data set's files: results/data/{dataset}.json and the request that led to it."""

import hashlib
from typing import Annotated, Literal

from msgspec import Meta

from latentlab.records.base import Record
from latentlab.records.datasets import Dataset, get_dataset
from latentlab.records.settings import Seed

Share = Annotated[float, Meta(gt=0, le=0.4)]


class DataRecord(Record, frozen=True):
    """The verified files of a data set, and how its published training images are split."""

    dataset: str
    source: Literal["published", "synthetic", "images"]
    """"images": those of one's own."""
    folder: str
    """Where the unpacked files are."""
    sha256: dict[str, str]
    """File name → SHA-256 of the unpacked file."""
    validation_size: int
    """How many of the published training images, the last ones, are held out for validation."""
    training_size: int | None = None
    """How many of the others are trained on, the first ones; None: all of them."""
    own: Dataset | None = None
    """The declaration of images of one's own; None: that of `records.datasets`."""
    originals: str | None = None
    """SHA-256 of the image files of one's own, before they were resized."""

    @property
    def declaration(self) -> Dataset:
        return self.own or get_dataset(self.dataset)

    @property
    def is_synthetic(self) -> bool:
        return self.source == "synthetic"

    @property
    def digest(self) -> str:
        """One SHA-256 (hex) for all files."""
        names = self.declaration.sha256 or sorted(self.sha256)
        sums = "".join(self.sha256[name] for name in names)
        return hashlib.sha256(sums.encode()).hexdigest()


class ImageFolder(Record, frozen=True, omit_defaults=False):
    """Where images of one's own are, and what becomes of them."""

    folder: Annotated[str, Meta(min_length=1, max_length=4096)]
    """With one folder for each class; relative to that of the assignment."""
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """What happens to images of another shape: sides are scaled each by its own factor, what is too long is cut off on
    both sides, or what is too short is padded with black."""
    test_share: Share = 0.2
    """Of the images of each class, held out for tests."""
    validation_share: Share = 0.1
    """Of the images of each class, held out for validation."""
    seed: Seed = 0
    """Of the split."""


class DataRequest(Record, frozen=True):
    """Where a run was told to look for data."""

    data_dir: str | None
    source: Literal["auto", "local", "download", "synthetic"]
    images: ImageFolder | None = None
    """Of one's own, in place of both others."""
    state: str | None = None
    """What tells whether files in their folder have changed (`runtime.files.folder_state`)."""
