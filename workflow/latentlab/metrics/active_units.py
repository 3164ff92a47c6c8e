"""Which latent dimensions a model uses."""

import numpy as np


def active_units(mean: np.ndarray, threshold: float = 0.01) -> int:
    """How many latent dimensions are in use: those whose posterior means `(n, d)` have a variance above `threshold`,
    Var over x of E_q[z] (Burda et al. 2016)."""
    return int((mean.var(axis=0) > threshold).sum())
