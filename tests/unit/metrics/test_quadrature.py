"""Quadrature, against a linear-Gaussian model whose log p(x) is known."""

import pytest
import torch
from builders import linear_gaussian, model_spec

from latentlab.metrics.quadrature import IMAGE_BLOCK, latent_grid, quadrature_log_likelihood
from latentlab.models.networks import build_model


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_quadrature_gives_the_closed_form(latent_dim):
    model = linear_gaussian(latent_dim)
    x = model.sample(IMAGE_BLOCK + 200)
    assert torch.allclose(quadrature_log_likelihood(model, x), model.log_prob(x), atol=2e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_cells_of_the_grid_hold_all_of_the_prior(latent_dim):
    z, log_mass = latent_grid(latent_dim, size=50)
    assert z.shape == (50**latent_dim, latent_dim)
    assert log_mass.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_conditional_model_is_integrated_with_the_label_of_each_image():
    torch.manual_seed(0)
    model = build_model(model_spec(hidden=(8,), conditional=True))
    x, y = torch.rand(12, 784).round(), torch.arange(12) % 3
    together = quadrature_log_likelihood(model, x, y, size=40)
    apart = torch.cat([quadrature_log_likelihood(model, x[i : i + 1], y[i : i + 1], size=40) for i in range(12)])
    assert torch.allclose(together, apart, atol=1e-3)
    assert not torch.allclose(together, quadrature_log_likelihood(model, x, (y + 1) % 10, size=40), atol=1e-3)
