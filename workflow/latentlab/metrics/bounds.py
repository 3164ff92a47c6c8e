"""Losses, and bounds on log p(x), of images that a model was not trained on; nats per image.

The bounds hold for any number of latent dimensions. With one or two, quadrature gives log p(x) itself.
"""

import torch
from torch import Tensor

from latentlab.metrics.quadrature import CHECKED_IMAGES, GRID_SIZE, quadrature_log_likelihood
from latentlab.models.inference import reconstruct
from latentlab.models.inputs import EVALUATION_BATCH, model_input, split_batches, to_pixels
from latentlab.models.networks import VAE, Autoencoder
from latentlab.models.train import sum_terms
from latentlab.records.metrics import Likelihoods, Losses

ELBO_SAMPLES = 10  # draws of z per image: the standard error of the mean over the test images is then below 0.05 nats


def evaluate_losses(model: Autoencoder, images: Tensor, labels: Tensor, seed: int = 0) -> Losses:
    """The terms of the loss and the reconstruction errors, means over uint8 images (n, rows, columns)."""
    torch.manual_seed(seed)
    samples = ELBO_SAMPLES if model.stochastic else 1
    sums = sum_terms(model, model.evaluation_terms, images, labels, samples)
    means = {name: float(total) / len(images) for name, total in sums.items()}
    if "kl" in means:
        means["negative_elbo"] = means["reconstruction"] + means["kl"]
    return Losses(**means, **squared_errors(model, images, labels))


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
    model: VAE, x: Tensor, y: Tensor | None = None, samples: int = 64, noise: Tensor | None = None
) -> Tensor:
    """The ELBO and the importance-weighted bound on log p(x), (2, B) nats, for x (B, P), from the same draws of z.

    Args:
        samples: draws of z for each image.
        noise: (samples, B, d), standard normal, in place of new draws: for bounds that are to be compared.
    """
    noise = torch.randn(samples, len(x), model.latent_dim) if noise is None else noise
    return torch.stack(model.log_likelihood_bounds(x, y, noise))


def elbo(model: VAE, x: Tensor, y: Tensor | None = None, samples: int = ELBO_SAMPLES) -> Tensor:
    """The ELBO of each image, (B,) nats, with the closed form of the KL term."""
    return log_likelihood_bounds(model, x, y, samples)[0]


def importance_weighted(model: VAE, x: Tensor, y: Tensor | None = None, samples: int = 64) -> Tensor:
    """The importance-weighted bound of each image, (B,) nats (Burda et al. 2016)."""
    return log_likelihood_bounds(model, x, y, samples)[1]


def compare_bounds(
    model: VAE, images: Tensor, labels: Tensor, grid_size: int = GRID_SIZE, seed: int = 0, samples: int = 64
) -> Likelihoods:
    """The ELBO beside better estimates of log p(x), means over uint8 images (n, rows, columns).

    Args:
        grid_size: positions per side of the quadrature, for d ≤ 2.
        samples: draws of z for the importance-weighted bound.
    """
    torch.manual_seed(seed)
    settings = model.spec.settings
    x = model_input(images, settings)
    batches = list(split_batches(EVALUATION_BATCH, x, labels))
    weighted = torch.cat([importance_weighted(model, x_batch, y_batch, samples) for x_batch, y_batch in batches])
    mean_elbo = _mean(torch.cat([elbo(model, x_batch, y_batch) for x_batch, y_batch in batches]))
    quadrature = _compare_quadrature(model, x, labels, grid_size, mean_elbo) if model.latent_dim <= 2 else {}
    return Likelihoods(
        elbo=mean_elbo,
        importance_weighted=_mean(weighted),
        samples=samples,
        normalised=settings.normalised_likelihood,
        **quadrature,
    )


def _compare_quadrature(model: VAE, x: Tensor, labels: Tensor, grid_size: int, mean_elbo: float) -> dict[str, float]:
    """The log-likelihood, its gap to the ELBO, and the error of the grid, checked on images of one label if the model
    is conditional."""
    log_likelihood = quadrature_log_likelihood(model, x, labels, grid_size)
    comparable = labels == labels[0] if model.conditional else torch.ones(len(x), dtype=torch.bool)
    checked = comparable.nonzero()[:CHECKED_IMAGES, 0]
    finer = quadrature_log_likelihood(model, x[checked], labels[checked], 2 * grid_size)
    mean = _mean(log_likelihood)
    return {
        "log_likelihood": mean,
        "gap": mean - mean_elbo,
        "grid_error": abs(_mean(finer - log_likelihood[checked])),
    }


def _mean(values: Tensor) -> float:
    return values.double().mean().item()
