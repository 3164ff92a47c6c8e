"""Which latent dimensions a model uses."""

import numpy as np
import torch

from latentlab.models.objective import kl_by_unit


def active_units(mean: np.ndarray, threshold: float = 0.01) -> int:
    """How many latent dimensions are in use: those whose posterior means `(n, d)` have a variance above `threshold`,
    Var over x of E_q[z] (Burda et al. 2016)."""
    return int((mean.var(axis=0) > threshold).sum())


def informative_units(mean: np.ndarray, log_var: np.ndarray, share: float = 0.95) -> int:
    """The fewest latent dimensions that together hold `share` of the KL term, for the means and log variances `(n, d)`
    of q(z|x). Unlike `active_units` it has no threshold in units of z, at which many variances may lie."""
    kl = kl_by_unit(torch.as_tensor(mean), torch.as_tensor(log_var)).double().mean(0).numpy()
    cumulative = np.cumsum(np.sort(kl)[::-1])
    return int(np.searchsorted(cumulative, share * cumulative[-1]) + 1) if cumulative[-1] > 0 else 0
