"""log p(x) by numerical integration over a latent space of one or two dimensions.

The joint p(x, z) of each image is first computed at the centres of coarse cells, as one matrix product of images and
decoded positions. Most of the plane holds next to nothing of an image's posterior, so only those tiles of coarse cells
that hold more are divided into fine ones. All values are in nats per image.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from latentlab.models.inputs import EVALUATION_BATCH, split_batches
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.objective import UNDERFLOW, log_normal, log_sum_exp

TOLERANCE = 0.005  # nats per image
WIDEST_STEP, MIN_STEP = 0.4, 0.002  # between neighbouring fine positions, in units of z
MIN_EXACT_STEP = 0.0125  # the same without an encoder: such posteriors are so narrow that finer grids take minutes
REFINEMENT = 5  # fine cells along the side of a coarse cell
TILE = 2  # coarse cells along the side of a tile
CUTOFF = 20.0  # a tile with e^-20 of the mass of an image's heaviest tile needs no fine cells
PRIOR_LIMIT, MAX_LIMIT = 5.0, 25.0  # of the range of each axis; the prior's mass beyond ±5 is below 1e-6
ENCODER_STDS = 5  # of each image's q(z|x) that the range holds
TILE_BLOCK, IMAGE_BLOCK = 500, 1000  # at a time: their products stay in the cache
MASSES = 60_000_000  # of tiles of images that are held in memory; the plane is decoded again for the next images
LOWEST = -1e9  # nats: no joint is lower that counts
CHECKED_IMAGES = 200  # on which a grid is chosen and its error is estimated


class LatentGrid(NamedTuple):
    """Where log p(x, z) is computed, in units of z."""

    step: float
    """Distance of neighbouring positions where an image's posterior lies."""
    limit: float
    """The range of each axis is [−limit, limit], or a little wider."""


class JointBlock(NamedTuple):
    """log p(x, z) + log v of n images in G cells with centres z and volumes v."""

    images: Tensor
    """Indices of the images, (n,)."""
    z: Tensor
    """(G, d)."""
    log_joint: Tensor
    """(n, G) nats; −inf for a cell of which finer ones follow in another block."""
    log_volume: float
    """log v."""


class Posteriors(NamedTuple):
    """p(z|x) of n images."""

    log_likelihood: Tensor
    """log p(x), (n,) nats."""
    mode: Tensor
    """The position of the highest density, (n, d)."""
    mean: Tensor
    """(n, d)."""
    covariance: Tensor
    """(n, d, d)."""
    kl: Tensor
    """KL(p(z|x) ‖ p(z)), (n,) nats."""


@torch.no_grad()
def quadrature_log_likelihood(model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid) -> Tensor:
    """log p(x), or log p(x|y) of a conditional model, by the midpoint rule: (B,) nats, for x (B, P) and d ≤ 2.

    For smooth integrands that vanish at the ends of the range the rule converges faster than any power of the step.

    Raises:
        ValueError: d > 2.
    """
    log_likelihood = torch.full((len(x),), -math.inf)
    for block in joint_blocks(model, x, y, grid):
        log_mass = log_sum_exp(block.log_joint, dim=1)
        log_likelihood[block.images] = torch.logaddexp(log_likelihood[block.images], log_mass)
    return log_likelihood


@torch.no_grad()
def integrate_posteriors(model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid) -> Posteriors:
    """The posteriors of images x (B, P) and log p(x), or log p(x|y), by the midpoint rule; d ≤ 2.

    Raises:
        ValueError: d > 2.
    """
    n, d = len(x), model.latent_dim
    log_likelihood, highest = torch.full((2, n), LOWEST)
    mode, moments = torch.zeros(n, d), torch.zeros(n, 2 + d + d * d)  # of 1, log p(x|z), z and z zᵀ
    for images, z, log_joint, log_volume in joint_blocks(model, x, y, grid):
        log_mass = log_sum_exp(log_joint, dim=1)
        total = torch.logaddexp(log_likelihood[images], log_mass)
        weights = (log_joint - total[:, None]).clamp_(min=UNDERFLOW).exp_()
        log_prob = log_joint - (log_normal(z) + log_volume)
        block_moments = torch.cat(
            [
                weights.sum(1, keepdim=True),
                (weights * log_prob.clamp_(min=LOWEST)).sum(1, keepdim=True),
                weights @ z,
                weights @ (z[:, :, None] * z[:, None]).flatten(1),
            ],
            dim=1,
        )
        moments[images] = moments[images] * (log_likelihood[images] - total).exp()[:, None] + block_moments
        log_likelihood[images] = total
        density, position = (log_joint - log_volume).max(dim=1)
        higher = density > highest[images]
        highest[images[higher]], mode[images[higher]] = density[higher], z[position[higher]]
    moments = moments / moments[:, :1]  # which is not quite 1, and large values of log p(x|z) would multiply the error
    log_prob, mean, products = moments[:, 1], moments[:, 2 : 2 + d], moments[:, 2 + d :].view(n, d, d)
    covariance = products - mean[:, :, None] * mean[:, None]
    return Posteriors(log_likelihood, mode, mean, covariance, kl=log_prob - log_likelihood)


def choose_grid(
    model: LatentModel,
    x: Tensor,
    y: Tensor | None = None,
    tolerance: float = TOLERANCE,
    min_step: float = MIN_STEP,
) -> tuple[LatentGrid, float]:
    """The coarsest grid that integrates images like x (B, P) to the tolerance, and its error.

    The error is the mean absolute change of an image's log p(x) when both the resolution and the range are doubled, in
    nats. It is estimated on at most `CHECKED_IMAGES` images, of a single label if the model is conditional, so that the
    plane is decoded under one label only. The step is halved until the error is below the tolerance, or until the step
    would be smaller than `min_step`.
    """
    limit = latent_limit(model, x, y)
    if model.conditional and y is not None:
        x, y = x[y == y[0]], y[y == y[0]]
    x, y = x[:CHECKED_IMAGES], None if y is None else y[:CHECKED_IMAGES]
    grid = LatentGrid(WIDEST_STEP, limit)
    log_likelihood = quadrature_log_likelihood(model, x, y, grid)
    while True:
        finer = quadrature_log_likelihood(model, x, y, LatentGrid(grid.step / 2, 2 * limit))
        error = (finer - log_likelihood).abs().mean().item()
        if error < tolerance or grid.step < 2 * min_step:
            return grid, error
        grid, log_likelihood = LatentGrid(grid.step / 2, limit), finer


@torch.no_grad()
def latent_limit(model: LatentModel, x: Tensor, y: Tensor | None = None) -> float:
    """The range ±limit of each axis that holds the prior and, of a model with an encoder, its Gaussians of images
    x (B, P), at most `MAX_LIMIT`. A model with a small β places its codes far outside the prior."""
    if not isinstance(model, Autoencoder):
        return PRIOR_LIMIT
    labels = torch.zeros(len(x), dtype=torch.int64) if y is None else y
    reach = PRIOR_LIMIT
    for batch, batch_labels in split_batches(EVALUATION_BATCH, x, labels):
        mean, log_var = model.encode(batch, batch_labels)
        std = 0.0 if log_var is None else (0.5 * log_var).exp()
        reach = max(reach, (mean.abs() + ENCODER_STDS * std).max().item())
    return min(reach, MAX_LIMIT)


@torch.no_grad()
def joint_blocks(model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid) -> Iterator[JointBlock]:
    """The joint of images x (B, P) and latent positions, d ≤ 2. The cells of all blocks of an image that are not −inf
    cover the range without overlap.

    Raises:
        ValueError: d > 2.
    """
    if model.latent_dim > 2:
        raise ValueError(f"quadrature needs at most two latent dimensions, not {model.latent_dim}")
    labels = torch.as_tensor(y) if model.conditional else torch.zeros(len(x), dtype=torch.int64)
    tiles = tile_centres(model.latent_dim, TILE * REFINEMENT * grid.step, grid.limit)
    for label in labels.unique().tolist():
        for images in (labels == label).nonzero()[:, 0].split(max(1, MASSES // len(tiles))):
            yield from _refine(model, x, images, label, tiles, grid.step)


def _refine(
    model: LatentModel, x: Tensor, images: Tensor, label: int, tiles: Tensor, step: float
) -> Iterator[JointBlock]:
    """The blocks of images (n,) with one label: one of coarse tiles, then those of the tiles that are refined."""
    coarse_cells = cell_centres(model.latent_dim, TILE, REFINEMENT * step)
    mass = torch.empty(len(images), len(tiles))
    for columns in torch.arange(len(tiles)).split(TILE_BLOCK):
        z = (tiles[columns, None] + coarse_cells).flatten(0, 1)
        output = decode_positions(model, z, label)
        for rows in torch.arange(len(images)).split(IMAGE_BLOCK):
            log_joint = _log_joint(model, x[images[rows]], z, output, REFINEMENT * step)
            cells = log_joint.view(len(rows), len(columns), -1)
            mass[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = log_sum_exp(cells, dim=2)
    heavy = mass > mass.amax(dim=1, keepdim=True) - CUTOFF
    log_volume = model.latent_dim * math.log(REFINEMENT * step)
    yield JointBlock(images, tiles, mass.masked_fill_(heavy, -math.inf), log_volume)

    fine_cells = cell_centres(model.latent_dim, TILE * REFINEMENT, step)
    for tile in heavy.any(dim=0).nonzero()[:, 0]:
        z = tiles[tile] + fine_cells
        output = decode_positions(model, z, label)
        selected = images[heavy[:, tile]]
        log_volume = model.latent_dim * math.log(step)
        yield JointBlock(selected, z, _log_joint(model, x[selected], z, output, step), log_volume)


def _log_joint(model: LatentModel, x: Tensor, z: Tensor, output: Tensor, step: float) -> Tensor:
    """log p(x, z) and the log volume of a cell with sides `step`, (B, G) nats, for z (G, d) and its decoded output."""
    log_mass = log_normal(z) + z.shape[1] * math.log(step)
    return model.likelihood.log_prob_matrix(x, output) + log_mass


def tile_centres(latent_dim: int, side: float, limit: float) -> Tensor:
    """Centres (T, d) of tiles with sides `side` that cover [−limit, limit]^d."""
    return cell_centres(latent_dim, 2 * math.ceil(limit / side), side)


def cell_centres(latent_dim: int, count: int, side: float) -> Tensor:
    """Centres (count^d, d), around 0, of cells with sides `side`."""
    axis = (torch.arange(count) - (count - 1) / 2) * side
    return torch.cartesian_prod(*[axis] * latent_dim).view(-1, latent_dim)


@torch.no_grad()
def decode_positions(model: LatentModel, z: Tensor, label: int | None = None) -> Tensor:
    """The decoder's outputs (G, P) at positions z (G, d), all with one label."""
    y = torch.full((len(z),), label or 0, device=z.device)
    return torch.cat([model.decode(*batch) for batch in split_batches(EVALUATION_BATCH, z, y)])
