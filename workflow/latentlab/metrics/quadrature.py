"""log p(x) by numerical integration over a latent space of one or two dimensions.

The decoder's outputs on a fine grid are computed once; one matrix product then gives the likelihood of every image at
every position. All values are in nats per image.
"""

import math

import torch
from torch import Tensor

from latentlab.metrics.grids import grid_axis, grid_points
from latentlab.models.inputs import EVALUATION_BATCH, split_batches
from latentlab.models.networks import Autoencoder
from latentlab.models.objective import log_normal

GRID_SIZE = 300  # positions per side
GRID_LIMIT = 5.0  # range of each axis; the prior's mass beyond it is below 1e-6
IMAGE_BLOCK, POSITION_BLOCK = 1000, 2000  # at a time: their product in float32, 8 MB, stays in the cache
CHECKED_IMAGES = 200  # images on which the grid's resolution is doubled to estimate the error


def latent_grid(latent_dim: int, size: int = GRID_SIZE, limit: float = GRID_LIMIT) -> tuple[Tensor, Tensor]:
    """Positions `(size^d, d)` of an even grid over [−limit, limit]^d, d ≤ 2, and the log of each cell's prior mass,
    `(size^d,)` nats.

    Raises:
        ValueError: d > 2.
    """
    if latent_dim > 2:
        raise ValueError(f"quadrature needs at most two latent dimensions, not {latent_dim}")
    axis = grid_axis(-limit, limit, size)
    z = torch.tensor(grid_points(axis, axis)) if latent_dim == 2 else torch.tensor(axis).float()[:, None]
    return z, log_normal(z) + latent_dim * math.log(axis[1] - axis[0])


@torch.no_grad()
def quadrature_log_likelihood(
    model: Autoencoder, x: Tensor, y: Tensor | None = None, size: int = GRID_SIZE, limit: float = GRID_LIMIT
) -> Tensor:
    """log p(x), or log p(x|y) of a conditional model, by the trapezoidal rule: (B,) nats, for x (B, P) and d ≤ 2.

    For smooth integrands that vanish at the ends of the grid the rule converges faster than any power of the step.
    """
    z, log_mass = latent_grid(model.latent_dim, size, limit)
    log_likelihood = torch.full((len(x),), -math.inf)
    labels = torch.as_tensor(y) if model.conditional else torch.zeros(len(x), dtype=torch.int64)
    for label in labels.unique().tolist():
        indices = (labels == label).nonzero()[:, 0]
        for z_block, log_mass_block in split_batches(POSITION_BLOCK, z, log_mass):
            output = decode_positions(model, z_block, label)
            for block in indices.split(IMAGE_BLOCK):
                log_joint = model.likelihood.log_prob_matrix(x[block], output) + log_mass_block
                log_likelihood[block] = torch.logaddexp(log_likelihood[block], torch.logsumexp(log_joint, dim=1))
    return log_likelihood


@torch.no_grad()
def decode_positions(model: Autoencoder, z: Tensor, label: int | None = None) -> Tensor:
    """The decoder's outputs (G, P) at positions z (G, d), all with one label."""
    y = torch.full((len(z),), label or 0)
    return torch.cat([model.decode(*batch) for batch in split_batches(EVALUATION_BATCH, z, y)])
