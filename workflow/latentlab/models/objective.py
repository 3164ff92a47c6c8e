"""The parts of the variational objective. Every term is summed over latent dimensions: nats, one number per image."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

UNDERFLOW = -80.0  # e^-80 is close to the smallest normal float32


class Bounds(NamedTuple):
    """Lower bounds on log p(x), or on log p(x|y), of B images: (B,) nats."""

    reconstruction: Tensor
    """−log p(x|z) in expectation over q(z|x)."""
    kl: Tensor
    """KL(q(z|x) ‖ p(z))."""
    importance_weighted: Tensor

    @property
    def elbo(self) -> Tensor:
        return -(self.reconstruction + self.kl)


def kl_to_prior(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp log_var) ‖ N(0, I)), (B,) nats, for mean and log_var (B, d)."""
    return kl_by_unit(mean, log_var).sum(1)


def kl_by_unit(mean: Tensor, log_var: Tensor) -> Tensor:
    """The share of each latent dimension in `kl_to_prior`, (B, d) nats; Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_var.exp() - log_var - 1)


def sample_latent(mean: Tensor, log_var: Tensor | None, noise: Tensor | None = None) -> Tensor:
    """A draw z ~ q(z|x), (B, d), by the reparametrisation trick; a point (`log_var` None) is its own sample.

    Args:
        noise: (B, d), standard normal; drawn if left out.
    """
    if log_var is None:
        return mean
    noise = torch.randn_like(mean) if noise is None else noise
    return mean + noise * (log_var / 2).exp()


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_var: Tensor | None = None) -> Tensor:
    """log N(z; mean, exp log_var), or log N(z; 0, I), summed over the last axis, in nats."""
    log_var = torch.zeros(()) if log_var is None else log_var
    return -0.5 * ((z - mean).square() / log_var.exp() + log_var + math.log(2 * math.pi)).sum(-1)


def log_sum_exp(values: Tensor, dim: int) -> Tensor:
    """log Σ exp(values) along `dim`, as torch.logsumexp, but several times as fast: exp takes ten times as long where
    its result is too small for a float32, so terms below e^UNDERFLOW of the largest are taken for that."""
    largest = values.amax(dim=dim, keepdim=True)
    terms = (values - largest).clamp_(min=UNDERFLOW).exp_()
    total = terms.sum(dim=dim, keepdim=True).log_() + largest
    return total.masked_fill_(largest == -math.inf, -math.inf).squeeze(dim)


def log_importance_ratio(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log p(z) − log q(z|x), (B,) nats."""
    return log_normal(z) - log_normal(z, mean, log_var)


def importance_weighted_bound(log_prob: Tensor, log_ratio: Tensor) -> Tensor:
    """log (1/K) Σ p(x|z_k) p(z_k) / q(z_k|x), a lower bound on log p(x), (B,) nats (Burda et al. 2016).

    Args:
        log_prob, log_ratio: log p(x|z_k) and log p(z_k) − log q(z_k|x) of K draws, each (K, B).
    """
    return torch.logsumexp(log_prob + log_ratio, dim=0) - math.log(len(log_prob))
