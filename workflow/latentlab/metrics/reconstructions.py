"""Which images a model reconstructs worst."""

import torch
from torch import Tensor

from latentlab.models.inputs import to_pixels
from latentlab.records.metrics import WorstReconstruction

N_WORST = 5


def worst_reconstructions(
    images: Tensor, labels: Tensor, reconstructions: Tensor, count: int = N_WORST
) -> tuple[tuple[WorstReconstruction, ...], Tensor]:
    """The images with the largest squared errors, the largest first.

    Args:
        images, labels, reconstructions: uint8 (n, rows, columns), int64 (n,) and pixels (n, P).

    Returns:
        Their records; and three rows of pixels in [0, 1], (3 · count, P): the images, their reconstructions, and the
        absolute differences.
    """
    x = to_pixels(images)
    outputs = reconstructions.clamp(0, 1)
    errors = (x - outputs).square().mean(1)
    worst = errors.sort(descending=True, stable=True).indices[:count]
    records = tuple(
        WorstReconstruction(index=int(i), label=int(labels[i]), squared_error=float(errors[i])) for i in worst
    )
    return records, torch.cat([x[worst], outputs[worst], (x[worst] - outputs[worst]).abs()])
