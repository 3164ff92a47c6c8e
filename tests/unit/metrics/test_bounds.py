"""Losses and bounds, against a linear-Gaussian model whose log p(x) is known."""

import pytest
import torch
from builders import LinearExact, block_images, evaluate, linear_gaussian, model_spec

from latentlab.metrics.bounds import (
    evaluate_bounds,
    evaluate_likelihood,
    evaluated_pixels,
    log_likelihood_bounds,
    reconstruction_floor,
    squared_errors,
)
from latentlab.models.families import build_model
from latentlab.models.train import train_model

IMAGES, LABELS = block_images(300)


def train(**settings):
    spec = model_spec(hidden=(32,), epochs=2, batch_size=64, **settings)
    return train_model(spec, (IMAGES, LABELS), (IMAGES[:50], LABELS[:50]))[0]


def test_with_the_true_posterior_every_bound_is_tight():
    model = linear_gaussian(1)
    x = model.sample(200)
    assert torch.allclose(log_likelihood_bounds(model, x, samples=3).importance_weighted, model.log_prob(x), atol=1e-3)
    elbo = log_likelihood_bounds(model, x, samples=500).elbo.mean().item()
    assert elbo == pytest.approx(model.log_prob(x).mean().item(), abs=0.02)


def test_more_samples_bring_the_bound_nearer_from_below():
    model = linear_gaussian(2)
    x = model.sample(2000)
    log_likelihood = model.log_prob(x).mean().item()
    bounds = [log_likelihood_bounds(model, x, samples=k).importance_weighted.mean().item() for k in (1, 8, 256)]
    assert bounds[0] < bounds[1] < bounds[2] == pytest.approx(log_likelihood, abs=0.01)


def test_errors_of_background_and_ink_are_separate():
    """A model that draws every pixel as 0.5 is 0.5 off in the background, and right in the grey square."""
    images = torch.zeros(4, 28, 28, dtype=torch.uint8)
    images[:, 7:21, 7:21] = 128
    errors = squared_errors(images, torch.full((4, 784), 0.5))
    assert errors["background_error"] == pytest.approx(0.25)
    assert errors["ink_error"] == pytest.approx(0, abs=1e-4)
    assert errors["squared_error"] == pytest.approx(0.75 * 0.25, abs=1e-4)
    assert errors["root_squared_error"] == pytest.approx(errors["squared_error"] ** 0.5)


def test_images_without_background_have_no_error_there():
    errors = squared_errors(torch.full((4, 28, 28), 51, dtype=torch.uint8), torch.zeros(4, 784))
    assert errors["background_error"] == 0 and errors["ink_error"] == pytest.approx(0.04)


def test_losses_are_nats_per_image():
    model = train()
    losses, _ = evaluate(model, IMAGES, LABELS)
    assert losses.negative_elbo == pytest.approx(losses.reconstruction + losses.kl)
    assert losses == evaluate(model, IMAGES, LABELS)[0], "the noise has its own seed"
    thirds = [evaluate(model, IMAGES[i : i + 100], LABELS[i : i + 100])[0].kl for i in (0, 100, 200)]
    assert losses.kl == pytest.approx(sum(thirds) / 3, rel=1e-5)


def test_an_autoencoder_has_no_kl_term_and_no_elbo():
    losses, likelihoods = evaluate(train(family="autoencoder"), IMAGES, LABELS)
    assert losses.kl is None and losses.negative_elbo is None and losses.reconstruction > 0 and likelihoods is None


@pytest.mark.parametrize("conditional", [False, True])
def test_both_bounds_lie_below_the_log_likelihood(conditional):
    model = train(conditional=conditional, binarise=True)
    losses, likelihoods = evaluate(model, IMAGES[:100], LABELS[:100])
    bounds = evaluate_bounds(model, evaluated_pixels(model, IMAGES[:100]), LABELS[:100], samples=64)
    assert -bounds.elbo.mean().item() == pytest.approx(losses.negative_elbo, abs=0.3)
    weighted = bounds.importance_weighted.mean().item()
    assert -losses.negative_elbo < weighted < likelihoods.log_likelihood + likelihoods.quadrature_error
    assert likelihoods.gap == pytest.approx(likelihoods.log_likelihood + losses.negative_elbo)
    assert 0 < likelihoods.median_gap < 2 * likelihoods.gap
    assert likelihoods.quadrature_error < 0.01 and likelihoods.importance_weighted is likelihoods.samples is None


@pytest.mark.parametrize("settings", [{}, {"binarise": True}, {"likelihood": "gaussian", "sigma": 0.5}])
def test_no_decoder_does_better_than_the_floor_and_one_that_knows_the_image_reaches_it(settings):
    model, x = build_model(model_spec(**settings)), evaluated_pixels(build_model(model_spec(**settings)), IMAGES[:50])
    floor = reconstruction_floor(model, x)
    exact = torch.logit(x.double(), eps=1e-12)  # an output whose mean is the image itself
    assert -model.likelihood.log_prob(x.double(), exact).mean().item() == pytest.approx(floor, abs=1e-3)
    assert evaluate(model, IMAGES[:50], LABELS[:50])[0].reconstruction > floor
    assert (floor == 0) == (settings.get("binarise") is True)


def test_only_binary_or_gaussian_pixels_have_a_normalised_likelihood():
    normalised = {
        (likelihood, binarise): evaluate(
            train(likelihood=likelihood, binarise=binarise, latent_dim=3), IMAGES[:20], LABELS[:20], samples=2
        )[1].normalised
        for likelihood in ("bernoulli", "gaussian")
        for binarise in (False, True, "training")
    }
    assert [key for key, value in normalised.items() if not value] == [("bernoulli", False), ("bernoulli", "training")]


def test_three_dimensions_have_a_bound_in_place_of_the_log_likelihood():
    losses, likelihoods = evaluate(train(latent_dim=3), IMAGES[:20], LABELS[:20], samples=2)
    assert likelihoods.log_likelihood is likelihoods.gap is likelihoods.quadrature_error is None
    assert -losses.negative_elbo < likelihoods.importance_weighted and likelihoods.samples == 2


def test_without_an_encoder_the_terms_are_those_of_the_true_posterior_and_no_bound_is_reported():
    model = linear_gaussian(2, n_pixels=784, model=LinearExact)
    images, labels = IMAGES[:30], LABELS[:30]
    x = evaluated_pixels(model, images)
    losses, likelihoods = evaluate_likelihood(model, images, labels, x)
    assert likelihoods.log_likelihood == pytest.approx(model.log_prob(x).mean().item(), abs=0.01)
    mean, covariance = model.posterior_mean(x), model.precision().inverse()
    kl = 0.5 * (covariance.trace() + mean.square().sum(1) - 2 - covariance.logdet()).mean().item()
    assert losses.kl == pytest.approx(kl, abs=0.01)
    assert losses.reconstruction + losses.kl == pytest.approx(-likelihoods.log_likelihood)
    assert losses.squared_error == 0
    assert losses.negative_elbo is likelihoods.gap is likelihoods.median_gap is None
