"""Quadrature, against a linear-Gaussian model whose log p(x) is known."""

import math

import pytest
import torch
from builders import LinearExact, LinearGaussian, linear_gaussian, model_spec
from torch import Tensor

from latentlab.models.families import build_model
from latentlab.models.objective import log_normal
from latentlab.models.quadrature import (
    IMAGE_BLOCK,
    PRIOR_LIMIT,
    TAIL_DISTANCE,
    TOLERANCE,
    WIDEST_STEP,
    LatentGrid,
    cell_centres,
    choose_grid,
    decode_positions,
    integrate_posteriors,
    joint_blocks,
    latent_limit,
    quadrature_log_likelihood,
)

GRID = LatentGrid(step=0.04, limit=PRIOR_LIMIT)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_quadrature_gives_the_closed_form(latent_dim):
    model = linear_gaussian(latent_dim)
    x = model.sample(IMAGE_BLOCK + 200)
    assert torch.allclose(quadrature_log_likelihood(model, x, None, GRID), model.log_prob(x), atol=2e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_posterior_far_narrower_than_a_coarse_cell_is_found(latent_dim):
    weight = torch.randn(40, latent_dim, generator=torch.Generator().manual_seed(0))
    model = LinearGaussian(1.3 * weight, torch.zeros(40))  # its posteriors have a standard deviation of 0.04
    x = model.sample(300)
    assert torch.allclose(quadrature_log_likelihood(model, x, None, GRID), model.log_prob(x), atol=5e-3)
    coarse = quadrature_log_likelihood(model, x, None, LatentGrid(step=0.2, limit=5))
    assert (coarse - model.log_prob(x)).abs().mean() > 0.1, "the step is what makes it exact"


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_cells_of_all_blocks_hold_the_prior_once(latent_dim):
    """Under a decoder that ignores z the joint is the prior."""
    model = LinearGaussian(torch.zeros(3, latent_dim), torch.zeros(3))
    x = torch.randn(5, 3)
    assert torch.allclose(quadrature_log_likelihood(model, x, None, LatentGrid(0.1, 5)), model.log_prob(x), atol=1e-4)
    positions: list[list[Tensor]] = [[] for _ in x]
    for images, z, _, _ in joint_blocks(model, x, None, LatentGrid(0.1, 3)):
        for image in images.tolist():
            positions[image].append(z)
    for z in map(torch.cat, positions):
        assert len(z.unique(dim=0)) == len(z) >= {1: 60, 2: math.pi * 30**2}[latent_dim]


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_two_ranges_that_meet_cover_what_one_covers(latent_dim):
    torch.manual_seed(0)
    model = linear_gaussian(latent_dim, n_pixels=4)
    x = model.sample(20)
    parts = [quadrature_log_likelihood(model, x, None, LatentGrid(0.04, *limits)) for limits in ((1, 0), (5, 1))]
    assert torch.allclose(torch.logaddexp(*parts), model.log_prob(x), atol=2e-3)
    assert (parts[1] < model.log_prob(x) - 0.05).any(), "something lies in the inner one"
    outer = LatentGrid(0.04, 5, inner=1)
    assert torch.allclose(quadrature_log_likelihood(model, x, None, outer, parts[0]), model.log_prob(x), atol=2e-3)


def test_where_the_range_holds_nothing_beside_the_inner_one_nothing_is_integrated():
    torch.manual_seed(0)
    model = linear_gaussian(2, n_pixels=200)  # its posteriors are narrow
    x = model.decode(torch.zeros(20, 2)) + 0.3 * torch.randn(20, 200)
    outer = LatentGrid(0.04, limit=5, inner=3)
    assert list(joint_blocks(model, x, None, outer)) and not list(
        joint_blocks(model, x, None, outer, model.log_prob(x))
    )
    assert torch.equal(quadrature_log_likelihood(model, x, None, outer, model.log_prob(x)), model.log_prob(x))


def test_the_range_follows_codes_far_outside_the_prior():
    torch.manual_seed(0)
    model = linear_gaussian(2, n_pixels=40)
    near = model.sample(50)
    far = model.decode(torch.tensor([[9.0, -7.0]])) + 0.3 * torch.randn(50, 40)
    assert latent_limit(model, near) == PRIOR_LIMIT and latent_limit(model, far) > 9
    assert torch.allclose(
        quadrature_log_likelihood(model, far, None, choose_grid(model, far)[0]), model.log_prob(far), atol=0.02
    )
    cut = quadrature_log_likelihood(model, far, None, GRID)
    assert (model.log_prob(far) - cut).min() > 10, "what a fixed range leaves out"


def test_the_error_of_a_model_without_an_encoder_holds_what_lies_outside_of_the_range():
    torch.manual_seed(0)
    model = linear_gaussian(2, n_pixels=40, model=LinearExact)
    near, far = model.sample(50), model.decode(torch.tensor([[7.0, -6.0]])) + 0.3 * torch.randn(50, 40)
    assert choose_grid(model, near)[1] < TOLERANCE
    grid, error = choose_grid(model, far)
    missing = model.log_prob(far) - quadrature_log_likelihood(model, far, None, grid)
    assert missing.min() > 10 and error == pytest.approx(missing.mean().item(), rel=0.2)


def test_the_grid_is_as_fine_as_the_tolerance_asks_and_its_error_is_the_true_one():
    torch.manual_seed(0)
    weight = torch.randn(40, 2)
    model = LinearGaussian(weight, torch.zeros(40))  # its posteriors have a standard deviation of 0.05
    x = model.sample(100)
    grids = [choose_grid(model, x, tolerance=tolerance) for tolerance in (10.0, TOLERANCE)]
    assert grids[0][0].step == WIDEST_STEP > grids[1][0].step
    for grid, error in grids:
        true_error = (quadrature_log_likelihood(model, x, None, grid) - model.log_prob(x)).abs().mean().item()
        assert error == pytest.approx(true_error, rel=0.1, abs=5e-4)
    assert grids[0][1] > 0.01 > TOLERANCE > grids[1][1]


def test_a_conditional_model_is_integrated_with_the_label_of_each_image():
    torch.manual_seed(0)
    model = build_model(model_spec(hidden=(8,), conditional=True))
    x, y = torch.rand(12, 784).round(), torch.arange(12) % 3
    grid = LatentGrid(step=0.2, limit=5)
    together = quadrature_log_likelihood(model, x, y, grid)
    apart = torch.cat([quadrature_log_likelihood(model, x[i : i + 1], y[i : i + 1], grid) for i in range(12)])
    assert torch.allclose(together, apart, atol=1e-3)
    assert not torch.allclose(together, quadrature_log_likelihood(model, x, (y + 1) % 10, grid), atol=1e-3)


def test_three_dimensions_have_no_quadrature():
    model = build_model(model_spec(latent_dim=3))
    with pytest.raises(ValueError, match="at most two latent dimensions, not 3"):
        quadrature_log_likelihood(model, torch.rand(2, 784), None, GRID)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_integrated_posteriors_are_the_true_ones(latent_dim):
    model = linear_gaussian(latent_dim)
    x = model.sample(200)
    posteriors = integrate_posteriors(model, x, None, GRID)
    mean, covariance = model.posterior_mean(x), model.precision().inverse()
    assert torch.allclose(posteriors.log_likelihood, model.log_prob(x), atol=2e-3)
    assert torch.allclose(posteriors.mean, mean, atol=2e-3)
    assert torch.allclose(posteriors.covariance, covariance.expand(200, -1, -1), atol=2e-3)
    assert (posteriors.mode - mean).abs().max() < 0.03, "half a step: the mode of a Gaussian is its mean"
    kl = 0.5 * (covariance.trace() + mean.square().sum(1) - latent_dim - covariance.logdet())
    assert torch.allclose(posteriors.kl, kl, atol=5e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_posteriors_in_the_tails_of_the_prior_are_the_true_ones_with_larger_cells(latent_dim):
    model = linear_gaussian(latent_dim, n_pixels=30)
    directions = torch.nn.functional.normalize(torch.randn(40, latent_dim))
    x = model.decode(torch.linspace(3.5, 5.5, 40)[:, None] * directions) + 0.3 * torch.randn(40, 30)
    grid = LatentGrid(0.03, 7)
    posteriors = integrate_posteriors(model, x, None, grid)
    mean, covariance = model.posterior_mean(x), model.precision().inverse()
    kl = 0.5 * (covariance.trace() + mean.square().sum(1) - latent_dim - covariance.logdet())
    assert torch.allclose(posteriors.log_likelihood, model.log_prob(x), atol=2e-3)
    assert torch.allclose(posteriors.mean, mean, atol=2e-3)
    assert torch.allclose(posteriors.kl, kl, atol=5e-3)
    blocks = list(joint_blocks(model, x, None, grid))
    assert {round(block.step, 3) for block in blocks} == {0.03, 0.045}
    assert all((block.step > 0.04) == (block.z.mean(0).norm().item() > TAIL_DISTANCE) for block in blocks)


def test_the_mode_of_a_posterior_with_two_modes_is_the_higher_one_and_its_mean_lies_between():
    class TwoModes(LinearExact):
        """Draws the absolute value of z, so that z and −z draw the same; the prior is the same for both."""

        def decode(self, z, y=None):
            return super().decode(z.abs() + 0.01 * z, y)

    model = TwoModes(torch.tensor([[1.0], [0.0]]), torch.zeros(2))
    posteriors = integrate_posteriors(model, torch.tensor([[1.5, 0.0]]), None, LatentGrid(0.01, 5))
    assert posteriors.mode.abs().item() == pytest.approx(1.38, abs=0.05) and abs(posteriors.mean.item()) < 0.6
    assert posteriors.covariance.item() > 1.5


def test_refinement_misses_nothing_of_a_decoder_with_fourier_features():
    """Such decoders have narrow posteriors with several modes, which the coarse cells might step over."""
    torch.manual_seed(0)
    model = build_model(model_spec("exact", image_shape=(8, 8), hidden=(64,), fourier_features=64, fourier_scale=4.5))
    with torch.no_grad():
        model.decoder[-1].weight.mul_(20)
        x = torch.bernoulli(torch.sigmoid(model.decode(torch.randn(50, 2))))
    step = 0.025
    z = cell_centres(2, round(2 * PRIOR_LIMIT / step), step)
    outputs = torch.cat([decode_positions(model, positions) for positions in z.split(10_000)])
    log_joint = (
        model.likelihood.log_prob_matrix(x, model.likelihood.position_terms(outputs))
        + log_normal(z)
        + 2 * math.log(step)
    )
    plain = torch.logsumexp(log_joint, dim=1)
    refined = integrate_posteriors(model, x, None, LatentGrid(step, PRIOR_LIMIT))
    assert torch.allclose(refined.log_likelihood, plain, atol=1e-3)
    assert refined.covariance.diagonal(dim1=1, dim2=2).sum(1).sqrt().median() < 0.5, "posteriors are narrow"
