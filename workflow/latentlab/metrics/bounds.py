"""Losses, and estimates of log p(x), of images that a model was not trained on; nats per image.

With one or two latent dimensions quadrature gives log p(x) itself; bounds hold for any number of them.
"""

import torch
from torch import Tensor

from latentlab.metrics.quadrature import TOLERANCE, choose_grid, quadrature_log_likelihood
from latentlab.models.inference import reconstruct
from latentlab.models.inputs import EVALUATION_BATCH, model_input, split_batches, to_pixels
from latentlab.models.networks import VAE, Autoencoder
from latentlab.models.objective import Bounds
from latentlab.models.train import sum_terms
from latentlab.records.metrics import Likelihoods, Losses

BOUND_SAMPLES = 64  # draws of z per image for the importance-weighted bound
ELBO_SAMPLES = 10  # draws of z per image: the standard error of the mean over the test images is then below 0.05 nats


def evaluate_losses(model: Autoencoder, images: Tensor, labels: Tensor, seed: int = 0) -> Losses:
    """The terms of the loss and the reconstruction errors, means over uint8 images (n, rows, columns)."""
    if isinstance(model, VAE):
        return evaluate_bounds(model, images, labels, ELBO_SAMPLES, seed)[0]
    x = evaluated_pixels(model, images, seed)
    terms = sum_terms(model, model.evaluation_terms, images, labels)
    reconstruction = float(terms["reconstruction"]) / len(images)
    floor, errors = reconstruction_floor(model, x), squared_errors(model, images, labels)
    return Losses(reconstruction=reconstruction, reconstruction_floor=floor, **errors)


def evaluate_bounds(
    model: VAE, images: Tensor, labels: Tensor, samples: int = BOUND_SAMPLES, seed: int = 0
) -> tuple[Losses, Bounds]:
    """The losses of `evaluate_losses`, and the bounds on log p(x) of each image from the same draws."""
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
        **squared_errors(model, images, labels),
    )
    return losses, bounds


def evaluated_pixels(model: Autoencoder, images: Tensor, seed: int = 0) -> Tensor:
    """The pixels (n, P) that a model is evaluated on, of uint8 images. Seeds torch, so that all estimates are of the
    same binary pixels."""
    torch.manual_seed(seed)
    return model_input(images, model.spec.settings)


def reconstruction_floor(model: Autoencoder, x: Tensor) -> float:
    """The mean over pixels (n, P) of the least −log p(x|z) that any decoder could reach."""
    return -model.likelihood.max_log_prob(x).double().mean().item()


def squared_errors(model: Autoencoder, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Means of (x − x̂)² per pixel, x̂ being decoded from the mean of the code; see `Losses`."""
    x = to_pixels(images)
    squares = (reconstruct(model, x, labels) - x).square().double()
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
    tolerance: float = TOLERANCE,
    samples: int = BOUND_SAMPLES,
    seed: int = 0,
) -> tuple[Losses, Likelihoods]:
    """The losses, and a better estimate of log p(x) than the ELBO, means over uint8 images (n, rows, columns): by
    quadrature for d ≤ 2, the importance-weighted bound otherwise.

    Args:
        tolerance: error of the quadrature, nats per image.
        samples: draws of z for the importance-weighted bound.
    """
    normalised = model.spec.settings.normalised_likelihood
    if model.latent_dim > 2:
        losses, bounds = evaluate_bounds(model, images, labels, samples, seed)
        weighted = bounds.importance_weighted.mean().item()
        return losses, Likelihoods(normalised=normalised, importance_weighted=weighted, samples=samples)
    losses, bounds = evaluate_bounds(model, images, labels, ELBO_SAMPLES, seed)
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
