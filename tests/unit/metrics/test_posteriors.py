"""Posteriors on a grid, against a linear-Gaussian model whose posterior is known."""

import math

import pytest
import torch
from builders import LinearExact, LinearGaussian, linear_gaussian

from latentlab.metrics.posteriors import ZOOM_SIZE, posterior_masses, select_posteriors, zoomed_posterior
from latentlab.models.quadrature import LatentGrid

GRID = LatentGrid(step=0.04, limit=5)


def test_the_posterior_on_the_grid_is_the_true_one():
    model = linear_gaussian(1)
    x = model.sample(1)
    z, posterior, log_likelihood = posterior_masses(model, x[0], None, GRID)
    mean, log_var = model.encode(x)
    assert posterior.sum().item() == pytest.approx(1, abs=1e-5)
    assert log_likelihood.item() == pytest.approx(model.log_prob(x).item(), abs=2e-3)
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
    assert density.sum() * cell == pytest.approx(1, abs=5e-4)
    assert (density * cell).sum(0) @ z1 == pytest.approx(posterior["mean"][0], abs=1e-2)
    assert (density * cell).sum(1) @ z2 == pytest.approx(posterior["mean"][1], abs=1e-2)


def test_distant_modes_that_are_narrower_than_a_pixel_are_shown_with_their_masses():
    class Mirrored(LinearExact):
        """Draws the absolute values of z, so that z and −z draw nearly the same."""

        def decode(self, z, y=None):
            return super().decode(z.abs() + 1e-5 * z, y)

    torch.manual_seed(0)
    model = Mirrored(50 * torch.eye(2, 4).T, torch.zeros(4))  # modes have a standard deviation of 0.02
    x = 50 * torch.tensor([2.0, 1.5, 0.0, 0.0])
    posterior = zoomed_posterior(model, x, None, LatentGrid(0.0125, 5))
    (z1, z2), density = posterior["axes"], posterior["density"]
    cell = (z1[1] - z1[0]) * (z2[1] - z2[0])
    assert density.sum() * cell == pytest.approx(1, abs=1e-3)
    half = ZOOM_SIZE // 2
    for rows, columns in ((0, 0), (0, half), (half, 0), (half, half)):
        quarter = density[rows : rows + half, columns : columns + half]
        assert 0.1 < quarter.sum() * cell < 0.4
        row, column = divmod(int(quarter.argmax()), half)
        assert abs(z1[columns + column]) == pytest.approx(2, abs=0.25)
        assert abs(z2[rows + row]) == pytest.approx(1.5, abs=0.25)


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
