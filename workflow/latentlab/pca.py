"""PCA and what is measured beside it: how far classes cluster in its plane, and how near an autoencoder comes to it."""

import numpy as np
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import KNeighborsClassifier

from latentlab import analysis

OVERSAMPLING, ITERATIONS = 10, 10  # of the randomised PCA: two components are then exact to 1e-4
NOISE_IMAGES = 1000


def plane(points, seed=0):
    """The first two principal components of points `(n, f)`, by randomised low-rank PCA (Halko et al. 2011).

    Returns:
        Positions `(n, 2)`, and the share of the variance that each component explains, `(2,)`. A component's sign is
        free; here its largest loading is positive.
    """
    torch.manual_seed(seed)
    x = torch.as_tensor(points, dtype=torch.float32)
    x = x - x.mean(0)
    _, scale, components = torch.pca_lowrank(x, q=min(2 + OVERSAMPLING, *x.shape), center=False, niter=ITERATIONS)
    components = components[:, :2]
    components = components * components.gather(0, components.abs().argmax(0)[None]).sign()
    explained = scale[:2].square() / x.square().sum()
    return (x @ components).numpy(), explained.numpy()


def separation(points, labels, classes=10):
    """How far the classes keep apart among points `(n, f)`, a figure a class and the mean over all points.

    `silhouette`: (b − a) / max(a, b) with a the mean distance to the class's own points and b that to the nearest
    other class, −1 to 1 (Rousseeuw 1987); `neighbour_accuracy`: share of the class's points whose five nearest other
    points name it by majority. Every class needs a point.
    """
    knn = KNeighborsClassifier(analysis.NEIGHBOURS).fit(points, labels)
    nearest = knn.predict(None)  # None: no point is its own neighbour
    figures = {"silhouette": silhouette_samples(points, labels), "neighbour_accuracy": nearest == labels}
    return {
        name: {
            "mean": float(values.mean()),
            "classes": [float(values[labels == label].mean()) for label in range(classes)],
        }
        for name, values in figures.items()
    }


def projected(points, labels):
    """Positions of points `(n, f)` in the plane of their first two principal components, and what there is to say of
    them: variance explained, and the separation of the classes in the plane and in the full space."""
    positions, explained = plane(points)
    return positions, {
        "explained": explained.tolist(),
        "dimensions": points.shape[1],
        "plane": separation(positions, labels),
        "full": separation(points, labels),
    }


class Reference:
    """PCA of training pixels `(n, 784)`, as what autoencoders are compared with."""

    def __init__(self, pixels):
        self.pca = PCA(svd_solver="covariance_eigh").fit(pixels)
        self.rank = int(np.linalg.matrix_rank(np.cov(pixels, rowvar=False, dtype=np.float64), hermitian=True))

    def reconstruct(self, pixels, d):
        """The nearest pixels in the affine space of the first d components, `(n, 784)`."""
        components = self.pca.components_[:d]
        return self.pca.mean_ + (pixels - self.pca.mean_) @ components.T @ components

    def angles(self, spanning):
        """Principal angles, degrees, largest first, between the columns' span `(784, d)` and that of as many
        components; by scipy.linalg.subspace_angles."""
        return np.degrees(subspace_angles(spanning, self.pca.components_[: spanning.shape[1]].T))


def noise(mean, seed=0):
    """Pictures `(n, 784)` without any structure: each pixel within ½ of its `mean`, evenly."""
    return mean + np.random.default_rng(seed).random((NOISE_IMAGES, len(mean)), dtype=np.float32) - 0.5


def error(pixels, found):
    """Mean over images and pixels of the squared difference."""
    return float(np.square(pixels - found, dtype=np.float64).mean())


def errors(images, test_images, dims):
    """Test error per pixel of PCA, fitted on the training images, by the number of components (as text)."""
    reference, test = Reference(analysis.pixels(images)), analysis.pixels(test_images)
    return {str(d): error(test, reference.reconstruct(test, d)) for d in dims}


def beside(reference, reconstructions, spanning, test):
    """An autoencoder at several latent dimensions beside PCA, by the names its figure and page know.

    Args:
        reference: a `Reference`.
        reconstructions: latent dimension → a function from pixels `(n, 784)` to the autoencoder's reconstruction.
        spanning: latent dimension → the columns `(784, d)` that span what a linear decoder can draw; empty for others.
        test: pixels `(n, 784)`.

    Returns:
        A list each, over `dims`: test errors per pixel, `error` and `pca`; the same for noise, as a share of the
        noise's variance (1 keeps nothing, 0 copies everything); the largest principal angle, `angle`, and
        `median_angle` in degrees, where the decoder is linear and d below the data's `rank`; and `next_variance`, that
        of PCA's component d + 1 as a share of that of component d: near 1 which of the two is kept hardly matters.
    """
    dims, blank = sorted(reconstructions), noise(reference.pca.mean_)
    angles = [reference.angles(spanning[d]) if d in spanning and d < reference.rank else None for d in dims]
    variance = reference.pca.explained_variance_

    def lost(reconstruct):
        return error(blank, reconstruct(blank)) / error(blank, reference.pca.mean_)

    return {
        "dims": dims,
        "rank": reference.rank,
        "error": [error(test, reconstructions[d](test)) for d in dims],
        "pca": [error(test, reference.reconstruct(test, d)) for d in dims],
        "noise": [lost(reconstructions[d]) for d in dims],
        "noise_pca": [lost(lambda pixels, d=d: reference.reconstruct(pixels, d)) for d in dims],
        "angle": [None if found is None else float(found.max()) for found in angles],
        "median_angle": [None if found is None else float(np.median(found)) for found in angles],
        "next_variance": [float(variance[d] / variance[d - 1]) if d < reference.rank else None for d in dims],
    }
