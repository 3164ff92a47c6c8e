"""Likelihoods against a linear-Gaussian decoder, whose log p(x) is known in closed form."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from latentlab import likelihood, models
from latentlab.objectives import Bernoulli, Gaussian

SIGMA = 0.3


class LinearGaussian(torch.nn.Module):
    """p(x|z) = N(W z + b, σ²): then p(x) = N(b, W Wᵀ + σ²), and the encoder below is the true posterior."""

    conditional = False

    def __init__(self, latent_dim, pixels=6):
        super().__init__()
        torch.manual_seed(latent_dim)
        self.latent_dim = latent_dim
        self.weight, self.bias = 0.5 * torch.randn(pixels, latent_dim), torch.randn(pixels)

    def decode(self, z, y=None):
        return z @ self.weight.T + self.bias

    def encode(self, x, y=None):
        precision = torch.eye(self.latent_dim) + self.weight.T @ self.weight / SIGMA**2
        covariance = precision.inverse()
        mean = (x - self.bias) @ self.weight @ covariance / SIGMA**2
        return mean, covariance.diagonal().log().expand_as(mean)  # exact for d = 1, mean field for d = 2

    def log_prob(self, x):
        covariance = self.weight @ self.weight.T + SIGMA**2 * torch.eye(len(self.bias))
        return MultivariateNormal(self.bias, covariance).log_prob(x)

    def sample(self, count):
        clean = self.decode(torch.randn(count, self.latent_dim))
        return clean + SIGMA * torch.randn_like(clean)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_grid_gives_the_closed_form(latent_dim):
    model = LinearGaussian(latent_dim)
    x = model.sample(700)  # more than a block
    assert torch.allclose(likelihood.exact(model, Gaussian(SIGMA, linear=True), x), model.log_prob(x), atol=2e-3)


def test_with_the_true_posterior_every_bound_is_tight():
    model = LinearGaussian(1)
    x = model.sample(200)
    bounds = [
        likelihood.importance_weighted_bound(model, Gaussian(SIGMA, linear=True), x, samples=3),
        likelihood.elbo(model, Gaussian(SIGMA, linear=True), x, samples=4000),
    ]
    assert torch.allclose(bounds[0], model.log_prob(x), atol=1e-3)
    assert bounds[1].mean().item() == pytest.approx(model.log_prob(x).mean().item(), abs=0.02)


def test_more_samples_bring_the_bound_nearer_from_below():
    model = LinearGaussian(2)
    x, exact = model.sample(2000), None
    exact = model.log_prob(x).mean().item()
    bounds = [
        likelihood.importance_weighted_bound(model, Gaussian(SIGMA, linear=True), x, samples=k).mean().item()
        for k in (1, 8, 256)
    ]
    assert bounds[0] < bounds[1] < bounds[2] == pytest.approx(exact, abs=0.01)


def test_the_posterior_on_the_grid_is_the_true_one():
    model = LinearGaussian(1)
    x = model.sample(1)
    z, _ = likelihood.latent_grid(1)
    found = likelihood.posterior(model, Gaussian(SIGMA, linear=True), x[0])
    mean, log_var = model.encode(x)
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    centre = (found * z[:, 0]).sum()
    assert centre.item() == pytest.approx(mean.item(), abs=1e-3)
    spread = (found * (z[:, 0] - centre) ** 2).sum()
    assert spread.item() == pytest.approx(math.exp(log_var.item()), rel=1e-2)


def test_the_posterior_close_up_is_the_true_one_and_lies_as_the_axes_say():
    """The planted encoder gives the true posterior of a linear model but for the correlation of its two dimensions."""
    model = LinearGaussian(2)
    x = model.sample(1)[0]
    found = likelihood.close_up(model, Gaussian(SIGMA, linear=True), x)
    (z1, z2), density = found["axes"], found["density"]
    cell = (z1[1] - z1[0]) * (z2[1] - z2[0])
    assert density.sum() * cell == pytest.approx(1, abs=1e-4)
    assert (density * cell).sum(0) @ z1 == pytest.approx(found["mean"][0], abs=1e-2)
    assert (density * cell).sum(1) @ z2 == pytest.approx(found["mean"][1], abs=1e-2)


def test_the_gap_that_is_shown_is_the_kl_from_the_encoder_to_the_true_posterior():
    model = LinearGaussian(2, pixels=784)
    model.weight[:, 1] += model.weight[:, 0]  # the two dimensions are correlated given x, which the encoder leaves out
    precision = torch.eye(2) + model.weight.T @ model.weight / SIGMA**2
    diagonal = precision.inverse().diagonal()
    kl = 0.5 * ((precision.diagonal() * diagonal).sum() - 2 - precision.logdet() - diagonal.log().sum())
    images = (torch.rand(30, 28, 28) * 255).byte()
    settings = {"likelihood": "gaussian", "sigma": SIGMA, "output": "linear", "binarise": False}
    found = likelihood.posteriors(model, settings, images, torch.zeros(30), ranks=(0, 0.5))
    assert found["gap"] == pytest.approx([kl.item()] * 2, abs=0.005) and kl > 0.2
    assert found["pixels"].shape == (2, 784) and found["density"].shape == (2, likelihood.SIDE, likelihood.SIDE)


@pytest.mark.parametrize("likely", [Bernoulli(), Gaussian(0.7), Gaussian(0.7, linear=True)])
def test_the_matrix_is_the_same_likelihood(likely):
    x, output = torch.rand(5, 784).round(), torch.randn(3, 784)
    matrix = likely.log_prob_matrix(x, output)
    for g in range(3):
        assert torch.allclose(matrix[:, g], likely.log_prob(x, output[g].expand_as(x)), rtol=1e-4, atol=1e-2)


def test_a_conditional_model_is_integrated_under_each_image_s_own_label():
    torch.manual_seed(0)
    model = models.VAE(2, (8,), conditional=True)
    x, y = torch.rand(12, 784).round(), torch.arange(12) % 3
    together = likelihood.exact(model, Bernoulli(), x, y, count=40)
    apart = torch.cat([likelihood.exact(model, Bernoulli(), x[i : i + 1], y[i : i + 1], count=40) for i in range(12)])
    assert torch.allclose(together, apart, atol=1e-3)
    assert not torch.allclose(together, likelihood.exact(model, Bernoulli(), x, (y + 1) % 10, count=40), atol=1e-3)


def test_errors_of_the_background_are_told_apart():
    """A model that draws every pixel as 0.5 is 0.5 off in the background, and right in the grey square."""
    images = torch.zeros(4, 28, 28, dtype=torch.uint8)
    images[:, 7:21, 7:21] = 128
    model = models.build({"family": "autoencoder", "hidden": [], "conditional": False}, 2)
    for weights in model.parameters():
        torch.nn.init.zeros_(weights)
    settings = {"likelihood": "gaussian", "sigma": 1.0, "output": "sigmoid"}
    found = likelihood.squared_errors(model, settings, images, torch.zeros(4, dtype=torch.int64))
    assert found["background_error"] == pytest.approx(0.25)
    assert found["ink_error"] == pytest.approx(0, abs=1e-4)
    assert found["squared_error"] == pytest.approx(0.75 * 0.25, abs=1e-4)
