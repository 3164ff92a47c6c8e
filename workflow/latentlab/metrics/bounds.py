"""Losses, and estimates of log p(x), of images that a model was not trained on; nats per image.

With one or two latent dimensions quadrature gives log p(x) itself; bounds hold for any number of them. Functions are
given pixels (n, P) as the model sees them (`evaluated_pixels`).
"""

import torch
from torch import Tensor

from latentlab.models.inference import Integrated, integrate_images
from latentlab.models.inputs import EVALUATION_BATCH, model_input, split_batches, to_pixels
from latentlab.models.networks import VAE, Autoencoder, LatentModel
from latentlab.models.objective import Bounds
from latentlab.models.quadrature import TOLERANCE, choose_grid, quadrature_log_likelihood
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
    integrated: Integrated | None = None,
) -> tuple[Losses, Likelihoods | None]:
    """The terms of the loss and the errors of the reconstructions, and of a model with a prior the best estimate of
    log p(x) that there is; means over uint8 images (n, rows, columns).

    Args:
        reconstructions: of the images, (n, P), decoded from their codes (`inference.reconstruct`).
        tolerance: error of the quadrature, nats per image.
        samples: draws of z for the importance-weighted bound.
        integrated: the posteriors of `evaluated_pixels`, of a model without an encoder; computed if left out.
    """
    x = evaluated_pixels(model, images, seed)
    if isinstance(model, VAE):
        bounds, likelihood = estimate_likelihood(model, x, labels, tolerance, samples)
        terms = loss_terms(bounds)
    elif isinstance(model, Autoencoder):
        terms, likelihood = mean_terms(model, x, labels), None
    else:
        terms, likelihood = exact_likelihood(model, integrated or integrate_images(model, x, labels, tolerance))
    return measure_losses(model, images, x, reconstructions, terms), likelihood


def measure_losses(
    model: LatentModel, images: Tensor, x: Tensor, reconstructions: Tensor, terms: dict[str, float]
) -> Losses:
    """The terms of the loss, and the errors of the reconstructions (n, P) of uint8 images (n, rows, columns).

    Args:
        x: the pixels that the terms were computed of, (n, P).
    """
    floor = reconstruction_floor(model, x)
    return Losses(**terms, reconstruction_floor=floor, **squared_errors(images, reconstructions))


@torch.no_grad()
def mean_terms(model: Autoencoder, x: Tensor, labels: Tensor) -> dict[str, float]:
    """The means of `evaluation_terms` over pixels x (n, P), nats."""
    sums: dict[str, float] = {}
    for batch, y in split_batches(EVALUATION_BATCH, x, labels):
        for name, values in model.evaluation_terms(batch, y).items():
            sums[name] = sums.get(name, 0.0) + values.double().sum().item()
    return {name: total / len(x) for name, total in sums.items()}


def loss_terms(bounds: Bounds) -> dict[str, float]:
    """The terms of the negated ELBO, and their sum; means over images, nats."""
    reconstruction, kl = bounds.reconstruction.mean().item(), bounds.kl.mean().item()
    return {"reconstruction": reconstruction, "kl": kl, "negative_elbo": reconstruction + kl}


def exact_likelihood(model: LatentModel, integrated: Integrated) -> tuple[dict[str, float], Likelihoods]:
    """log p(x) of a model whose posteriors are known, and the terms of the identity
    −log p(x) = E[−log p(x|z)] + KL(p(z|x) ‖ p(z)), in which no bound is involved; means over the images, nats."""
    posteriors = integrated.posteriors
    log_likelihood, kl = (values.double().mean().item() for values in (posteriors.log_likelihood, posteriors.kl))
    normalised = model.spec.settings.normalised_likelihood
    likelihoods = Likelihoods(normalised=normalised, log_likelihood=log_likelihood, quadrature_error=integrated.error)
    return {"reconstruction": -log_likelihood - kl, "kl": kl}, likelihoods


def evaluate_bounds(model: VAE, x: Tensor, labels: Tensor, samples: int = BOUND_SAMPLES) -> Bounds:
    """The bounds on log p(x) of each image of x (n, P), from `samples` draws of z for each."""
    batches = [
        log_likelihood_bounds(model, batch, y, samples) for batch, y in split_batches(EVALUATION_BATCH, x, labels)
    ]
    return Bounds(*(torch.cat(values).double() for values in zip(*batches, strict=True)))


def evaluated_pixels(model: LatentModel, images: Tensor, seed: int = 0) -> Tensor:
    """The pixels (n, P) that a model is evaluated on, of uint8 images. Seeds torch, so that all estimates are of the
    same binary pixels."""
    torch.manual_seed(seed)
    return model_input(images, model.spec.settings)


def reconstruction_floor(model: LatentModel, x: Tensor) -> float:
    """The mean over pixels (n, P) of the least −log p(x|z) that any decoder could reach."""
    return -model.likelihood.max_log_prob(x).double().mean().item()


def squared_errors(images: Tensor, reconstructions: Tensor) -> dict[str, float]:
    """Means of (x − x̂)² per pixel and channel, x̂ being the reconstruction of x; see `Losses`."""
    x = to_pixels(images)
    squares = (reconstructions - x).square_()
    error = squares.mean(dtype=torch.float64).item()
    parts = {"background_error": squares[x == 0], "ink_error": squares[x > 0]}
    means = {name: values.mean(dtype=torch.float64).item() if len(values) else 0.0 for name, values in parts.items()}
    return {"squared_error": error, "root_squared_error": error**0.5, **means}


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
    model: VAE, x: Tensor, labels: Tensor, tolerance: float = TOLERANCE, samples: int = BOUND_SAMPLES
) -> tuple[Bounds, Likelihoods]:
    """The bounds on log p(x) of each image of x (n, P), and a better estimate of their mean than the ELBO: by
    quadrature for d ≤ 2, the importance-weighted bound otherwise.

    Args:
        tolerance: error of the quadrature, nats per image.
        samples: draws of z for the importance-weighted bound.
    """
    normalised = model.spec.settings.normalised_likelihood
    if model.latent_dim > 2:
        bounds = evaluate_bounds(model, x, labels, samples)
        weighted = bounds.importance_weighted.mean().item()
        return bounds, Likelihoods(normalised=normalised, importance_weighted=weighted, samples=samples)
    bounds = evaluate_bounds(model, x, labels, ELBO_SAMPLES)
    grid, error = choose_grid(model, x, labels, tolerance)
    log_likelihood = quadrature_log_likelihood(model, x, labels, grid).double()
    gap = log_likelihood - bounds.elbo
    return bounds, Likelihoods(
        normalised=normalised,
        log_likelihood=log_likelihood.mean().item(),
        gap=gap.mean().item(),
        median_gap=gap.median().item(),
        quadrature_error=error,
    )
