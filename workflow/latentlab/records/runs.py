"""A run: one training of one model config on one data set, and where its results lie."""

from typing import Literal, Self

from latentlab.records.base import Record
from latentlab.records.datasets import Dataset, ImageShape
from latentlab.records.settings import ModelSettings

RUN_FOLDER = "results/models/{dataset}/{model}/d{latent_dim}/seed{seed}"
SWEEP_FOLDER = "results/sweeps/{dataset}/{model}"
NOTEBOOK_FOLDER = "results/notebooks/{dataset}/{assignment}/{notebook}"
PCA_FOLDER = "results/pca_comparisons/{dataset}/{model}"

Requirement = Literal["plane", "unconditional", "conditional", "generative", "encoder", "denoising", "notebook", "ood"]

# What a model has to be for some of the files of its run to be made.
FILE_REQUIREMENTS: dict[str, tuple[Requirement, ...]] = {
    "grid.png": ("plane", "unconditional"),
    "grid-occupied.png": ("plane", "unconditional"),
    "grid-quantiles.png": ("plane", "unconditional"),
    "grids.json": ("plane", "unconditional"),
    "plane.json": ("plane", "unconditional"),
    "axis_effects.npz": ("plane", "unconditional"),
    "failures.json": ("plane", "unconditional"),
    "failures.png": ("plane", "unconditional"),
    "conditions.json": ("plane", "conditional"),
    "conditions.png": ("plane", "conditional"),
    "posteriors.npz": ("plane", "generative"),
    "classifier.json": ("conditional", "generative"),
    "classifier.npz": ("conditional", "generative"),
    "ood.json": ("conditional", "generative", "ood"),
    "ood.npz": ("conditional", "generative", "ood"),
    "mistakes.png": ("conditional", "generative"),
    "confusions.png": ("conditional", "generative"),
    "augmentation.json": ("generative", "encoder"),
    "restorations.json": ("denoising",),
    "restorations.png": ("denoising",),
    "notebook.json": ("notebook",),
}

# How a requirement is met, as a setting of the model config.
REQUIREMENT_SETTINGS: dict[Requirement, str] = {
    "plane": "latent_dim: 2",
    "unconditional": "conditional: false",
    "conditional": "conditional: true",
    "generative": "family: vae or exact",
    "encoder": "family: vae or autoencoder",
    "denoising": "family: denoising",
    "notebook": "a notebook that trains it",
    "ood": "a data set with an ood_partner, which images of one's own have not",
}


class Run(Record, frozen=True, omit_defaults=False):
    """One training: the wildcards of the rules that train and evaluate a model."""

    dataset: str
    model: str
    """The name of the model config."""
    latent_dim: int
    seed: int

    def file(self, name: str) -> str:
        """The path of the results file `name`, relative to the working directory."""
        return f"{RUN_FOLDER}/{name}".format(**self.to_dict())


class ModelSpec(ImageShape, frozen=True, omit_defaults=False, kw_only=True):
    """All that is needed to build and train a network; stored with its weights."""

    settings: ModelSettings
    latent_dim: int
    """In place of the settings' own: a sweep varies it."""
    seed: int
    """In place of the settings' own: of the initial weights, the shuffling and the noise."""
    n_classes: int

    @classmethod
    def of(
        cls, settings: ModelSettings, dataset: Dataset, latent_dim: int | None = None, seed: int | None = None
    ) -> Self:
        """The spec of a model config on a data set, with its own latent dimension and seed unless others are given."""
        return cls(
            settings=settings,
            latent_dim=settings.latent_dim if latent_dim is None else latent_dim,
            seed=settings.seed if seed is None else seed,
            image_shape=dataset.image_shape,
            n_classes=dataset.n_classes,
        )
