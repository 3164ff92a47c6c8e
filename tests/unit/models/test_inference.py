import numpy as np
import pytest
import torch
from builders import LinearExact, block_images, linear_gaussian, model_spec

from latentlab.models.families import build_model
from latentlab.models.inference import (
    axis_effects,
    decode_latents,
    decoder_slopes,
    encode_and_integrate,
    encode_images,
    first_of_each_class,
    reconstruct,
    reconstructions_and_samples,
    refine_modes,
)
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder

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
        assert codes["codes"].shape == (700, 3) and ("log_var" in codes) == (family == "vae")
        assert (codes["codes"] == model.encode(to_pixels(IMAGES))[0].detach().numpy()).mean() > 0.99


@pytest.mark.parametrize("tolerance", [0.1, 1e-5])  # nats: one grid for both, and a finer one for the pixels
def test_codes_and_posteriors_from_one_pass_are_those_of_the_closed_form(tolerance):
    model = linear_gaussian(2, n_pixels=784, model=LinearExact)
    torch.manual_seed(0)
    x, x_labels = model.sample(50), torch.arange(50) % 10
    codes, integrated = encode_and_integrate(model, IMAGES[:40], LABELS[:40], x, x_labels, tolerance)
    assert codes["codes"] == pytest.approx(model.posterior_mean(to_pixels(IMAGES[:40])).numpy(), abs=0.01)
    assert codes["mean"] == pytest.approx(model.posterior_mean(to_pixels(IMAGES[:40])).numpy(), abs=0.01)
    errors = (integrated.posteriors.log_likelihood - model.log_prob(x)).abs()
    assert errors.mean() < tolerance + 1e-3  # rounding of log-likelihoods of hundreds of nats
    assert torch.allclose(integrated.posteriors.mean, model.posterior_mean(x), atol=0.01)
    assert integrated.error < 2 * tolerance + 1e-3


def test_decoded_pixels_are_clamped():
    z = np.linspace(-1, 2, 784, dtype=np.float32)[None].repeat(600, axis=0)
    assert (decode_latents(Identity(), z) == z.clip(0, 1)).all()


def test_a_label_may_be_one_for_all_positions_or_one_for_each():
    z = np.zeros((4, 784), dtype=np.float32)
    pixels = decode_latents(Identity(conditional=True), z, 3)
    assert pixels == pytest.approx(0.3)
    pixels = decode_latents(Identity(conditional=True), z, np.arange(4))
    assert pixels[:, 0] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_reconstruction_is_decoded_from_the_code():
    x = to_pixels(IMAGES)
    assert torch.equal(reconstruct(Identity(), x, LABELS), x)


def test_of_very_many_classes_only_the_first_are_shown():
    labels = torch.arange(300) % 100
    assert first_of_each_class(labels, 100).tolist() == list(range(12))


def test_the_rows_are_images_their_reconstructions_and_two_of_samples():
    first = first_of_each_class(LABELS, 10)
    assert first.tolist() == [LABELS.tolist().index(label) for label in range(10)]
    images, labels = IMAGES[first], LABELS[first]
    pixels = reconstructions_and_samples(Identity(), images, labels, to_pixels(images))
    assert pixels.shape == (40, 784)
    assert (pixels[:10] == to_pixels(images).numpy()).all() and (pixels[10:20] == pixels[:10]).all()
    assert not (pixels[20:30] == pixels[30:]).all()
    again = reconstructions_and_samples(Identity(), images, labels, to_pixels(images))
    assert (pixels == again).all(), "the samples have their own seed"


def test_samples_of_a_conditional_model_have_the_labels_of_the_images():
    model = Identity(conditional=True)
    with torch.no_grad():
        torch.manual_seed(0)
        z = torch.randn(10, 784)
    expected = (z + LABELS[:10, None] / 10).clamp(0, 1)
    pixels = reconstructions_and_samples(model, IMAGES[:10], LABELS[:10], to_pixels(IMAGES[:10]))
    assert pixels[20:30] == pytest.approx(expected.numpy())


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


def test_the_slope_of_a_decoder_is_the_norm_of_its_derivatives():
    settings = {"likelihood": "gaussian", "output": "linear"}
    model = build_model(model_spec("autoencoder", latent_dim=2, **settings))
    with torch.no_grad():
        model.decoder[0].weight.mul_(0.1)
        model.decoder[0].bias.fill_(0.5)  # far from 0 and 1, where pixels are clamped
    expected = model.decoder[0].weight.detach().square().sum().sqrt().item()
    assert decoder_slopes(model, torch.randn(20, 2)) == pytest.approx([expected] * 20, rel=1e-3)


def test_modes_are_refined_between_the_positions_of_the_grid():
    model = linear_gaussian(2, model=LinearExact)
    x, labels = model.sample(600), torch.zeros(600, dtype=torch.int64)
    true = model.posterior_mean(x)
    rounded = (true / 0.2).round() * 0.2
    refined = refine_modes(model, x, labels, rounded, 0.1)
    assert (rounded - true).abs().mean() > 2 * (refined - true).abs().mean()
