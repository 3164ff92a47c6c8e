"""Nearest neighbours, among codes and among images. Distances are Euclidean; images are compared by their pixels."""

import itertools

import numpy as np
import sklearn
from sklearn.metrics import confusion_matrix, silhouette_samples
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from latentlab.records.metrics import ByClass, Separation

N_NEIGHBOURS = 5

sklearn.set_config(working_memory=128)  # MiB of distances at a time: its default, 1024, is no faster


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1], float32 `(n, P)`, of uint8 images or of pixels already in that range."""
    images = np.asarray(images)
    flat = images.reshape(len(images), -1).astype(np.float32)
    if images.dtype == np.uint8:
        flat /= 255
    return flat


def neighbour_accuracy(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray, k: int = N_NEIGHBOURS
) -> float:
    """Share of test codes `(n, d)` whose class is the majority's among their k nearest training codes `(m, d)`."""
    return float(KNeighborsClassifier(k).fit(codes, labels).score(test_codes, test_labels))


def class_separation(points: np.ndarray, labels: np.ndarray, n_classes: int) -> Separation:
    """How far the classes keep apart among points `(n, f)`. Every class needs a point."""
    classifier = KNeighborsClassifier(N_NEIGHBOURS).fit(points, labels)
    predicted = classifier.predict(None)  # None: for each training point, without itself as a neighbour

    def by_class(values: np.ndarray) -> ByClass:
        means = tuple(float(values[labels == label].mean()) for label in range(n_classes))
        return ByClass(mean=float(values.mean()), classes=means)

    return Separation(
        silhouette=by_class(silhouette_samples(points, labels)), neighbour_accuracy=by_class(predicted == labels)
    )


def neighbour_class_shares(codes: np.ndarray, labels: np.ndarray, n_classes: int, k: int = 10) -> np.ndarray:
    """Share `[i, j]` of class j among the k nearest other codes of the codes of class i, `(classes, classes)`.

    Rows sum to 1, or to 0 for a class without codes.
    """
    nearest = NearestNeighbors(n_neighbors=k).fit(codes).kneighbors(return_distance=False)
    neighbour_labels = labels[nearest].ravel()
    return confusion_matrix(np.repeat(labels, k), neighbour_labels, labels=np.arange(n_classes), normalize="true")


def overlapping_classes(
    shares: np.ndarray, names: tuple[str, ...], count: int = 3
) -> tuple[tuple[str, str, float], ...]:
    """The `count` pairs of classes that mix most, the largest share first.

    Args:
        shares: of `neighbour_class_shares`; a pair's share is the mean of both directions.
    """
    mean = (shares + shares.T) / 2
    pairs = sorted(itertools.combinations(range(len(names)), 2), key=lambda pair: -mean[pair])
    return tuple((names[i], names[j], float(mean[i, j])) for i, j in pairs[:count])
