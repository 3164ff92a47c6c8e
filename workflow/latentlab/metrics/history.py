"""What the history of a training shows."""

import numpy as np

from latentlab.records.metrics import Convergence


def convergence(history: dict[str, list[float]]) -> Convergence:
    """When the validation loss was lowest, and when it had all but reached that value; from the columns of
    history.csv."""
    epochs, losses = history["epoch"], np.array(history["validation_loss"])
    threshold = losses.min() + 0.01 * (losses[0] - losses.min())
    return Convergence(
        best_epoch=int(epochs[losses.argmin()]), converged_epoch=int(epochs[(losses <= threshold).argmax()])
    )
