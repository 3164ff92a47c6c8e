"""A family without an encoder, trained on log p(x) itself.

With one or two latent dimensions the integral of p(x, z) over z can be computed, so neither a bound nor an encoder is
needed: the code of an image is its posterior p(z|x). This is a generative topographic mapping (Bishop et al. 1998) with
a deep decoder, trained like the continuous mixtures of Correia et al. (2023) by integrating numerically in each step.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn import functional

from latentlab.models.inputs import split_batches
from latentlab.models.networks import LatentModel, Scalar
from latentlab.models.objective import UNDERFLOW, log_sum_exp
from latentlab.models.precision import autocast
from latentlab.models.quadrature import cell_centres, fast_products, joint_terms
from latentlab.records.runs import ModelSpec
from latentlab.runtime.errors import UserError

POSITIONS = 64**2  # of a lattice
LATTICE_LIMIT = 3.6  # of each axis; less than a thousandth of the prior's mass lies beyond
BLOCK_BATCHES = 80  # between two times that the plane is decoded for the posteriors of the next images
IMAGE_BLOCK = 1024  # images whose posteriors are computed at a time
ROW_MULTIPLE = 128  # to which their number is padded: oneDNN compiles and keeps a kernel for each number of rows


class Exact(LatentModel):
    """A decoder whose images get their posteriors by integration over all of its one or two latent dimensions."""

    generative = True
    block_batches = BLOCK_BATCHES

    def __init__(self, spec: ModelSpec) -> None:
        if spec.latent_dim > 2:
            raise UserError(
                f"family: exact integrates over one or two latent dimensions, not {spec.latent_dim}; choose vae, or "
                "latent_dim: 2"
            )
        super().__init__(spec)
        self.decoder = self.build_decoder()

    def training_batches(self, x: Tensor, y: Tensor) -> Iterable[tuple[Tensor, ...]]:
        """Batches of images with labels, one draw of z from each image's posterior, and its log p(x), all from the
        decoder as it is before the first of these batches."""
        z, log_likelihood = self.draw_posteriors(x, y)
        return split_batches(self.spec.settings.batch_size, x, y, z, log_likelihood)

    def loss_terms(
        self, x: Tensor, y: Tensor | None = None, z: Tensor | None = None, log_likelihood: Tensor | None = None
    ) -> dict[str, Tensor]:
        """−log p(x), (B,) nats.

        Args:
            z, log_likelihood: of `training_batches`. The gradient is then that of −log p(x|z), which by Fisher's
                identity has that of −log p(x) as its expectation over p(z|x).
        """
        if z is None or log_likelihood is None:
            return {"negative_log_likelihood": -self.lattice_log_likelihood(x, y)}
        log_prob = self.likelihood.log_prob(x, self.decode(z, y))
        return {"negative_log_likelihood": -(log_likelihood + log_prob - log_prob.detach())}

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        return terms["negative_log_likelihood"]

    @torch.no_grad()
    def draw_posteriors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """A draw of z from the posterior of each image of x (B, P) on a lattice that is shifted at random, (B, d), and
        log p(x) by that lattice, (B,) nats."""
        z, step = lattice(self.latent_dim, torch.rand(self.latent_dim).to(x.device))
        draws, log_likelihood = z.new_empty(len(x), self.latent_dim), z.new_empty(len(x))
        for images, log_masses in self._lattice_blocks(x, y, z, step):
            largest = log_masses.amax(dim=1, keepdim=True)
            rows = log_masses.sub_(largest).clamp_(min=UNDERFLOW).exp_().view(len(images), math.isqrt(len(z)), -1)
            # First a row of the lattice, then a position in it: cumulative sums of all positions would take long.
            row, total = _draw(rows.sum(dim=2))
            column, _ = _draw(rows[torch.arange(len(rows), device=x.device), row])
            draws[images] = z[row * rows.shape[2] + column]
            log_likelihood[images] = largest[:, 0] + total.log()
        return draws, log_likelihood

    @torch.no_grad()
    def lattice_log_likelihood(self, x: Tensor, y: Tensor | None) -> Tensor:
        """log p(x) of each image of x (B, P), (B,) nats, by a fixed lattice with `fast_products`: good enough to
        follow a training."""
        z, step = lattice(self.latent_dim, torch.full((self.latent_dim,), 0.5, device=x.device))
        log_likelihood = z.new_empty(len(x))
        with fast_products(self):
            for images, log_masses in self._lattice_blocks(x, y, z, step):
                log_likelihood[images] = log_sum_exp(log_masses, dim=1)
        return log_likelihood

    def _lattice_blocks(self, x: Tensor, y: Tensor | None, z: Tensor, step: float) -> Iterator[tuple[Tensor, Tensor]]:
        """Indices of images, (n,), and their log p(x, z) v at positions z (G, d) of a lattice, (n, G) nats."""
        product = nullcontext() if self.likelihood.bfloat16_products else autocast("float32", x.device.type)
        labels = y if self.conditional and y is not None else torch.zeros(len(x), dtype=torch.int64, device=x.device)
        for label in labels.unique().tolist():
            terms = joint_terms(self, z, label, step)
            for images in (labels == label).nonzero()[:, 0].split(IMAGE_BLOCK):
                rows = functional.pad(x[images], (0, 0, 0, -len(images) % ROW_MULTIPLE))
                with product:
                    log_masses = self.likelihood.log_prob_matrix(rows, terms)
                yield images, log_masses[: len(images)]


def _draw(masses: Tensor) -> tuple[Tensor, Tensor]:
    """An index for each row of masses (n, k), drawn with their probabilities, and the sums of the rows, (n,)."""
    sums = masses.cumsum(dim=1)
    total = sums[:, -1:]
    chosen = torch.searchsorted(sums, total * torch.rand_like(total)).clamp_(max=masses.shape[1] - 1)
    return chosen[:, 0], total[:, 0]


def lattice(latent_dim: int, shift: Tensor) -> tuple[Tensor, float]:
    """One position in each cell of a regular grid over [−LATTICE_LIMIT, LATTICE_LIMIT]^d, (POSITIONS, d), and the side
    of these cells.

    Args:
        shift: where in their cells they lie, (d,), from 0 to 1; drawn at random, it makes each of them a draw of its
            cell.
    """
    count = round(POSITIONS ** (1 / latent_dim))
    step = 2 * LATTICE_LIMIT / count
    return cell_centres(latent_dim, count, step).to(shift.device) + (shift - 0.5) * step, step
