"""Weights on disk, with all that is needed to rebuild their network."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from safetensors import safe_open
from safetensors.torch import load_model, save_model

from latentlab.models.families import build_model
from latentlab.models.networks import LatentModel
from latentlab.records.runs import ModelSpec
from latentlab.runtime.errors import UserError, user_message
from latentlab.runtime.files import atomic_write

METADATA_KEY = "latentlab"  # a single key, because safetensors does not keep the order of several


def save_checkpoint(path: str | Path, model: LatentModel) -> None:
    """Store the weights as safetensors, with the model's spec as metadata."""
    with atomic_write(path) as partial:
        metadata = {METADATA_KEY: json.dumps(model.spec.to_dict(), sort_keys=True)}
        save_model(model, str(partial), metadata=metadata)


def load_checkpoint(path: str | Path) -> LatentModel:
    """The model at `path`, in evaluation mode.

    Raises:
        UserError: the file does not hold weights of this project, or they do not fit the network that it describes.
    """
    with weights_errors(path), safe_open(str(path), framework="pt") as file:
        model = build_model(msgspec.json.decode(file.metadata()[METADATA_KEY], type=ModelSpec))
        load_model(model, str(path))
    return model.eval()


@contextmanager
def weights_errors(path: str | Path) -> Generator[None]:
    """Raise UserError for any error in the block, which loads weights from `path`, except for one of the machine."""
    try:
        yield
    except Exception as error:
        if user_message(error):
            raise
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"{path}: not weights of this project ({reason}); delete it and run again") from error
