"""What the numbers of a report depend on: provenance.json."""

from typing import Literal

from latentlab.records.base import Record
from latentlab.records.settings import ModelSettings


class Digest(Record, frozen=True):
    """The hash of something that is not stored itself."""

    sha256: str
    """Hexadecimal."""


class DataProvenance(Record, frozen=True):
    """The data set of a report, or one of them."""

    dataset: str
    source: Literal["published", "synthetic", "images"]
    training_size: int | None
    """How many images were trained on; null: all that are not held out."""
    sha256: str
    """Of all files together, hexadecimal."""
    originals: str | None = None
    """Of images of one's own: SHA-256 of the files before they were resized."""


class ModelProvenance(Record, frozen=True):
    """What determined a model, a sweep or a comparison with PCA. A field is left out where it does not apply."""

    model: str | None = None
    """The name of the model config."""
    settings: ModelSettings | None = None
    latent_dim: int | None = None
    seed: int | None = None
    seeds: int | None = None
    """How many trainings there are at each point of a sweep."""
    weights: str | tuple[str, ...] | None = None
    """SHA-256 (hex) of the weights file, or of each of them."""


class Provenance(Record, frozen=True):
    """provenance.json."""

    commit: str
    """Short hash of the code's commit, followed by "+" if files differed from it; "unknown" outside a git checkout."""
    clean: bool | None
    """Whether the code was that of the commit; null if the commit is unknown."""
    versions: dict[str, str]
    """Package → version."""
    config: Digest
    """Of the settings, written beside it as config.yaml."""
    data: tuple[DataProvenance, ...]
    """The assignment's own data set first."""
    models: dict[str, ModelProvenance]
    """By the names in assignment.yaml."""
    weights: Digest
    """Of the hashes of all weights."""
