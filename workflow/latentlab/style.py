"""What style the axes of a code stand for: figures of the handwriting itself, and how the codes go with them."""

import warnings

import numpy as np
from scipy.stats import ConstantInputWarning, spearmanr
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor

WIDTH_SHARE = 0.95  # of the ink lies within the width
NEIGHBOURS = 50  # codes that vote on the class probabilities at a position


def measure(images):
    """Style of uint8 images `(n, 28, 28)`: arrays `(n,)`, all 0 for an image without ink.

    `slant`: degrees from upright, positive to the right; `thickness` of the stroke and `width` of the ink (its
    central 95 %), pixels; `ink`: mean brightness, 0 to 1.
    """
    v = np.asarray(images, dtype=np.float32) / 255
    return {"slant": _slant(v), "thickness": _thickness(v), "width": _width(v), "ink": v.mean(axis=(1, 2), dtype=float)}


def correlations(codes, measures):
    """Spearman's rank correlation of each latent dimension with each measure: name -> `d` numbers from -1 to 1.

    Codes `(n, d)`, measures name -> `(n,)`. A dimension or measure that never varies goes with nothing: 0.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        found = {name: [spearmanr(axis, values).statistic for axis in codes.T] for name, values in measures.items()}
    return {name: np.nan_to_num(values).tolist() for name, values in found.items()}


def class_information(codes, labels, seed=0):
    """Nats that codes `(n, d)` are seen to tell about their class `(n,)`: a held-out lower bound (Barber & Agakov
    2003) on the mutual information, up to sampling error.

    It is H(class) minus the cross-entropy, on one half of the codes, of the class shares among the nearest codes of
    the other half. One more vote, shared by all classes (Laplace), keeps every probability above 0.
    """
    classes, labels = np.unique(labels, return_inverse=True)
    votes = np.eye(len(classes))[labels]
    known, held_out, known_votes, held_out_votes = train_test_split(codes, votes, train_size=0.5, random_state=seed)
    k = min(NEIGHBOURS, len(known))
    shares = KNeighborsRegressor(k).fit(known, known_votes).predict(held_out)
    probabilities = (k * shares + 1 / len(classes)) / (k + 1)
    prior = held_out_votes.mean(axis=0)
    entropy = -(prior * np.log(np.where(prior > 0, prior, 1))).sum()
    cross_entropy = -np.log((probabilities * held_out_votes).sum(axis=1)).mean()
    return float(max(0.0, entropy - cross_entropy))


def _slant(v):
    """The shear mu11 / mu02 that would set the ink upright, as an angle."""
    x, y = _from_centre(v.shape[2]), -_from_centre(v.shape[1])  # rows go downwards
    rows, columns, ink = v.sum(axis=2), v.sum(axis=1), v.sum(axis=(1, 2))
    mean_x, mean_y = _ratio(columns @ x, ink), _ratio(rows @ y, ink)
    mu11 = _ratio((v @ x) @ y, ink) - mean_x * mean_y
    mu02 = _ratio(rows @ y**2, ink) - mean_y**2
    return np.degrees(np.arctan(_ratio(mu11, mu02)))


def _thickness(v):
    """The short side of the rectangle with the ink's area and outline ("fibre width").

    The outline is the total variation, the sum of |gradient|, which averages the outlines at all brightness
    thresholds (coarea formula): no threshold to choose, and an edge counts with the part of a pixel that it covers.
    Strokes below about 1.5 pixels are not told apart.
    """
    v = v / np.maximum(v.max(axis=(1, 2), keepdims=True), 1 / 255)
    area = v.sum(axis=(1, 2), dtype=float)
    v = np.pad(v, ((0, 0), (1, 1), (1, 1)))
    falling, rising = v[:, 1:, 1:] - v[:, :-1, :-1], v[:, 1:, :-1] - v[:, :-1, 1:]  # along a pixel's two diagonals
    outline = (np.hypot(falling, rising) / np.sqrt(2)).sum(axis=(1, 2), dtype=float)
    return (outline - np.sqrt(np.maximum(outline**2 - 16 * area, 0))) / 4


def _width(v):
    """Between the positions that leave half of the other 5 % of the ink to their left and to their right."""
    ink = v.sum(axis=1, dtype=float).cumsum(axis=1)
    ink = np.pad(_ratio(ink, ink[:, -1:]), ((0, 0), (1, 0)))  # to the left of each pixel's edge
    return _quantile(ink, (1 + WIDTH_SHARE) / 2) - _quantile(ink, (1 - WIDTH_SHARE) / 2)


def _quantile(cumulative, share):
    """Where each row of `(n, edges)` first reaches `share`, between the edges; 0 if it never does."""
    right = (cumulative >= share).argmax(axis=1)
    below, above = (cumulative[np.arange(len(right)), np.maximum(edge, 0)] for edge in (right - 1, right))
    return np.where(right > 0, right - 1 + _ratio(share - below, above - below), 0)


def _from_centre(size):
    return np.arange(size, dtype=np.float32) - (size - 1) / 2


def _ratio(a, b):
    """a / b in float64, 0 where b is not above 0."""
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    return np.divide(a, b, out=np.zeros(a.shape), where=b > 1e-6)
