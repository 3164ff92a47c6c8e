"""How probable a model finds images it has not seen; all figures in nats per image.

The bounds hold for any latent dimension. In one or two dimensions the integral over the latent space can be had
outright: the decoder's outputs on a fine grid are computed once, and one matrix product gives every image's likelihood
at every position.
"""

import math

import numpy as np
import torch

from latentlab.grids import axis, points
from latentlab.models import VAE
from latentlab.objectives import kl_to_prior, likelihood_of, sample_code
from latentlab.training import EVALUATION_BATCH, batches, observe, reconstruct, term_sums, to_pixels

ELBO_SAMPLES = 10  # samples of each code: the test mean's own noise is then below 0.05 nats
GRID, LIMIT = 300, 5.0  # positions a side, and range of each axis; beyond it the prior's mass is below 1e-6
BLOCK, POSITIONS = 1000, 2000  # images and grid positions at a time: their product in float32 is 8 MB, and stays near
CHECKED = 200  # images on which the grid is doubled, and among which posteriors are chosen
SIDE = 80  # positions a side of a posterior seen close up
RANKS, GAP_SAMPLES = (0.05, 0.5, 0.95, 1.0), 200  # the posteriors that are shown, by their gap; samples of each gap


def evaluate(model, settings, images, labels, seed=0):
    """Means over the images: `reconstruction` and, for a random code, `kl` and `negative_elbo`.

    The negated ELBO has β = 1 whatever β the model was trained with. The `squared_errors` are
    per pixel, of the reconstruction from the code's mean.
    """
    torch.manual_seed(seed)
    passes = ELBO_SAMPLES if isinstance(model, VAE) else 1
    sums = term_sums(model, settings, images, labels, passes)
    means = {name: float(total) / len(images) for name, total in sums.items()}
    if "kl" in means:
        means["negative_elbo"] = means["reconstruction"] + means["kl"]
    return means | squared_errors(model, settings, images, labels)


def squared_errors(model, settings, images, labels):
    """Means of (x − x̂)², x̂ decoded from the code's mean: `squared_error` over images and pixels, with its root;
    `background_error` over those pixels alone that are 0 in their image, `ink_error` over the others."""
    x = to_pixels(images)
    squares = (reconstruct(model, settings, x, labels) - x).square().double()
    error = squares.mean().item()
    return {
        "squared_error": error,
        "root_squared_error": error**0.5,
        "background_error": squares[x == 0].mean().item(),
        "ink_error": squares[x > 0].mean().item(),
    }


def log_normal(z, mean=0.0, log_var=None):
    """log N(z; mean, exp log_var), or log N(z; 0, I), summed over the last axis."""
    log_var = torch.zeros(()) if log_var is None else log_var
    return -0.5 * ((z - mean).square() / log_var.exp() + log_var + math.log(2 * math.pi)).sum(-1)


@torch.no_grad()
def elbo(model, likelihood, x, y=None, samples=ELBO_SAMPLES):
    """The ELBO of each image, (B,) nats, by `samples` draws of its code and the closed form of the KL term."""
    return bounds(model, likelihood, x, y, samples)[0]


@torch.no_grad()
def importance_weighted_bound(model, likelihood, x, y=None, samples=64):
    """log (1/K) Σ p(x, z_k) / q(z_k|x), a lower bound of log p(x), (B,) nats (Burda et al. 2016)."""
    return bounds(model, likelihood, x, y, samples)[1]


@torch.no_grad()
def bounds(model, likelihood, x, y=None, samples=64, noise=None):
    """The ELBO and the importance-weighted bound, (2, B) nats, of the same K = `samples` draws of each code.

    `noise`, (K, B, d) and standard normal, takes the place of new draws, for bounds that are to be compared.
    """
    mean, log_var = model.encode(x, y)
    fits, ratios = [], []
    for draw in torch.randn(samples, *mean.shape) if noise is None else noise:
        z = sample_code(mean, log_var, draw)
        fits.append(likelihood.log_prob(x, model.decode(z, y)))
        ratios.append(log_normal(z) - log_normal(z, mean, log_var))
    fits = torch.stack(fits)
    weighted = torch.logsumexp(fits + torch.stack(ratios), dim=0) - math.log(len(fits))
    return torch.stack([fits.mean(0) - kl_to_prior(mean, log_var), weighted])


def latent_grid(dimensions, count=GRID, limit=LIMIT):
    """Positions (count^d, d) of an even grid over [−limit, limit]^d, d ≤ 2, and the log of each one's prior mass."""
    steps = axis(-limit, limit, count)
    z = torch.tensor(points(steps, steps)) if dimensions == 2 else torch.tensor(steps).float()[:, None]
    return z, log_normal(z) + dimensions * math.log(steps[1] - steps[0])


@torch.no_grad()
def exact(model, likelihood, x, y=None, count=GRID, limit=LIMIT):
    """log p(x), or log p(x|y) of a conditional model, as the integral over the latent space: (B,) nats, d ≤ 2.

    The trapezoidal sum over an even grid; for smooth integrands that vanish at its ends it converges faster than any
    power of the step, and comparing with twice the `count` shows how far it is.
    """
    z, log_mass = latent_grid(model.latent_dim, count, limit)
    found = torch.full((len(x),), -math.inf)
    labels = torch.as_tensor(y) if model.conditional else torch.zeros(len(x), dtype=torch.int64)
    for label in labels.unique().tolist():
        chosen = (labels == label).nonzero()[:, 0]
        for some_z, some_mass in batches(POSITIONS, z, log_mass):
            output = decode_all(model, some_z, label)
            for some in chosen.split(BLOCK):
                joint = likelihood.log_prob_matrix(x[some], output) + some_mass
                found[some] = torch.logaddexp(found[some], torch.logsumexp(joint, dim=1))
    return found


@torch.no_grad()
def posterior(model, likelihood, x, y=None, count=GRID, limit=LIMIT):
    """The true posterior p(z|x) of one image x (784,) on the grid: probabilities (count^d,) that sum to 1."""
    z, log_mass = latent_grid(model.latent_dim, count, limit)
    output = decode_all(model, z, None if y is None else int(y))
    return torch.softmax(likelihood.log_prob_matrix(x[None], output)[0] + log_mass, dim=0)


@torch.no_grad()
def close_up(model, likelihood, x, y=None, count=GRID, side=SIDE):
    """The true posterior of one image x (784,) in the plane, and the encoder's Gaussian beside it.

    Args:
        count: positions a side of the grid on which the posterior is found first, of the whole plane.

    Returns:
        Arrays `axes` (2, side), ascending, over the smallest rectangle that holds both (all but 1e-4 of either side of
        the posterior, four standard deviations of the Gaussian); `density` (side, side) with the second latent
        dimension down the rows, which sums to 1 over its cells' area; `mean` and `std` (2,) of the Gaussian; and the
        `gap` (), log p(x) − ELBO in nats, which is KL(q(z|x) ‖ p(z|x)).
    """
    steps = torch.tensor(axis(-LIMIT, LIMIT, count)).float()
    coarse = posterior(model, likelihood, x, y, count).reshape(count, count)
    coarse = coarse.flip(0)  # reading order starts at the highest z2
    label = None if y is None else y[None]
    mean, log_var = (found[0] for found in model.encode(x[None], label))
    std, pad = (0.5 * log_var).exp(), steps[1] - steps[0]
    axes = []
    for i, mass in enumerate((coarse.sum(0), coarse.sum(1))):
        held = steps[(mass.cumsum(0) > 1e-4) & (mass.flip(0).cumsum(0).flip(0) > 1e-4)]
        low, high = min(held[0] - pad, mean[i] - 4 * std[i]), max(held[-1] + pad, mean[i] + 4 * std[i])
        axes.append(torch.linspace(float(low), float(high), side))
    z = torch.tensor(points(*(steps.numpy() for steps in axes)))
    joint = likelihood.log_prob_matrix(x[None], decode_all(model, z, None if y is None else int(y)))[0] + log_normal(z)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    log_density = torch.log_softmax(joint, 0) - cell.log()
    log_q = log_normal(z, mean, log_var)
    gap = (log_q.exp() * (log_q - log_density)).sum() * cell
    density = log_density.exp().reshape(side, side).flip(0)
    found = {"axes": torch.stack(axes), "density": density, "mean": mean, "std": std, "gap": gap}
    return {name: value.numpy() for name, value in found.items()}


def posteriors(model, settings, images, labels, count=GRID, seed=0, ranks=RANKS, candidates=CHECKED):
    """`close_up` of a few images, arrays with the images first, and their `pixels` (784,).

    They are the images at `ranks` (0 to 1) of the gap among the first `candidates`: from one that the encoder gets
    right to the one that it gets most wrong.
    """
    torch.manual_seed(seed)
    likelihood, y = likelihood_of(settings), labels[:candidates]
    x = observe(images[:candidates], settings)
    order = (exact(model, likelihood, x, y, count) - elbo(model, likelihood, x, y, samples=GAP_SAMPLES)).argsort()
    chosen = [int(order[round(rank * (len(order) - 1))]) for rank in ranks]
    found = [close_up(model, likelihood, x[i], y[i], count) | {"pixels": x[i].numpy()} for i in chosen]
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def decode_all(model, z, label=None):
    """The decoder's outputs (G, 784) at positions z (G, d), all of one label."""
    y = torch.full((len(z),), label or 0)
    return torch.cat([model.decode(*some) for some in batches(EVALUATION_BATCH, z, y)])


def compare(model, settings, images, labels, count=GRID, seed=0, samples=64):
    """The ELBO beside better answers, means over the images in nats.

    `importance_weighted` with `samples` draws; for d ≤ 2 also `log_likelihood`, exact on a grid of `count` positions a
    side, with its `gap` to the ELBO, and `grid_error`: how far a grid twice as fine moves the mean over the first
    `CHECKED` images (of a conditional model, those of one label). `normalised` is false for cross-entropy on grey
    pixels, which is no density: its integral compares models, but is not a likelihood.
    """
    torch.manual_seed(seed)
    likelihood = likelihood_of(settings)
    x = observe(images, settings)
    pairs = list(batches(EVALUATION_BATCH, x, labels))
    bounds = [importance_weighted_bound(model, likelihood, *pair, samples) for pair in pairs]
    means = {
        "elbo": _mean(torch.cat([elbo(model, likelihood, *pair) for pair in pairs])),
        "importance_weighted": _mean(torch.cat(bounds)),
        "samples": samples,
        "normalised": settings["binarise"] is True or settings["likelihood"] == "gaussian",
    }
    if model.latent_dim <= 2:
        found = exact(model, likelihood, x, labels, count)
        means["log_likelihood"] = _mean(found)
        means["gap"] = means["log_likelihood"] - means["elbo"]
        same = labels == labels[0] if model.conditional else torch.ones(len(x), dtype=torch.bool)
        first = same.nonzero()[:CHECKED, 0]
        finer = exact(model, likelihood, x[first], labels[first], 2 * count)
        means["grid_error"] = abs(_mean(finer - found[first]))
    return means


def _mean(values):
    return values.double().mean().item()
