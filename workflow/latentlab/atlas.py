"""What the latent plane shows: where the classes lie, which of them meet, and where the decoder may fail."""

import itertools
from statistics import NormalDist

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.neighbors import NearestNeighbors

UNSURE = 0.6  # a picture whose likeliest class is less probable is ambiguous
PRIOR_LIMIT = 2.0  # where the prior has real mass: 86 % of it lies within two standard deviations of the origin
APART = 0.4  # reported failures lie at least this far from each other in z


def neighbours(codes, labels, classes=10, k=10):
    """Share `[i, j]` of class j among the k nearest other codes of the codes of class i, `(classes, classes)`.

    Rows sum to 1, or to 0 for a class without codes.
    """
    nearest = NearestNeighbors(n_neighbors=k).fit(codes).kneighbors(return_distance=False)
    met = labels[nearest].ravel()
    return confusion_matrix(np.repeat(labels, k), met, labels=np.arange(classes), normalize="true")


def overlaps(matrix, names, count=3):
    """The `count` pairs of classes that mix most, `[name, name, share]`, largest first: the share is the mean of the
    two directions in `neighbours`' matrix."""
    shares = (matrix + matrix.T) / 2
    pairs = sorted(itertools.combinations(range(len(names)), 2), key=lambda pair: -shares[pair])
    return [[names[i], names[j], float(shares[i, j])] for i, j in pairs[:count]]


def empty_mass(codes, low=-4, high=4, cells=40):
    """Share of the prior N(0, I) in cells that hold no code; codes `(n, 2)`, `cells`² cells in [low, high]².

    The prior outside the grid is left out. The share depends on the number of codes: n draws from the prior itself
    leave some cells empty, too.
    """
    edges = np.linspace(low, high, cells + 1)
    mass = np.diff([NormalDist().cdf(edge) for edge in edges])
    prior = np.outer(mass, mass)
    held, _, _ = np.histogram2d(codes[:, 0], codes[:, 1], bins=(edges, edges))
    return float(prior[held == 0].sum() / prior.sum())


def failures(positions, distance, scale, probabilities, prior_limit=PRIOR_LIMIT, count=6):
    """Where, within `prior_limit` of the origin, the decoder draws what the data do not hold.

    Args:
        positions: latent positions `(n, 2)` that were decoded.
        distance: of each picture to its nearest training image, `(n,)`.
        scale: such a distance that is usual for real images.
        probabilities: of the classes, by a classifier that saw the pictures, `(n, 10)`.

    Returns:
        At most `count` dictionaries `index`, `z`, `kind`, `distance`, `confidence` (the largest probability), none
        within 0.4 of another. "far" ones (distance above scale) and "ambiguous" ones (confidence below 0.6) take
        turns, the worst of each first. A position may qualify as both, but is listed once.
    """
    confidence = probabilities.max(axis=1)
    inside = np.linalg.norm(positions, axis=1) <= prior_limit
    fails = inside & np.array([distance > scale, confidence < UNSURE])
    scores = np.where(fails, [distance / scale, 1 - confidence], 0)
    found = []
    for kind, score in itertools.cycle(zip(("far", "ambiguous"), scores, strict=True)):
        if len(found) == count or not scores.any():
            return found
        if not score.any():
            continue
        worst = int(score.argmax())
        scores[:, np.linalg.norm(positions - positions[worst], axis=1) < APART] = 0
        found.append(
            {
                "index": worst,
                "z": positions[worst].tolist(),
                "kind": kind,
                "distance": float(distance[worst]),
                "confidence": float(confidence[worst]),
            }
        )
