"""What a trained model makes of images and of latent positions."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentlab.models.inputs import EVALUATION_BATCH, map_batches, split_batches, to_pixels
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.objective import log_normal
from latentlab.models.quadrature import TOLERANCE, Posteriors, choose_grid, integrate_posteriors

# Of the integration that gives the posteriors of a model without an encoder: nats per image, and units of z.
CODE_TOLERANCE, MIN_CODE_STEP = 0.05, 0.025
MAX_SHOWN = 12  # classes of which pictures show an image


class Integrated(NamedTuple):
    """The true posteriors of images, by quadrature."""

    posteriors: Posteriors
    error: float
    """Of log p(x), the mean over images, nats (`choose_grid`)."""


@torch.no_grad()
def encode_images(model: LatentModel, images: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """The codes of uint8 images (n, rows, columns).

    Returns:
        `codes` (n, d): the mean of the encoder's Gaussian, its point, or without an encoder the mode of p(z|x). Of a
        VAE also `log_var` (n, d); without an encoder the moments of p(z|x), `mean` (n, d) and `covariance` (n, d, d).
    """
    if not isinstance(model, Autoencoder):
        x = to_pixels(images)
        grid, _ = choose_grid(model, x, labels, CODE_TOLERANCE, MIN_CODE_STEP)
        return _codes_of_posteriors(model, x, labels, integrate_posteriors(model, x, labels, grid), grid.step)

    def encode(images: Tensor, y: Tensor) -> Tensor:
        return torch.cat([numbers for numbers in model.encode(to_pixels(images), y) if numbers is not None], dim=1)

    numbers = map_batches(encode, images, labels).split(model.latent_dim, dim=1)
    names = ("codes", "log_var")[: len(numbers)]
    return {name: part.contiguous().numpy() for name, part in zip(names, numbers, strict=True)}


def integrate_images(model: LatentModel, x: Tensor, labels: Tensor, tolerance: float = TOLERANCE) -> Integrated:
    """The posteriors of pixels x (n, P); d ≤ 2."""
    grid, error = choose_grid(model, x, labels, tolerance)
    return Integrated(integrate_posteriors(model, x, labels, grid), error)


def encode_and_integrate(
    model: LatentModel, images: Tensor, labels: Tensor, x: Tensor, x_labels: Tensor, tolerance: float = TOLERANCE
) -> tuple[dict[str, np.ndarray], Integrated]:
    """The codes of uint8 images (n, rows, columns), as `encode_images` gives them, and the posteriors of pixels x
    (m, P), of a model without an encoder. Decoding its plane takes longest, so this is done once for both, unless x
    needs a finer grid than codes do."""
    grid, error = choose_grid(model, x, x_labels, tolerance)
    code_grid = grid._replace(step=max(grid.step, MIN_CODE_STEP))
    sizes = [len(images), len(x)]
    # Filled batch by batch: the pixels of all images take much memory, and copies of them as much again.
    together = x.new_empty(sum(sizes), x.shape[1])
    pixels, _ = together.split(sizes)
    for part, batch in split_batches(EVALUATION_BATCH, pixels, images):
        part.copy_(to_pixels(batch))
    if code_grid == grid:
        together[len(images) :] = x
        posteriors = integrate_posteriors(model, together, torch.cat([labels, x_labels]), grid)
        of_images, of_x = (
            Posteriors(*parts) for parts in zip(*(values.split(sizes) for values in posteriors), strict=True)
        )
    else:
        of_images = integrate_posteriors(model, pixels, labels, code_grid)
        of_x = integrate_posteriors(model, x, x_labels, grid)
    return _codes_of_posteriors(model, pixels, labels, of_images, code_grid.step), Integrated(of_x, error)


def _codes_of_posteriors(
    model: LatentModel, x: Tensor, labels: Tensor, posteriors: Posteriors, step: float
) -> dict[str, np.ndarray]:
    """What `encode_images` returns of pixels x (n, P), from their posteriors on a grid with steps `step`."""
    modes = refine_modes(model, x, labels, posteriors.mode, step / 2)
    arrays = {"codes": modes, "mean": posteriors.mean, "covariance": posteriors.covariance}
    return {name: values.numpy() for name, values in arrays.items()}


@torch.no_grad()
def refine_modes(model: LatentModel, x: Tensor, labels: Tensor, modes: Tensor, step: float) -> Tensor:
    """Modes of p(z|x) of pixels x (n, P), from the positions of a grid with the highest densities, `modes` (n, d):
    along each dimension the maximum of the parabola through three densities `step` apart, where that raises the
    density."""

    def refine(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        def log_density(z: Tensor) -> Tensor:
            return model.likelihood.log_prob(x, model.decode(z, y)) + log_normal(z)

        centre, moved = log_density(z), z.clone()
        for i, unit in enumerate(step * torch.eye(model.latent_dim)):
            above, below = log_density(z + unit), log_density(z - unit)
            move = 0.5 * (above - below) / (2 * centre - above - below).clamp(min=1e-6)
            moved[:, i] += step * move.clamp(-1, 1)
        return torch.where((log_density(moved) > centre)[:, None], moved, z)

    return map_batches(refine, x, labels, modes)


@torch.no_grad()
def decode_latents(
    model: LatentModel, z: np.ndarray | Tensor, label: int | np.ndarray | Tensor | None = None
) -> np.ndarray:
    """Pixels in [0, 1], (n, P), decoded at latent positions z (n, d).

    Args:
        label: for a conditional model, one label for all positions or one for each, (n,).
    """
    z = torch.as_tensor(z)
    y = torch.as_tensor(0 if label is None else label).expand(len(z))
    return reconstruct(model, z, y).clamp_(0, 1).numpy()


@torch.no_grad()
def axis_effects(model: LatentModel, step: float = 0.1) -> dict[str, np.ndarray]:
    """What an unconditional decoder draws at z = 0, and what each latent dimension adds there.

    Args:
        step: of the central differences, units of z; of a linear decoder they are the weights, whatever the step.

    Returns:
        `origin`, pixels in [0, 1], `(P,)`; `effects`, change of the decoder's output, before a sigmoid, per unit of z,
        `(d, P)`.
    """
    steps = step * torch.eye(model.latent_dim)
    effects = (model.decode(steps) - model.decode(-steps)) / (2 * step)
    return {"origin": decode_latents(model, torch.zeros(1, model.latent_dim))[0], "effects": effects.numpy()}


@torch.no_grad()
def decoder_slopes(model: LatentModel, z: np.ndarray | Tensor, step: float = 0.005) -> np.ndarray:
    """‖∂x/∂z‖ of an unconditional decoder at positions z (n, d): the root of the squared derivatives of the pixels,
    summed over pixels and latent dimensions, (n,).

    Args:
        step: of the central differences, units of z.
    """
    z = torch.as_tensor(z)
    squares = np.zeros(len(z))
    for unit in step * torch.eye(model.latent_dim):
        squares += np.square((decode_latents(model, z + unit) - decode_latents(model, z - unit)) / (2 * step)).sum(1)
    return np.sqrt(squares)


@torch.no_grad()
def reconstruct(model: LatentModel, codes: np.ndarray | Tensor, labels: Tensor) -> Tensor:
    """Reconstructions (n, P) of images, decoded from their codes (n, d) (`encode_images`). Those of a linear output may
    leave [0, 1]."""
    return map_batches(lambda z, y: model.likelihood.pixels(model.decode(z, y)), torch.as_tensor(codes), labels)


def first_of_each_class(labels: Tensor, n_classes: int) -> Tensor:
    """The index of the first image of each class, (n_classes,), but of the first `MAX_SHOWN` classes only: more images
    beside each other would be too small on a page."""
    return torch.stack([(labels == label).nonzero()[0, 0] for label in range(min(n_classes, MAX_SHOWN))])


@torch.no_grad()
def reconstructions_and_samples(
    model: LatentModel, images: Tensor, labels: Tensor, codes: np.ndarray | Tensor, seed: int = 0
) -> np.ndarray:
    """Pixels in [0, 1], (4n, P), in four rows: uint8 images (n, rows, columns), their reconstructions from their codes
    (n, d), and two rows of samples from the prior, those of a conditional model with the images' labels."""
    torch.manual_seed(seed)
    rows = [to_pixels(images).numpy(), reconstruct(model, codes, labels).clamp(0, 1).numpy()]
    rows += [decode_latents(model, torch.randn(len(labels), model.latent_dim), labels) for _ in range(2)]
    return np.concatenate(rows)
