"""True posteriors p(z|x) in a latent plane, beside the Gaussians q(z|x) of the encoder if the model has one."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from latentlab.metrics.bounds import log_likelihood_bounds
from latentlab.metrics.grids import grid_points
from latentlab.models.inputs import model_input
from latentlab.models.networks import VAE, LatentModel
from latentlab.models.objective import log_normal
from latentlab.models.quadrature import (
    TOLERANCE,
    LatentGrid,
    choose_grid,
    decode_positions,
    integrate_posteriors,
    joint_blocks,
    quadrature_log_likelihood,
)

ZOOM_SIZE = 80  # positions per side of a zoomed posterior
MAX_MISSED = 0.1  # of a posterior's mass, if its modes are narrower than the distance of neighbouring positions
N_BINS = 20  # along either axis, in which masses are counted then; a divisor of ZOOM_SIZE
TAIL = 1e-4  # of a posterior's mass that a zoomed one leaves out on each side
QUANTILES = (0.05, 0.5, 0.95, 1.0)  # of the gap between log p(x) and the ELBO, or of the posterior's variance: which
# images are shown
N_CANDIDATES = 200  # images among which these are chosen
GAP_SAMPLES = 200  # draws of z that the gap of one image is estimated with


@torch.no_grad()
def posterior_masses(
    model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid
) -> tuple[Tensor, Tensor, Tensor]:
    """p(z|x) of one image x (P,): positions (G, d), the probability of the cell around each, (G,), and log p(x), ()
    nats."""
    blocks = list(joint_blocks(model, x[None], None if y is None else y[None], grid))
    z, log_joint = torch.cat([block.z for block in blocks]), torch.cat([block.log_joint[0] for block in blocks])
    return z, torch.softmax(log_joint, dim=0), torch.logsumexp(log_joint, dim=0)


@torch.no_grad()
def zoomed_posterior(
    model: LatentModel, x: Tensor, y: Tensor | None, grid: LatentGrid, zoom_size: int = ZOOM_SIZE
) -> dict[str, np.ndarray]:
    """p(z|x) of one image x (P,) in the plane, on a grid around it, and a VAE's Gaussian q(z|x).

    Args:
        grid: on which the posterior is found.

    Returns:
        `axes` (2, zoom_size), ascending, over the smallest rectangle that holds both (all but 1e-4 of the posterior on
        either side, four standard deviations of the Gaussian); `density` (zoom_size, zoom_size), the second latent
        dimension down the rows, ascending, counted in bins if modes are narrower than its pixels; `mean` and `std` (2,)
        of q(z|x), or of p(z|x) if there is no encoder; and of a VAE the `gap` (), log p(x) minus the ELBO in nats,
        which is KL(q(z|x) ‖ p(z|x)).
    """
    positions, masses, log_likelihood = posterior_masses(model, x, y, grid)
    if isinstance(model, VAE):
        means, log_vars = model.encode(x[None], None if y is None else y[None])
        assert log_vars is not None
        mean, std, margin = means[0], (0.5 * log_vars[0]).exp(), 4.0
    else:
        mean = masses @ positions
        std, margin = (masses @ (positions - mean).square()).sqrt(), 0.0
    ranges = []
    for i in range(2):
        z, order = positions[:, i].sort()
        below = masses[order].double().cumsum(0)
        inside = z[(below > TAIL) & (below - masses[order] < 1 - TAIL)]
        low, high = (
            min(inside[0] - grid.step, mean[i] - margin * std[i]),
            max(inside[-1] + grid.step, mean[i] + margin * std[i]),
        )
        ranges.append((float(low), float(high)))
    cell = math.prod(high - low for low, high in ranges) / zoom_size**2
    axes = [low + (high - low) * (torch.arange(zoom_size) + 0.5) / zoom_size for low, high in ranges]
    z = torch.tensor(grid_points(axes[0].numpy(), axes[1].numpy()))
    terms = model.likelihood.position_terms(decode_positions(model, z, None if y is None else int(y)))
    log_density = model.likelihood.log_prob_matrix(x[None], terms)[0] + log_normal(z) - log_likelihood
    density = log_density.exp().reshape(zoom_size, zoom_size).flip(0)
    if abs(density.sum().item() * cell - 1) > MAX_MISSED:
        density = binned_density(positions, masses, ranges, zoom_size)
    arrays = {"axes": torch.stack(axes), "density": density, "mean": mean, "std": std}
    if isinstance(model, VAE):
        log_q = log_normal(z, mean, 2 * std.log())
        arrays["gap"] = (log_q.exp() * (log_q - log_density)).sum() * cell
    return {name: values.numpy() for name, values in arrays.items()}


def binned_density(positions: Tensor, masses: Tensor, ranges: Sequence[tuple[float, float]], size: int) -> Tensor:
    """The density of masses (G,) at positions (G, 2), of which several lie in each of `N_BINS` bins along either axis;
    (size, size), the second dimension down the rows, ascending."""
    edges = [torch.linspace(low, high, N_BINS + 1) for low, high in ranges]
    density, _ = torch.histogramdd(positions, edges, weight=masses, density=True)
    repeats = size // N_BINS
    return density.T.repeat_interleave(repeats, dim=0).repeat_interleave(repeats, dim=1)


def select_posteriors(
    model: LatentModel,
    images: Tensor,
    labels: Tensor,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    quantiles: tuple[float, ...] = QUANTILES,
    n_candidates: int = N_CANDIDATES,
) -> dict[str, np.ndarray]:
    """The zoomed posteriors of a few of the first images. Those of a VAE lie at `quantiles` of the gap between log p(x)
    and the ELBO: from one that the encoder approximates well to the one that it approximates worst. Those of a model
    without an encoder lie at `quantiles` of the posterior's total variance: from a narrow one to the widest.

    Returns:
        The arrays of `zoomed_posterior`, one row per image, and the images' `pixels` (n, P).
    """
    torch.manual_seed(seed)
    y = labels[:n_candidates]
    x = model_input(images[:n_candidates], model.spec.settings)
    grid, _ = choose_grid(model, x, y, tolerance)
    if isinstance(model, VAE):
        scores = quadrature_log_likelihood(model, x, y, grid) - log_likelihood_bounds(model, x, y, GAP_SAMPLES).elbo
    else:
        scores = integrate_posteriors(model, x, y, grid).covariance.diagonal(dim1=1, dim2=2).sum(1)
    order = scores.argsort()
    indices = [int(order[round(quantile * (len(order) - 1))]) for quantile in quantiles]
    posteriors = [zoomed_posterior(model, x[i], y[i], grid) | {"pixels": x[i].numpy()} for i in indices]
    return {name: np.stack([arrays[name] for arrays in posteriors]) for name in posteriors[0]}
