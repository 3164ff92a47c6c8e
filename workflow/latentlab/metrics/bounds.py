"""Losses, and estimates of log p(x), of images that a model was not trained on; nats per image.

With one or two latent dimensions quadrature gives log p(x) itself; bounds hold for any number of them. Functions are
given the reconstructions (n, P) of the images, decoded from their codes (`inference.reconstruct`).
"""

import torch
from torch import Tensor

from latentlab.models.inputs import EVALUATION_BATCH, model_input, split_batches, to_pixels
from latentlab.models.networks import VAE, Autoencoder, LatentModel
from latentlab.models.objective import Bounds
from latentlab.models.quadrature import (
    MIN_EXACT_STEP,
    TOLERANCE,
    choose_grid,
    integrate_posteriors,
    quadrature_log_likelihood,
)
from latentlab.models.train import sum_terms
from latentlab.records.metrics import Likelihoods, Losses

BOUND_SAMPLES = 64  # draws of z per image for the importance-weighted bound
ELBO_SAMPLES = 10  # draws of z per image: the standard error of the mean over the test images is then below 0.05 nats


def evaluate_likelihood(
    model: LatentModel,
    images: Tensor,
    labels: Tensor,
    reconstructions: Tensor,
    tolerance: float = TOLERANCE,
    samples: int = BOUND_SAMPLES,
    seed: int = 0,
) -> tuple[Losses, Likelihoods | None]:
    """The terms of the loss and the errors of the reconstructions, and of a model with a prior the best estimate of
    log p(x) that there is; means over uint8 images (n, rows, columns).

    Args:
        tolerance: error of the quadrature, nats per image.
        samples: draws of z for the importance-weighted bound.
    """
    if isinstance(model, VAE):
        return estimate_likelihood(model, images, labels, reconstructions, tolerance, samples, seed)
    if isinstance(model, Autoencoder):
        return evaluate_autoencoder(model, images, labels, reconstructions, seed), None
    return integrate_likelihood(model, images, labels, reconstructions, tolerance, seed)


def evaluate_autoencoder(
    model: Autoencoder, images: Tensor, labels: Tensor, reconstructions: Tensor, seed: int = 0
) -> Losses:
    """The losses of a model without a prior, means over uint8 images (n, rows, columns)."""
    x = evaluated_pixels(model, images, seed)
    terms = sum_terms(model, model.evaluation_terms, images, labels)
    reconstruction = float(terms["reconstruction"]) / len(images)
    floor, errors = reconstruction_floor(model, x), squared_errors(images, reconstructions)
    return Losses(reconstruction=reconstruction, reconstruction_floor=floor, **errors)


def integrate_likelihood(
    model: LatentModel,
    images: Tensor,
    labels: Tensor,
    reconstructions: Tensor,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> tuple[Losses, Likelihoods]:
    """The losses and log p(x) of a model whose posteriors are known, by quadrature; means over uint8 images (n, rows,
    columns). The terms are those of the identity −log p(x) = E[−log p(x|z)] + KL(p(z|x) ‖ p(z)), in which no bound
    is involved."""
    x = evaluated_pixels(model, images, seed)
    grid, error = choose_grid(model, x, labels, tolerance, MIN_EXACT_STEP)
    posteriors = integrate_posteriors(model, x, labels, grid)
    log_likelihood, kl = (values.double().mean().item() for values in (posteriors.log_likelihood, posteriors.kl))
    losses = Losses(
        reconstruction=-log_likelihood - kl,
        reconstruction_floor=reconstruction_floor(model, x),
        kl=kl,
        **squared_errors(images, reconstructions),
    )
    normalised = model.spec.settings.normalised_likelihood
    return losses, Likelihoods(normalised=normalised, log_likelihood=log_likelihood, quadrature_error=error)


def evaluate_bounds(
    model: VAE,
    images: Tensor,
    labels: Tensor,
    reconstructions: Tensor,
    samples: int = BOUND_SAMPLES,
    seed: int = 0,
) -> tuple[Losses, Bounds]:
    """The losses of a VAE, and the bounds on log p(x) of each image from the same draws."""
    x = evaluated_pixels(model, images, seed)
    batches = [
        log_likelihood_bounds(model, batch, y, samples) for batch, y in split_batches(EVALUATION_BATCH, x, labels)
    ]
    bounds = Bounds(*(torch.cat(values).double() for values in zip(*batches, strict=True)))
    reconstruction, kl = bounds.reconstruction.mean().item(), bounds.kl.mean().item()
    losses = Losses(
        reconstruction=reconstruction,
        reconstruction_floor=reconstruction_floor(model, x),
        kl=kl,
        negative_elbo=reconstruction + kl,
        **squared_errors(images, reconstructions),
    )
    return losses, bounds


def evaluated_pixels(model: LatentModel, images: Tensor, seed: int = 0) -> Tensor:
    """The pixels (n, P) that a model is evaluated on, of uint8 images. Seeds torch, so that all estimates are of the
    same binary pixels."""
    torch.manual_seed(seed)
    return model_input(images, model.spec.settings)


def reconstruction_floor(model: LatentModel, x: Tensor) -> float:
    """The mean over pixels (n, P) of the least −log p(x|z) that any decoder could reach."""
    return -model.likelihood.max_log_prob(x).double().mean().item()


def squared_errors(images: Tensor, reconstructions: Tensor) -> dict[str, float]:
    """Means of (x − x̂)² per pixel, x̂ being the reconstruction of x; see `Losses`."""
    x = to_pixels(images)
    squares = (reconstructions - x).square().double()
    error = squares.mean().item()
    return {
        "squared_error": error,
        "root_squared_error": error**0.5,
        "background_error": squares[x == 0].mean().item(),
        "ink_error": squares[x > 0].mean().item(),
    }


@torch.no_grad()
def log_likelihood_bounds(
    model: VAE, x: Tensor, y: Tensor | None = None, samples: int = BOUND_SAMPLES, noise: Tensor | None = None
) -> Bounds:
    """Lower bounds on log p(x) of each image of x (B, P).

    Args:
        samples: draws of z for each image.
        noise: (samples, B, d), standard normal, in place of new draws: for bounds that are to be compared.
    """
    return model.bounds(x, y, torch.randn(samples, len(x), model.latent_dim) if noise is None else noise)


def estimate_likelihood(
    model: VAE,
    images: Tensor,
    labels: Tensor,
    reconstructions: Tensor,
    tolerance: float = TOLERANCE,
    samples: int = BOUND_SAMPLES,
    seed: int = 0,
) -> tuple[Losses, Likelihoods]:
    """The losses of a VAE, and a better estimate of log p(x) than the ELBO, means over uint8 images (n, rows, columns):
    by quadrature for d ≤ 2, the importance-weighted bound otherwise.

    Args:
        tolerance: error of the quadrature, nats per image.
        samples: draws of z for the importance-weighted bound.
    """
    normalised = model.spec.settings.normalised_likelihood
    if model.latent_dim > 2:
        losses, bounds = evaluate_bounds(model, images, labels, reconstructions, samples, seed)
        weighted = bounds.importance_weighted.mean().item()
        return losses, Likelihoods(normalised=normalised, importance_weighted=weighted, samples=samples)
    losses, bounds = evaluate_bounds(model, images, labels, reconstructions, ELBO_SAMPLES, seed)
    x = evaluated_pixels(model, images, seed)
    grid, error = choose_grid(model, x, labels, tolerance)
    log_likelihood = quadrature_log_likelihood(model, x, labels, grid).double()
    gap = log_likelihood - bounds.elbo
    return losses, Likelihoods(
        normalised=normalised,
        log_likelihood=log_likelihood.mean().item(),
        gap=gap.mean().item(),
        median_gap=gap.median().item(),
        quadrature_error=error,
    )
