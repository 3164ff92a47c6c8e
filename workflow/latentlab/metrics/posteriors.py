"""True posteriors p(z|x) in a latent plane, beside the Gaussians q(z|x) of the encoder."""

import numpy as np
import torch
from torch import Tensor

from latentlab.metrics.bounds import elbo
from latentlab.metrics.grids import grid_axis, grid_points
from latentlab.metrics.quadrature import (
    CHECKED_IMAGES,
    GRID_LIMIT,
    GRID_SIZE,
    decode_positions,
    latent_grid,
    quadrature_log_likelihood,
)
from latentlab.models.inputs import model_input
from latentlab.models.networks import VAE
from latentlab.models.objective import log_normal

ZOOM_SIZE = 80  # positions per side of a zoomed posterior
GAP_QUANTILES = (0.05, 0.5, 0.95, 1.0)  # which images are shown, by the gap between log p(x) and the ELBO
GAP_SAMPLES = 200  # draws of z that the gap of one image is estimated with


@torch.no_grad()
def grid_posterior(
    model: VAE, x: Tensor, y: Tensor | None = None, size: int = GRID_SIZE, limit: float = GRID_LIMIT
) -> Tensor:
    """p(z|x) of one image x (P,) on an even grid over the plane: probabilities `(size^d,)` that sum to 1."""
    z, log_mass = latent_grid(model.latent_dim, size, limit)
    output = decode_positions(model, z, None if y is None else int(y))
    return torch.softmax(model.likelihood.log_prob_matrix(x[None], output)[0] + log_mass, dim=0)


@torch.no_grad()
def zoomed_posterior(
    model: VAE, x: Tensor, y: Tensor | None = None, size: int = GRID_SIZE, zoom_size: int = ZOOM_SIZE
) -> dict[str, np.ndarray]:
    """p(z|x) of one image x (P,) in the plane, on a grid around it, and the encoder's Gaussian.

    Args:
        size: positions per side of the grid over the whole plane on which the posterior is found first.

    Returns:
        `axes` (2, zoom_size), ascending, over the smallest rectangle that holds both (all but 1e-4 of the posterior on
        either side, four standard deviations of the Gaussian); `density` (zoom_size, zoom_size), the second latent
        dimension down the rows, which integrates to 1; `mean` and `std` (2,) of the Gaussian; and the `gap` (), log
        p(x) minus the ELBO in nats, which is KL(q(z|x) ‖ p(z|x)).
    """
    axis = torch.tensor(grid_axis(-GRID_LIMIT, GRID_LIMIT, size)).float()
    coarse = grid_posterior(model, x, y, size).reshape(size, size)
    coarse = coarse.flip(0)  # the first row of a grid has the highest z2
    means, log_vars = model.encode(x[None], None if y is None else y[None])
    assert log_vars is not None
    mean, log_var = means[0], log_vars[0]
    std, step = (0.5 * log_var).exp(), axis[1] - axis[0]
    axes = []
    for i, mass in enumerate((coarse.sum(0), coarse.sum(1))):
        inside = axis[(mass.cumsum(0) > 1e-4) & (mass.flip(0).cumsum(0).flip(0) > 1e-4)]
        low, high = min(inside[0] - step, mean[i] - 4 * std[i]), max(inside[-1] + step, mean[i] + 4 * std[i])
        axes.append(torch.linspace(float(low), float(high), zoom_size))
    z = torch.tensor(grid_points(axes[0].numpy(), axes[1].numpy()))
    output = decode_positions(model, z, None if y is None else int(y))
    log_joint = model.likelihood.log_prob_matrix(x[None], output)[0] + log_normal(z)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    log_density = torch.log_softmax(log_joint, 0) - cell.log()
    log_q = log_normal(z, mean, log_var)
    gap = (log_q.exp() * (log_q - log_density)).sum() * cell
    density = log_density.exp().reshape(zoom_size, zoom_size).flip(0)
    arrays = {"axes": torch.stack(axes), "density": density, "mean": mean, "std": std, "gap": gap}
    return {name: values.numpy() for name, values in arrays.items()}


def select_posteriors(
    model: VAE,
    images: Tensor,
    labels: Tensor,
    size: int = GRID_SIZE,
    seed: int = 0,
    quantiles: tuple[float, ...] = GAP_QUANTILES,
    n_candidates: int = CHECKED_IMAGES,
) -> dict[str, np.ndarray]:
    """The zoomed posteriors of a few of the first images, at `quantiles` of the gap between log p(x) and the ELBO: from
    one that the encoder approximates well to the one that it approximates worst.

    Returns:
        The arrays of `zoomed_posterior`, one row per image, and the images' `pixels` (n, P).
    """
    torch.manual_seed(seed)
    y = labels[:n_candidates]
    x = model_input(images[:n_candidates], model.spec.settings)
    gap = quadrature_log_likelihood(model, x, y, size) - elbo(model, x, y, samples=GAP_SAMPLES)
    order = gap.argsort()
    indices = [int(order[round(quantile * (len(order) - 1))]) for quantile in quantiles]
    posteriors = [zoomed_posterior(model, x[i], y[i], size) | {"pixels": x[i].numpy()} for i in indices]
    return {name: np.stack([arrays[name] for arrays in posteriors]) for name in posteriors[0]}
