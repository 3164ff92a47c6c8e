"""What the history of a training shows."""

import numpy as np

from latentlab.records.metrics import Convergence


def convergence(history: dict[str, list[float]]) -> Convergence:
    """When the validation loss was lowest, when it had all but reached that value, and how the terms of a VAE's loss
    changed; from the columns of history.csv."""
    epochs, losses = history["epoch"], np.array(history["validation_loss"])
    threshold = losses.min() + 0.01 * (losses[0] - losses.min())
    terms = {
        term: (history[f"validation_{term}"][0], history[f"validation_{term}"][-1])
        for term in ("kl", "reconstruction")
        if "validation_kl" in history
    }
    return Convergence(
        best_epoch=int(epochs[losses.argmin()]), converged_epoch=int(epochs[(losses <= threshold).argmax()]), **terms
    )
