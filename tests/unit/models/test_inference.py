import numpy as np
import pytest
import torch
from builders import block_images, model_spec

from latentlab.models.inference import (
    axis_effects,
    decode_latents,
    encode_images,
    reconstruct,
    reconstructions_and_samples,
)
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder, build_model

IMAGES, LABELS = block_images(700)  # more than one batch


class Identity(Autoencoder):
    """Encodes an image as itself, and decodes a position to itself, plus a tenth of the label if it is conditional."""

    def __init__(self, conditional=False):
        linear = {"likelihood": "gaussian", "output": "linear"}
        super().__init__(model_spec("autoencoder", latent_dim=784, conditional=conditional, **linear))

    def encode(self, x, y=None):
        return x, None

    def decode(self, z, y=None):
        return z + y[:, None] / 10 if self.conditional else z


def test_only_a_vae_has_log_variances():
    for family in ("autoencoder", "vae"):
        model = build_model(model_spec(family, latent_dim=3))
        codes = encode_images(model, IMAGES, LABELS)
        assert codes["mean"].shape == (700, 3) and ("log_var" in codes) == (family == "vae")
        assert (codes["mean"] == model.encode(to_pixels(IMAGES))[0].detach().numpy()).mean() > 0.99


def test_decoded_pixels_are_clamped():
    z = np.linspace(-1, 2, 784, dtype=np.float32)[None].repeat(600, axis=0)
    assert (decode_latents(Identity(), z) == z.clip(0, 1)).all()


def test_a_label_may_be_one_for_all_positions_or_one_for_each():
    z = np.zeros((4, 784), dtype=np.float32)
    pixels = decode_latents(Identity(conditional=True), z, 3)
    assert pixels == pytest.approx(0.3)
    pixels = decode_latents(Identity(conditional=True), z, np.arange(4))
    assert pixels[:, 0] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_reconstruction_is_decoded_from_the_mean_of_the_code():
    x = to_pixels(IMAGES)
    assert torch.equal(reconstruct(Identity(), x, LABELS), x)
    model = build_model(model_spec(hidden=(8,)))
    assert torch.equal(reconstruct(model, x, LABELS), reconstruct(model, x, LABELS)), "no noise is drawn"


def test_the_rows_are_images_of_each_class_their_reconstructions_and_two_of_samples():
    images = reconstructions_and_samples(Identity(), IMAGES, LABELS)
    assert images.shape == (40, 784)
    labels = LABELS.tolist()
    first = [labels.index(label) for label in range(10)]
    assert (images[:10] == to_pixels(IMAGES[first]).numpy()).all() and (images[10:20] == images[:10]).all()
    assert not (images[20:30] == images[30:]).all()
    assert (images == reconstructions_and_samples(Identity(), IMAGES, LABELS)).all(), "the samples have their own seed"


def test_samples_of_a_conditional_model_have_the_classes_in_order():
    model = Identity(conditional=True)
    with torch.no_grad():
        torch.manual_seed(0)
        z = torch.randn(10, 784)
    expected = (z + torch.arange(10)[:, None] / 10).clamp(0, 1)
    assert reconstructions_and_samples(model, IMAGES, LABELS)[20:30] == pytest.approx(expected.numpy())


def test_the_effects_of_the_axes_of_a_linear_decoder_are_its_weights():
    model = build_model(model_spec("autoencoder", latent_dim=2))
    arrays = axis_effects(model)
    layer = model.decoder[0]
    assert np.allclose(arrays["effects"].T, layer.weight.detach(), atol=1e-5)
    assert np.allclose(arrays["origin"], torch.sigmoid(layer.bias).detach(), atol=1e-6)


def test_the_effects_of_the_axes_of_another_decoder_are_its_derivatives_at_the_origin():
    model = build_model(model_spec("vae", latent_dim=2, hidden=(8,)))
    jacobian = torch.autograd.functional.jacobian(lambda z: model.decode(z[None])[0], torch.zeros(2))
    assert np.allclose(axis_effects(model, step=1e-2)["effects"].T, jacobian, atol=1e-2)
