"""The models that the cells of a notebook trained."""

import json

import numpy as np
import planted
import pytest
import torch

from latentlab.models.families import build_model
from latentlab.notebook.models import measured_model, trained_model
from latentlab.records.datasets import get_dataset
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError

SETTINGS = ModelSettings(family="vae", conditional=True, hidden=(8,), likelihood="gaussian", precision="float32")
SPEC = ModelSpec.of(SETTINGS, get_dataset("MNIST"))


def weights(name="cvae"):
    return {f"{name}.{key}": value.numpy() for key, value in build_model(SPEC).state_dict().items()}


def test_a_model_has_the_weights_that_the_cells_stored(tmp_path):
    stored = weights() | {"vae.encoder.0.weight": np.zeros(3)}
    np.savez(tmp_path / "weights.npz", **stored)
    model = trained_model(tmp_path / "weights.npz", SPEC)
    assert all(np.array_equal(value, stored[f"cvae.{key}"]) for key, value in model.state_dict().items())
    assert model.spec.settings.precision == "float32" and model.spec.settings.instruction_set
    assert not model.training and torch.is_grad_enabled()


@pytest.mark.parametrize("stored", [{}, weights("vae"), weights() | {"cvae.decoder.0.bias": np.zeros(9)}])
def test_weights_that_do_not_fit_are_refused_in_one_sentence(tmp_path, stored):
    np.savez(tmp_path / "weights.npz", **stored)
    with pytest.raises(
        UserError, match=r"weights\.npz: the weights of cvae are not those of its model config"
    ) as error:
        trained_model(tmp_path / "weights.npz", SPEC)
    assert "\n" not in str(error.value)


def test_measurements_and_history_are_read(tmp_path):
    expected = planted.notebook(conditional=True)
    history = [{"epoch": 1, "train_loss": 2.5}]
    (tmp_path / "m.json").write_text(json.dumps({"cvae": expected.to_dict() | {"history": history}}))
    assert measured_model(tmp_path / "m.json", SETTINGS) == (expected, history)


@pytest.mark.parametrize(
    "values", [{}, {"cvae": {}}, {"cvae": {"history": [], "kl": 1}}, {"cvae": {"history": [], "x": 1}}]
)
def test_measurements_that_lack_something_are_refused_in_one_sentence(tmp_path, values):
    (tmp_path / "m.json").write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"m\.json: not the measurements of cvae that NotebookMetrics in") as error:
        measured_model(tmp_path / "m.json", SETTINGS)
    assert "\n" not in str(error.value)
