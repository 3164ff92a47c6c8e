"""log p(x) by numerical integration over a latent space of one or two dimensions.

The joint p(x, z) of each image is first computed at the centres of coarse cells, as one matrix product of images and
decoded positions. Most of the plane holds next to nothing of an image's posterior, so only the tiles of coarse cells
where that is largest are divided into fine cells, which are summed. All values are in nats per image.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from latentlab.models.inputs import EVALUATION_BATCH, map_batches, split_batches
from latentlab.models.likelihoods import PositionTerms
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.objective import UNDERFLOW, log_normal, log_sum_exp
from latentlab.models.precision import autocast, bfloat16_instructions

TOLERANCE = 0.005  # nats per image
WIDEST_STEP, MIN_STEP = 0.4, 0.003  # between neighbouring fine positions, in units of z
# With Fourier features posteriors are so narrow that a smaller error, or finer steps than this, would take minutes.
FOURIER_TOLERANCE, MIN_FOURIER_STEP = 0.03, 0.0125
MIN_OUTER_STEP = 0.05  # where the range is doubled: it is only asked whether anything lies there
REFINEMENT = 3  # fine cells along the side of a coarse cell; with 5, narrow posteriors of Fourier features are missed
# Farther than this from 0, in the tails of the prior, most of the plane lies but few images have posteriors. There
# coarse cells are divided into fewer fine ones.
TAIL_DISTANCE, TAIL_REFINEMENT = 4.0, 2
TILE = 3  # coarse cells along the side of a tile
CUTOFF = 12.0  # a tile whose density is below e^-12 of an image's highest is left out
PRIOR_LIMIT, MAX_LIMIT = 5.0, 25.0  # of the distance from 0; the prior's mass beyond 5 is below 1e-5
EXACT_LIMIT = 7.0  # without an encoder, where unusual images may have their posteriors far outside
ENCODER_STDS = 5  # of each image's q(z|x) that are covered
TILE_BLOCK, IMAGE_BLOCK = 100, 2000  # at a time: their products stay in the cache
DECODED_TILES = 6  # of fine cells, decoded at a time
LOWEST = -1e9  # nats: no joint is lower that counts
CHECKED_IMAGES = 100  # on which a grid is chosen and its error is estimated


class LatentGrid(NamedTuple):
    """Where log p(x, z) is computed, in units of z."""

    step: float
    """Distance of neighbouring positions where an image's posterior lies; larger in the tails of the prior."""
    limit: float
    """Positions within this distance of 0 are covered."""
    inner: float = 0.0
    """The tiles that a grid with this limit has are left out."""


class JointBlock(NamedTuple):
    """log p(x, z) + log v of n images in the G fine cells of a tile, with centres z and equal volumes v."""

    images: Tensor
    """Indices of the images, (n,)."""
    z: Tensor
    """(G, d)."""
    log_joint: Tensor
    """(n, G) nats."""
    step: float
    """The side of the cells."""


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
def quadrature_log_likelihood(
    model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid, inner: Tensor | None = None
) -> Tensor:
    """log p(x), or log p(x|y) of a conditional model, by the midpoint rule: (B,) nats, for x (B, P) and d ≤ 2.

    For smooth integrands that vanish at the ends of the range the rule converges faster than any power of the step.

    Args:
        inner: log p(x) by the range that the grid leaves out, (B,) nats, which the result then holds as well.

    Raises:
        ValueError: d > 2.
    """
    log_likelihood = torch.full((len(x),), -math.inf) if inner is None else inner.clone()
    for block in joint_blocks(model, x, y, grid, inner):
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
    for images, z, log_joint, step in joint_blocks(model, x, y, grid):
        log_mass = log_sum_exp(log_joint, dim=1)
        total = torch.logaddexp(log_likelihood[images], log_mass)
        weights = (log_joint - total[:, None]).clamp_(min=UNDERFLOW).exp_()
        log_prob = log_joint - log_mass_of_cells(z, step)
        block_moments = torch.cat(
            [
                weights.sum(1, keepdim=True),
                (weights * log_prob).sum(1, keepdim=True),
                weights @ z,
                weights @ (z[:, :, None] * z[:, None]).flatten(1),
            ],
            dim=1,
        )
        moments[images] = moments[images] * (log_likelihood[images] - total).exp()[:, None] + block_moments
        log_likelihood[images] = total
        largest, position = log_joint.max(dim=1)
        larger = largest > highest[images]
        highest[images[larger]], mode[images[larger]] = largest[larger], z[position[larger]]
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

    The error is the mean absolute change of an image's log p(x) when the resolution is doubled, and that when the range
    is, added, in nats. It is estimated on at most `CHECKED_IMAGES` images, of a single label if the model is
    conditional, so that the plane is decoded under one label only. The step is halved, but not below `min_step`, until
    the first of these is below the tolerance; both have lower limits for a decoder with Fourier features.
    """
    if model.spec.settings.fourier_features:
        tolerance, min_step = max(tolerance, FOURIER_TOLERANCE), max(min_step, MIN_FOURIER_STEP)
    limit = latent_limit(model, x, y)
    if model.conditional and y is not None:
        x, y = x[y == y[0]], y[y == y[0]]
    x, y = x[:CHECKED_IMAGES], None if y is None else y[:CHECKED_IMAGES]

    @cache
    def integrate(step: float) -> Tensor:
        return quadrature_log_likelihood(model, x, y, LatentGrid(step, limit))

    def error_of(step: float) -> float:
        return (integrate(step / 2) - integrate(step)).abs().mean().item()

    step = WIDEST_STEP
    while (error := error_of(step)) >= tolerance and step > min_step:
        step = max(step / 2, min_step)
    outer = LatentGrid(max(step, MIN_OUTER_STEP), 2 * limit, inner=limit)
    inner = integrate(step / 2)
    error += (quadrature_log_likelihood(model, x, y, outer, inner) - inner).mean().item()
    return LatentGrid(step, limit), error


@torch.no_grad()
def latent_limit(model: LatentModel, x: Tensor, y: Tensor | None = None) -> float:
    """The distance from 0 within which the prior lies and, of a model with an encoder, its Gaussians of images x
    (B, P), at most `MAX_LIMIT`. A model with a small β places its codes far outside the prior."""
    if not isinstance(model, Autoencoder):
        return EXACT_LIMIT
    labels = torch.zeros(len(x), dtype=torch.int64) if y is None else y
    reach = PRIOR_LIMIT
    for batch, batch_labels in split_batches(EVALUATION_BATCH, x, labels):
        mean, log_var = model.encode(batch, batch_labels)
        std = 0.0 if log_var is None else (0.5 * log_var).exp().amax(dim=1)
        reach = max(reach, (mean.norm(dim=1) + ENCODER_STDS * std).max().item())
    return min(reach, MAX_LIMIT)


@torch.no_grad()
def joint_blocks(
    model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid, inner: Tensor | None = None
) -> Iterator[JointBlock]:
    """The joint of images x (B, P) and latent positions, d ≤ 2, wherever it matters to the integral of an image.

    Args:
        inner: see `quadrature_log_likelihood`; beside it fewer positions matter.

    Raises:
        ValueError: d > 2.
    """
    if model.latent_dim > 2:
        raise ValueError(f"quadrature needs at most two latent dimensions, not {model.latent_dim}")
    labels = torch.as_tensor(y) if model.conditional else torch.zeros(len(x), dtype=torch.int64)
    tiles = tile_centres(model.latent_dim, TILE * REFINEMENT * grid.step, grid.limit, grid.inner)
    for label in labels.unique().tolist():
        heavy, images = heavy_tiles(model, x, (labels == label).nonzero()[:, 0], label, tiles, grid.step, inner)
        for block, z, step in fine_cells(heavy, grid.step):
            terms = (values.unflatten(0, z.shape[:2]) for values in joint_terms(model, z.flatten(0, 1), label, step))
            for i, positions, weights, offset in zip(block, z, *terms, strict=True):
                log_joint = model.likelihood.log_prob_matrix(x[images[i]], PositionTerms(weights, offset))
                yield JointBlock(images[i], positions, log_joint, step)


def fine_cells(tiles: Tensor, step: float) -> Iterator[tuple[list[int], Tensor, float]]:
    """Tiles with centres `tiles` (T, d), divided into fine cells with sides `step`, larger in the tails of the prior:
    the indices of up to `DECODED_TILES` tiles, the centres of their cells (n, G, d), and the side of these."""
    in_tails = tiles.norm(dim=1) > TAIL_DISTANCE
    for chosen, refinement in ((~in_tails, REFINEMENT), (in_tails, TAIL_REFINEMENT)):
        side = REFINEMENT * step / refinement
        cells = cell_centres(tiles.shape[1], TILE * refinement, side)
        indices = chosen.nonzero()[:, 0].tolist()
        for start in range(0, len(indices), DECODED_TILES):
            block = indices[start : start + DECODED_TILES]
            yield block, tiles[block, None] + cells, side


def heavy_tiles(
    model: LatentModel,
    x: Tensor,
    images: Tensor,
    label: int,
    tiles: Tensor,
    step: float,
    inner: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Those of the tiles with centres `tiles` (T, d) that have some mass of an image with this label, (H, d), and for
    each of them the images that it matters to: some of the indices `images` (n,) of x (B, P), which have log p(x) of
    `inner` (B,) without these tiles."""
    cells = cell_centres(model.latent_dim, TILE, REFINEMENT * step)
    highest = torch.full((len(x),), -math.inf) if inner is None else inner.clone()
    found: list[tuple[Tensor, Tensor, Tensor]] = []  # image, tile and the highest density of the image in the tile
    for block in torch.arange(len(tiles)).split(TILE_BLOCK):
        z = (cells[:, None] + tiles[block]).flatten(0, 1)
        with fast_products(model):
            terms = joint_terms(model, z, label, step)
        for rows in images.split(IMAGE_BLOCK):
            with fast_products(model):
                log_joint = model.likelihood.log_prob_matrix(x[rows], terms)
            density = log_joint.view(len(rows), len(cells), -1).amax(dim=1)
            highest[rows] = torch.maximum(highest[rows], density.amax(dim=1))
            image, tile = (density > highest[rows, None] - CUTOFF).nonzero(as_tuple=True)
            found.append((rows[image], block[tile], density[image, tile]))
        image, tile, density = (torch.cat(parts) for parts in zip(*found, strict=True))
        heavy = density > highest[image] - CUTOFF  # in each pass: to keep what better tiles outweigh takes much memory
        found = [(image[heavy], tile[heavy], density[heavy])]
    ((image, tile, _),) = found
    order = tile.argsort(stable=True)
    indices, counts = tile[order].unique_consecutive(return_counts=True)
    return tiles[indices], list(image[order].split(counts.tolist()))


def fast_products(model: LatentModel) -> torch.autocast:
    """The context in which products are fast and good enough to find where p(x, z) is large: in bfloat16 if the
    processor multiplies that, and the likelihood allows it."""
    fast = model.likelihood.bfloat16_products and bfloat16_instructions() is not None
    return autocast("bfloat16" if fast else "float32")


def joint_terms(model: LatentModel, z: Tensor, label: int, step: float) -> PositionTerms:
    """The terms with which `likelihood.log_prob_matrix` gives log p(x, z) and the log volume of a cell with sides
    `step`, for z (G, d), decoded with one label."""
    weights, offset = model.likelihood.position_terms(decode_positions(model, z, label))
    return PositionTerms(weights, offset + log_mass_of_cells(z, step))


def log_mass_of_cells(z: Tensor, step: float) -> Tensor:
    """log p(z) v of cells with centres z (G, d) and sides `step`, (G,)."""
    return log_normal(z) + z.shape[1] * math.log(step)


def tile_centres(latent_dim: int, side: float, limit: float, inner: float = 0.0) -> Tensor:
    """Centres (T, d) of tiles with sides `side` that cover all positions within the distance `limit` of 0, those
    closest to 0 first; without those that cover the distance `inner`."""
    centres = cell_centres(latent_dim, 2 * math.ceil(limit / side), side)
    distance, radius = centres.norm(dim=1), side / 2 * latent_dim**0.5
    order = distance.argsort(stable=True)
    covered = (distance < limit + radius) & ((distance >= inner + radius) | (inner == 0))
    return centres[order[covered[order]]]


def cell_centres(latent_dim: int, count: int, side: float) -> Tensor:
    """Centres (count^d, d), around 0, of cells with sides `side`."""
    axis = (torch.arange(count) - (count - 1) / 2) * side
    return torch.cartesian_prod(*[axis] * latent_dim).view(-1, latent_dim)


@torch.no_grad()
def decode_positions(model: LatentModel, z: Tensor, label: int | None = None) -> Tensor:
    """The decoder's outputs (G, P) at positions z (G, d), all with one label."""
    y = torch.full((len(z),), label or 0, device=z.device)
    return map_batches(model.decode, z, y)
