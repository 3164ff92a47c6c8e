"""The settings in config.yaml: their names, types, limits and defaults. What each means is explained in config.yaml."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from latentlab.records.base import Record

COUNT_LIMIT = 1_000_000
MAX_NAME = 100  # characters
DISTINCT = Meta(min_length=1, max_length=100, extra_json_schema={"uniqueItems": True})  # of the items of a list

Text = Annotated[str, Meta(max_length=200)]
ShortText = Annotated[str, Meta(max_length=100)]
FilePath = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*$", description="a path without NUL characters")]
Name = Annotated[
    str, Meta(pattern="^[A-Za-z0-9_-]+$", max_length=MAX_NAME, description="made of letters, digits, '-' and '_'")
]
AssignmentName = Annotated[
    str,
    Meta(
        pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$",
        max_length=MAX_NAME,
        description="the name of a folder of templates/",
    ),
]
NotebookPath = Annotated[
    str,
    Meta(pattern="^[^/]+/[^/]+$", max_length=2 * MAX_NAME, description="a folder of templates/ and a notebook in it"),
]
Count = Annotated[int, Meta(ge=1, le=COUNT_LIMIT)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
LatentDim = Annotated[int, Meta(ge=1, le=4096)]
LearningRate = Annotated[float, Meta(gt=0)]
Precision = Literal["auto", "float32", "bfloat16"]
Tolerance = Annotated[float, Meta(gt=0)]


class ModelSettings(Record, frozen=True, omit_defaults=False):
    """One model config: an entry of `models:` with its defaults filled in."""

    family: str
    conditional: bool = False
    latent_dim: LatentDim = 2
    hidden: tuple[Annotated[int, Meta(ge=1, le=16384)], ...] = ()
    fourier_features: Annotated[int, Meta(ge=0, le=4096)] = 0
    fourier_scale: Annotated[float, Meta(gt=0)] = 1.0
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    sigma: Annotated[float, Meta(gt=0)] = 1.0
    output: Literal["sigmoid", "linear"] = "sigmoid"
    binarise: bool | Literal["training"] = False
    augment: bool = False
    precision: Precision = "auto"
    beta: Annotated[float, Meta(ge=0)] = 1.0
    importance_samples: Annotated[int, Meta(ge=1, le=10_000)] = 1
    masked_share: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    noise_sigma: Annotated[float, Meta(ge=0)] = 0.0
    epochs: Count = 10
    batch_size: Count = 256
    learning_rate: LearningRate = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: Annotated[float, Meta(ge=0)] = 0.0
    seed: Seed = 0
    instruction_set: Text | None = None
    notebook: NotebookPath | None = None

    @property
    def normalised_likelihood(self) -> bool:
        """Whether log p(x) is a normalised log-likelihood. Cross-entropy on grey pixels is not: its probabilities do
        not integrate to 1 over the images."""
        return self.binarise is True or self.likelihood == "gaussian"


# Setting that names a Markdown file of the student → the name under which that is attached and packed.
OWN_TEXTS = {"discussion": "discussion.md", "notebook_answers": "notebook_answers.md"}
EXAMPLE_NAME = "Your Name"  # the author in the config.yaml of a new copy


class Author(Record, frozen=True):
    """One author, as printed below the title."""

    name: ShortText
    id: ShortText | None = None
    email: Text | None = None


class StudentReport(Record, frozen=True, omit_defaults=False):
    """The report of one student of a class: what differs from those of others with the same settings."""

    id: Name
    assignment: AssignmentName
    authors: Annotated[tuple[Author, ...], Meta(max_length=40)]
    discussion: FilePath | None = None
    notebook_answers: FilePath | None = None


class Settings(Record, frozen=True, omit_defaults=False):
    """Everything in config.yaml; `models` holds each model config as written there, without defaults."""

    assignment: AssignmentName
    title: Text | None
    course: Text | None
    authors: Annotated[tuple[Author, ...], Meta(max_length=40)]
    discussion: FilePath | None
    notebook_answers: FilePath | None
    preview: bool
    students: tuple[StudentReport, ...]

    data_source: Literal["auto", "local", "download", "synthetic"]
    data_dir: FilePath | None
    validation_size: Count
    training_size: Count | None

    epochs: Count | None
    batch_size: Count | None
    learning_rate: LearningRate | None
    seed: Seed | None
    precision: Precision | None
    device: Literal["auto", "cpu", "cuda", "mps"]

    grid_samples: Annotated[int, Meta(ge=2, le=100)]
    condition_samples: Annotated[int, Meta(ge=2, le=100)]
    grid_min: float
    grid_max: float
    grid_spacing: Literal["uniform", "quantiles"]

    quadrature_tolerance: Tolerance
    likelihood_samples: Count

    embedding_split: Literal["train", "test"]
    embedding_points: Count

    conditions: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], DISTINCT]

    classifier_samples: Count
    reference_classifier_epochs: Count

    sweep_dims: Annotated[tuple[Annotated[int, Meta(ge=1, le=256)], ...], DISTINCT]
    sweep_seeds: Annotated[int, Meta(ge=1, le=10_000)]

    pca_dims: Annotated[tuple[LatentDim, ...], DISTINCT]

    augmentation_sizes: Annotated[tuple[Count, ...], DISTINCT]
    augmentation_seeds: Count
    augmentation_draws: Annotated[int, Meta(ge=2, le=COUNT_LIMIT)]

    models: Annotated[dict[Name, ModelSettings], Meta(min_length=1)]


def settings_schema() -> dict[str, Any]:
    """The JSON schema of config.yaml."""
    return msgspec.json.schema(Settings)
