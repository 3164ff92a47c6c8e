import json

import pytest
import torch
from builders import block_images, model_spec
from safetensors import safe_open
from safetensors.torch import save_file

from latentlab.models.checkpoint import load_checkpoint, save_checkpoint
from latentlab.models.families import build_model
from latentlab.models.inputs import to_pixels
from latentlab.records.declarations import model_families
from latentlab.records.runs import ModelSpec
from latentlab.runtime.errors import UserError

SPEC = model_spec(hidden=(32,), seed=3)


@pytest.mark.parametrize("family", model_families())
def test_weights_are_stored_with_the_spec_of_their_model(family, tmp_path):
    spec = model_spec(family, hidden=(32,), seed=3, image_shape=(12, 20), n_classes=3, conditional=True)
    model = build_model(spec)
    save_checkpoint(tmp_path / "w.safetensors", model)
    loaded = load_checkpoint(tmp_path / "w.safetensors")
    assert loaded.spec == spec and not loaded.training
    x, y = torch.rand(5, 240), torch.zeros(5, dtype=torch.int64)
    if model.has_encoder:
        assert torch.equal(loaded.encode(x, y)[0], model.encode(x, y)[0])
    with safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        assert ModelSpec.from_dict(json.loads(file.metadata()["latentlab"])) == spec


def test_a_loaded_model_decodes_as_the_stored_one_did(tmp_path):
    model = build_model(SPEC)
    save_checkpoint(tmp_path / "w.safetensors", model)
    z, _ = model.encode(to_pixels(block_images(5)[0]))
    assert torch.equal(load_checkpoint(tmp_path / "w.safetensors").decode(z), model.decode(z))


@pytest.mark.parametrize(
    "metadata",
    [
        {"latentlab": json.dumps(model_spec(hidden=(32,), latent_dim=5).to_dict())},
        {"latentlab": json.dumps(SPEC.to_dict() | {"image_shape": [28, 20]})},
    ],
    ids=["latent dimension", "image shape"],
)
def test_weights_of_another_size_are_refused_by_name(metadata, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(build_model(SPEC).state_dict(), path, metadata)
    with pytest.raises(UserError, match=r"w\.safetensors: not weights of this project .*size mismatch"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "metadata",
    [
        {"latentlab": json.dumps({"settings": {"family": "vae"}, "latent_dim": 2, "seed": 0})},
        {"latentlab": json.dumps(SPEC.to_dict() | {"settings": {"family": "gan"}})},
        {"latentlab": "{"},
        {"other": "{}"},
        None,
    ],
    ids=["incomplete spec", "unknown family", "not JSON", "other metadata", "no metadata"],
)
def test_weights_without_a_valid_spec_are_refused_by_name(metadata, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(build_model(SPEC).state_dict(), path, metadata)
    with pytest.raises(UserError, match=r"w\.safetensors: not weights of this project"):
        load_checkpoint(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(UserError, match=r"w\.safetensors: not weights"):
        load_checkpoint(path)
