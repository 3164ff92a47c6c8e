"""All model families by name."""

from latentlab.models.networks import LatentModel
from latentlab.records.runs import ModelSpec


def model_classes(base: type[LatentModel] = LatentModel) -> dict[str, type[LatentModel]]:
    """Every class that derives from `base`, by its name in lower case."""
    classes: dict[str, type[LatentModel]] = {}
    for family in base.__subclasses__():
        classes |= {family.__name__.lower(): family} | model_classes(family)
    return classes


def build_model(spec: ModelSpec) -> LatentModel:
    """The untrained network; its weights are drawn with torch's global seed."""
    return model_classes()[spec.settings.family](spec)
