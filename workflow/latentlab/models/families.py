"""All model families by name."""

from latentlab.models import convolutional, denoising, exact, iwae, networks
from latentlab.models.networks import LatentModel
from latentlab.records.runs import ModelSpec

MODULES = (networks, convolutional, denoising, exact, iwae)


def model_classes() -> dict[str, type[LatentModel]]:
    """The classes of all families, by their names in lower case."""
    classes = [value for module in MODULES for value in vars(module).values() if isinstance(value, type)]
    return {cls.__name__.lower(): cls for cls in classes if issubclass(cls, LatentModel) and cls is not LatentModel}


def build_model(spec: ModelSpec) -> LatentModel:
    """The untrained network; its weights are drawn with torch's global seed."""
    return model_classes()[spec.settings.family](spec)
