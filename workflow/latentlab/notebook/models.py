"""From what the cells of a notebook write to the results of the models that they trained."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from latentlab.models.families import build_model
from latentlab.models.networks import LatentModel
from latentlab.models.precision import resolve_precision
from latentlab.records.metrics import NotebookMetrics
from latentlab.records.notebooks import name_in_notebook
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import read_json


def trained_model(weights: str | Path, spec: ModelSpec) -> LatentModel:
    """The network of a spec with the weights that a notebook stored: arrays named {vae or cvae}.{name of the weight}.

    Raises:
        UserError: they do not fit the network.
    """
    name = name_in_notebook(spec.settings)
    model = build_model(msgspec.structs.replace(spec, settings=resolve_precision(spec.settings)))
    with np.load(weights) as arrays:  # which opens no pickles unless told to
        prefix = f"{name}."
        state = {key.removeprefix(prefix): torch.from_numpy(arrays[key]) for key in arrays if key.startswith(prefix)}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{weights}: the weights of {name} are not those of its model config ({reason}); let the notebook name and "
            "shape its layers as models/networks.py does"
        ) from error
    return model.eval()


def measured_model(measurements: str | Path, settings: ModelSettings) -> tuple[NotebookMetrics, list[dict[str, float]]]:
    """What a notebook measured of a model, and the history of its training.

    Raises:
        UserError: the file lacks the model, its history or a measurement, or holds one that is unknown.
    """
    name = name_in_notebook(settings)
    try:
        values: dict[str, Any] = dict(read_json(measurements)[name])
        history = values.pop("history")
        return NotebookMetrics.from_dict(values), history
    except (KeyError, ValueError, msgspec.ValidationError) as error:
        raise UserError(
            f"{measurements}: not the measurements of {name} that NotebookMetrics in records/metrics.py lists "
            f"({error}); let the cells of the notebook write them"
        ) from error
