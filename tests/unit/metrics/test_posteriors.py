"""Posteriors on a grid, against a linear-Gaussian model whose posterior is known."""

import math

import pytest
import torch
from builders import LinearGaussian, linear_gaussian

from latentlab.metrics.posteriors import ZOOM_SIZE, posterior_masses, select_posteriors, zoomed_posterior
from latentlab.models.quadrature import LatentGrid

GRID = LatentGrid(step=0.04, limit=5)


def test_the_posterior_on_the_grid_is_the_true_one():
    model = linear_gaussian(1)
    x = model.sample(1)
    z, posterior = posterior_masses(model, x[0], None, GRID)
    mean, log_var = model.encode(x)
    assert posterior.sum().item() == pytest.approx(1, abs=1e-5)
    centre = (posterior * z[:, 0]).sum()
    assert centre.item() == pytest.approx(mean.item(), abs=1e-3)
    variance = (posterior * (z[:, 0] - centre) ** 2).sum()
    assert variance.item() == pytest.approx(math.exp(log_var.item()), rel=1e-2)


def test_a_zoomed_posterior_is_the_true_one_with_its_axes_the_right_way_round():
    """The encoder has the mean of the true posterior."""
    model = linear_gaussian(2)
    posterior = zoomed_posterior(model, model.sample(1)[0], None, GRID)
    (z1, z2), density = posterior["axes"], posterior["density"]
    cell = (z1[1] - z1[0]) * (z2[1] - z2[0])
    assert density.sum() * cell == pytest.approx(1, abs=1e-4)
    assert (density * cell).sum(0) @ z1 == pytest.approx(posterior["mean"][0], abs=1e-2)
    assert (density * cell).sum(1) @ z2 == pytest.approx(posterior["mean"][1], abs=1e-2)


def test_the_gap_is_the_kl_from_the_encoder_to_the_true_posterior():
    weight, offset = linear_gaussian(2, n_pixels=784).weight, torch.randn(784)
    weight[:, 1] += weight[:, 0]  # both dimensions are correlated given x, which the encoder leaves out
    model = LinearGaussian(weight, offset)
    precision = model.precision()
    diagonal = precision.inverse().diagonal()
    kl = 0.5 * ((precision.diagonal() * diagonal).sum() - 2 - precision.logdet() - diagonal.log().sum())
    images = (torch.rand(30, 28, 28) * 255).byte()
    posteriors = select_posteriors(model, images, torch.zeros(30), quantiles=(0, 0.5))
    assert posteriors["gap"] == pytest.approx([kl.item()] * 2, abs=0.005) and kl > 0.2
    assert posteriors["pixels"].shape == (2, 784) and posteriors["density"].shape == (2, ZOOM_SIZE, ZOOM_SIZE)
