"""How realistic images are, by their place among real ones in the features of the reference classifier."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from latentlab.metrics.reference_classifier import ReferenceClassifier, class_features
from latentlab.models.inputs import to_pixels

N_REAL = 10_000  # training images that others are compared with
N_NEIGHBOURS = 3  # as in Kynkäänniemi et al. (2019)
BATCH_SIZE = 500  # images compared at a time


class Comparison(NamedTuple):
    """Images beside the real ones, each array `(n,)`."""

    realism: np.ndarray
    """The largest ratio of a real image's radius to its distance."""
    nearest: np.ndarray
    """The index of the nearest real image."""
    distance: np.ndarray
    """Of the nearest real image."""


class RealImages:
    """Training images, each with the distance to its third nearest neighbour among them as a radius.

    An image passes as real if it lies within the radius of some real one, and the share that does is the precision of
    Kynkäänniemi et al. (2019). Distances are those of features, because in pixels a blank or blurred image is nearer to
    the real ones than they are to each other. About nine in ten held-out images pass, not all.
    """

    def __init__(self, classifier: ReferenceClassifier, images: np.ndarray, labels: np.ndarray, seed: int = 0) -> None:
        """Training images, uint8 `(n, rows, columns)`, of which `N_REAL` are drawn, and their labels `(n,)`."""
        chosen = np.random.default_rng(seed).permutation(len(images))[:N_REAL]
        self.classifier, self.images, self.labels = classifier, images[chosen], labels[chosen]
        self.features = self._features(to_pixels(self.images))
        index = NearestNeighbors(n_neighbors=min(N_NEIGHBOURS, len(chosen) - 1)).fit(self.features)
        self.radii = index.kneighbors()[0][:, -1]  # without arguments: the neighbours of each, itself left out

    def compare(self, pixels: np.ndarray | Tensor) -> Comparison:
        """How pixels `(n, P)` in [0, 1] compare with the real images. Images of realism 1 or more pass as real."""
        features = self._features(pixels)
        realism, nearest, distance = [], [], []
        for batch in np.array_split(features, max(1, len(features) // BATCH_SIZE)):
            distances = pairwise_distances(batch, self.features)
            realism.append((self.radii / np.maximum(distances, np.finfo(np.float32).tiny)).max(axis=1))
            nearest.append(distances.argmin(axis=1))
            distance.append(distances.min(axis=1))
        return Comparison(*map(np.concatenate, (realism, nearest, distance)))

    def precision(self, pixels: np.ndarray | Tensor) -> float:
        """The share of pixels `(n, P)` in [0, 1] that pass as real."""
        return float((self.compare(pixels).realism >= 1).mean())

    def _features(self, pixels: np.ndarray | Tensor) -> np.ndarray:
        return class_features(self.classifier, pixels).astype(np.float32)
