"""Positions in a two-dimensional latent space, and images arranged in grids."""

from statistics import NormalDist

import numpy as np


def grid_axis(low: float, high: float, n: int, spacing: str = "uniform") -> np.ndarray:
    """`n` positions along one latent axis, ascending, `(n,)`.

    Args:
        spacing: "uniform" steps evenly from `low` to `high`. "quantiles" ignores both: the positions are the medians of
            `n` slices of equal probability under the prior N(0, 1).
    """
    if spacing == "quantiles":
        return np.array([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    return np.linspace(low, high, n)


def grid_points(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Latent positions `(len(y)·len(x), 2)` in reading order: the first has the lowest x and the highest y."""
    columns, rows = np.meshgrid(x, y[::-1])
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def tile_images(images: np.ndarray, columns: int) -> np.ndarray:
    """Images in reading order as one image with `columns` of them side by side.

    Args:
        images: `(n, rows, columns)`, or in colour `(n, 3, rows, columns)`.

    Returns:
        `(rows, columns)`, or in colour `(rows, columns, 3)`, as image files have it.
    """
    images = np.moveaxis(images, 1, -1) if images.ndim == 4 else images
    n, height, width, *channels = images.shape
    rows = n // columns
    tiles = images.reshape(rows, columns, height, width, *channels).swapaxes(1, 2)
    return tiles.reshape(rows * height, columns * width, *channels)


def stack_strips(pixels: list[np.ndarray], image_shape: tuple[int, ...]) -> np.ndarray:
    """What several models make of the same images as one image: the inputs once, then a row of reconstructions of each
    model, then a row of samples of each.

    Args:
        pixels: of each model, `(4 · columns, P)` (`inference.reconstructions_and_samples`).
    """
    inputs, reconstructions, samples, _ = np.stack(pixels).reshape(len(pixels), 4, -1, *image_shape).swapaxes(0, 1)
    rows = np.concatenate([inputs[:1], reconstructions, samples])
    return tile_images(rows.reshape(-1, *image_shape), rows.shape[1])


def occupied_range(codes: np.ndarray, share: float = 0.98) -> np.ndarray:
    """The range of each latent dimension that holds the central `share` of codes `(n, d)`: lows and highs, `(2, d)`."""
    tail = (1 - share) / 2
    return np.quantile(codes, [tail, 1 - tail], axis=0)


def class_centres(codes: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Median of the codes `(n, d)` of each class, `(n_classes, d)`; NaN for a class without codes."""
    centres = np.full((n_classes, codes.shape[1]), np.nan)
    for label in np.unique(labels):
        centres[label] = np.median(codes[labels == label], axis=0)
    return centres
