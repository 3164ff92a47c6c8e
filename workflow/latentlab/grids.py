"""Positions in a two-dimensional latent space, and the picture of what they decode to."""

from statistics import NormalDist

import numpy as np


def axis(low, high, samples, spacing="uniform"):
    """`samples` positions along one latent axis, ascending, `(samples,)`.

    "uniform" steps evenly from `low` to `high`. "quantiles" leaves `low` and `high` aside: the positions halve
    `samples` slices of equal probability under the prior N(0, 1).
    """
    if spacing == "quantiles":
        return np.array([NormalDist().inv_cdf((i + 0.5) / samples) for i in range(samples)])
    return np.linspace(low, high, samples)


def points(x, y):
    """Latent positions `(len(y)·len(x), 2)` in reading order: the first has the lowest x and the highest y."""
    columns, rows = np.meshgrid(x, y[::-1])
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def tile(pictures, columns):
    """`(n, h, w)` pictures in reading order to one picture, `columns` of them side by side."""
    n, height, width = pictures.shape
    rows = n // columns
    return pictures.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


def strips(sheets):
    """Several sheets of rows of inputs, outputs and samples (`training.show`) as one: the inputs once, then a row of
    outputs a sheet, then a row of samples a sheet; uint8 in, [0, 1] out."""
    inputs, outputs, samples = (
        np.stack(sheets).reshape(len(sheets), -1, 28, sheets[0].shape[1])[:, i] for i in range(3)
    )
    return np.concatenate([inputs[0], *outputs, *samples]) / 255


def occupied(codes, share=0.98):
    """Per latent dimension the range that holds the central `share` of the codes: `(low, high)`, each `(d,)`."""
    tail = (1 - share) / 2
    return np.quantile(codes, [tail, 1 - tail], axis=0)
