"""Measures of the shape of an image, and how latent dimensions correlate with them."""

import warnings

import numpy as np
from scipy.stats import ConstantInputWarning, spearmanr

from latentlab.records.metrics import ShapeCorrelations

WIDTH_SHARE = 0.95  # share of the ink that lies within the width


def measure_shapes(images: np.ndarray) -> dict[str, np.ndarray]:
    """Shape measures of uint8 images `(n, rows, columns)`: arrays `(n,)`, 0 for an image without ink. Of colour images
    `(n, 3, rows, columns)` the ink is the mean of the channels.

    `slant`: degrees from upright, positive to the right. `thickness` of the stroke and `width` of the ink (its central
    95 %): pixels. `ink`: mean brightness, 0 to 1.
    """
    v = np.asarray(images, dtype=np.float32) / 255
    v = v.mean(axis=1) if v.ndim == 4 else v
    return {"slant": _slant(v), "thickness": _thickness(v), "width": _width(v), "ink": v.mean(axis=(1, 2), dtype=float)}


def shape_correlations(codes: np.ndarray, measures: dict[str, np.ndarray]) -> ShapeCorrelations:
    """Spearman's rank correlation of each latent dimension with each measure, for codes `(n, d)` and measures `(n,)`. A
    dimension or a measure that does not vary is uncorrelated with everything: 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        correlations = {
            name: [spearmanr(dimension, values).statistic for dimension in codes.T] for name, values in measures.items()
        }
    return ShapeCorrelations(**{name: tuple(np.nan_to_num(values).tolist()) for name, values in correlations.items()})


def _slant(v: np.ndarray) -> np.ndarray:
    """The shear mu11 / mu02 that would set the ink upright, as an angle."""
    x, y = _from_centre(v.shape[2]), -_from_centre(v.shape[1])  # rows run downwards
    rows, columns, ink = v.sum(axis=2), v.sum(axis=1), v.sum(axis=(1, 2))
    mean_x, mean_y = _ratio(columns @ x, ink), _ratio(rows @ y, ink)
    mu11 = _ratio((v @ x) @ y, ink) - mean_x * mean_y
    mu02 = _ratio(rows @ y**2, ink) - mean_y**2
    return np.degrees(np.arctan(_ratio(mu11, mu02)))


def _thickness(v: np.ndarray) -> np.ndarray:
    """The short side of the rectangle that has the area and the outline of the ink ("fibre width").

    The outline is the total variation, the sum of |gradient|, which averages the outlines at all brightness thresholds
    (coarea formula): there is no threshold to choose, and a pixel counts by the part of it that is covered. Strokes
    thinner than about 1.5 pixels are not distinguished.
    """
    v = v / np.maximum(v.max(axis=(1, 2), keepdims=True), 1 / 255)
    area = v.sum(axis=(1, 2), dtype=float)
    v = np.pad(v, ((0, 0), (1, 1), (1, 1)))
    falling, rising = v[:, 1:, 1:] - v[:, :-1, :-1], v[:, 1:, :-1] - v[:, :-1, 1:]  # along both diagonals of a pixel
    outline = (np.hypot(falling, rising) / np.sqrt(2)).sum(axis=(1, 2), dtype=float)
    return (outline - np.sqrt(np.maximum(outline**2 - 16 * area, 0))) / 4


def _width(v: np.ndarray) -> np.ndarray:
    """The distance between the positions that leave 2.5 % of the ink to their left and to their right."""
    ink = v.sum(axis=1, dtype=float).cumsum(axis=1)
    ink = np.pad(_ratio(ink, ink[:, -1:]), ((0, 0), (1, 0)))  # left of each pixel's edge
    return _quantile(ink, (1 + WIDTH_SHARE) / 2) - _quantile(ink, (1 - WIDTH_SHARE) / 2)


def _quantile(cumulative: np.ndarray, share: float) -> np.ndarray:
    """Where each row of `(n, edges)` first reaches `share`, between the edges; 0 if it never does."""
    right = (cumulative >= share).argmax(axis=1)
    below, above = (cumulative[np.arange(len(right)), np.maximum(edge, 0)] for edge in (right - 1, right))
    return np.where(right > 0, right - 1 + _ratio(share - below, above - below), 0)


def _from_centre(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float32) - (size - 1) / 2


def _ratio(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
    """a / b in float64, 0 where b is not above 0."""
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    return np.divide(a, b, out=np.zeros(a.shape), where=b > 1e-6)
