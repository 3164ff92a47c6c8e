"""PCA: projections onto two components, and autoencoders compared with it."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from torch import nn

from latentlab.metrics.neighbours import class_separation
from latentlab.models.inference import reconstruct
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.precision import shared_settings
from latentlab.records.metrics import PCAComparison, Projection
from latentlab.records.settings import ModelSettings

OVERSAMPLING, ITERATIONS = 10, 10  # of the randomised PCA: two components are then exact to 1e-4
N_NOISE_IMAGES = 1000
BLOCK = 5000  # images


def principal_plane(points: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components of points `(n, f)`, by randomised low-rank PCA (Halko et al. 2011).

    Returns:
        Positions `(n, 2)`, and the share of the variance that each component explains, `(2,)`. The sign of a component
        is arbitrary; here its largest loading is positive.
    """
    torch.manual_seed(seed)
    x = torch.as_tensor(points, dtype=torch.float32)
    x = x - x.mean(0)
    _, scale, components = torch.pca_lowrank(x, q=min(2 + OVERSAMPLING, *x.shape), center=False, niter=ITERATIONS)
    components = components[:, :2]
    components = components * components.gather(0, components.abs().argmax(0)[None]).sign()
    explained = scale[:2].square() / x.square().sum()
    return (x @ components).numpy(), explained.numpy()


def project(points: np.ndarray, labels: np.ndarray, n_classes: int) -> tuple[np.ndarray, Projection]:
    """Points `(n, f)` in the plane of their first two principal components, `(n, 2)`, and the measures of that
    plane."""
    positions, explained = principal_plane(points)
    return positions, Projection(
        explained=tuple(explained.tolist()),
        dimensions=points.shape[1],
        between_classes=between_class_variance(positions, labels),
        plane=class_separation(positions, labels, n_classes),
        full=class_separation(points, labels, n_classes),
    )


def between_class_variance(points: np.ndarray, labels: np.ndarray) -> float:
    """The share of the variance of points `(n, d)` that lies between the means of their classes `(n,)`, 0 to 1."""
    mean = points.mean(axis=0)
    means = np.stack([points[labels == label].mean(axis=0) for label in np.unique(labels)])
    counts = np.unique(labels, return_counts=True)[1]
    total = np.square(points - mean).sum()
    return float((counts[:, None] * np.square(means - mean)).sum() / total) if total else 0.0


class PCAReference:
    """PCA of training pixels `(n, P)`, with which autoencoders are compared."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.pca = PCA(svd_solver="covariance_eigh").fit(pixels)

    @cached_property
    def rank(self) -> int:
        """Of the covariance of the pixels, summed over blocks because a float64 copy of all pixels is large."""
        squares = np.zeros((self.pixels.shape[1],) * 2)
        for first in range(0, len(self.pixels), BLOCK):
            centred = self.pixels[first : first + BLOCK] - self.pca.mean_.astype(np.float64)
            squares += centred.T @ centred
        return int(np.linalg.matrix_rank(squares, hermitian=True))

    def reconstruct(self, pixels: np.ndarray, d: int) -> np.ndarray:
        """Pixels `(n, P)` projected onto the affine space of the first d components."""
        components = self.pca.components_[:d]
        return self.pca.mean_ + (pixels - self.pca.mean_) @ components.T @ components

    def angles(self, spanning: np.ndarray) -> np.ndarray:
        """Principal angles, degrees, the largest first, between the span of the columns `(P, d)` and that of the first
        d components."""
        return np.degrees(subspace_angles(spanning, self.pca.components_[: spanning.shape[1]].T))


def noise_images(mean: np.ndarray, seed: int = 0) -> np.ndarray:
    """Images `(n, P)` without structure: each pixel is uniform within ½ of its `mean` `(P,)`."""
    return mean + np.random.default_rng(seed).random((N_NOISE_IMAGES, len(mean)), dtype=np.float32) - 0.5


def mean_squared_error(a: np.ndarray, b: np.ndarray) -> float:
    """Over images and pixels."""
    return float(np.square(a - b, dtype=np.float64).mean())


def principal_directions(reference: PCAReference, models: list[LatentModel]) -> dict[str, np.ndarray]:
    """What the first two latent dimensions draw: `pca`, PCA's components `(2, P)`, and `model`, the decoder's weights
    of the model with two latent dimensions, `(2, P)`, left out where there is none or it is not linear."""
    directions = {"pca": reference.pca.components_[:2].astype(np.float32)}
    for model in models:
        weights = _decoder_weights(model)
        if model.latent_dim == 2 and weights is not None:
            directions["model"] = weights.T
    return directions


def pca_errors(pixels: np.ndarray, test_pixels: np.ndarray, dims: list[int]) -> dict[int, float]:
    """Number of components → squared error per pixel on test images, for PCA fitted on training images; both `(n,
    P)`."""
    reference = PCAReference(pixels)
    return {d: mean_squared_error(test_pixels, reference.reconstruct(test_pixels, d)) for d in dims}


def compare_models_with_pca(
    name: str, models: list[LatentModel], reference: PCAReference, test_pixels: np.ndarray
) -> PCAComparison:
    """Autoencoders of the model config `name` at several latent dimensions beside PCA; pixels `(n, P)` in [0, 1]."""

    def reconstruction(model: LatentModel) -> Callable[[np.ndarray], np.ndarray]:
        assert isinstance(model, Autoencoder), "no other models are compared with PCA"

        def run(pixels: np.ndarray) -> np.ndarray:
            labels = torch.zeros(len(pixels), dtype=torch.int64)
            with torch.no_grad():
                codes, _ = model.encode(torch.tensor(pixels))
            return reconstruct(model, codes, labels).numpy()

        return run

    reconstructions = {model.latent_dim: reconstruction(model) for model in models}
    weights = {model.latent_dim: _decoder_weights(model) for model in models}
    spanning = {d: weight for d, weight in weights.items() if weight is not None}
    settings = shared_settings([model.spec.settings for model in models])
    return compare_with_pca(name, settings, reference, reconstructions, spanning, test_pixels)


def _decoder_weights(model: LatentModel) -> np.ndarray | None:
    """The columns `(P, d)` that span what a linear decoder can draw; None for another decoder."""
    layer = model.decoder[0]
    is_all = type(model).decode is LatentModel.decode  # no convolutions follow
    is_linear = model.spec.settings.output == "linear" and len(model.decoder) == 1 and isinstance(layer, nn.Linear)
    return layer.weight.detach().numpy() if is_all and is_linear else None


def compare_with_pca(
    name: str,
    settings: ModelSettings,
    reference: PCAReference,
    reconstructions: dict[int, Callable[[np.ndarray], np.ndarray]],
    spanning: dict[int, np.ndarray],
    test_pixels: np.ndarray,
) -> PCAComparison:
    """An autoencoder at several latent dimensions beside PCA.

    Args:
        name, settings: of the model config.
        reconstructions: latent dimension → a function from pixels `(n, P)` to the autoencoder's reconstructions.
        spanning: latent dimension → the columns `(P, d)` that span what a linear decoder can draw; others are left out.
        test_pixels: `(n, P)` in [0, 1].
    """
    dims, noise = sorted(reconstructions), noise_images(reference.pca.mean_)
    angles = [reference.angles(spanning[d]) if d in spanning and d < reference.rank else None for d in dims]
    variance = reference.pca.explained_variance_

    def pca_reconstruction(d: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda pixels: reference.reconstruct(pixels, d)

    def noise_error(reconstruct: Callable[[np.ndarray], np.ndarray]) -> float:
        return mean_squared_error(noise, reconstruct(noise)) / mean_squared_error(noise, reference.pca.mean_)

    return PCAComparison(
        model=name,
        settings=settings,
        dims=tuple(dims),
        rank=reference.rank,
        error=tuple(mean_squared_error(test_pixels, reconstructions[d](test_pixels)) for d in dims),
        pca=tuple(mean_squared_error(test_pixels, reference.reconstruct(test_pixels, d)) for d in dims),
        noise=tuple(noise_error(reconstructions[d]) for d in dims),
        noise_pca=tuple(noise_error(pca_reconstruction(d)) for d in dims),
        angle=tuple(None if angle is None else float(angle.max()) for angle in angles),
        median_angle=tuple(None if angle is None else float(np.median(angle)) for angle in angles),
        next_variance=tuple(float(variance[d] / variance[d - 1]) if d < reference.rank else None for d in dims),
    )
