"""How good a model's samples are, by their distribution in the features of the reference classifier."""

import numpy as np
import torch

from latentlab.metrics.reference_classifier import ReferenceClassifier, class_features
from latentlab.models.inference import decode_latents
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder
from latentlab.records.metrics import SampleQuality

N_SAMPLES = 5000

Moments = tuple[np.ndarray, np.ndarray]  # mean (f,) and covariance (f, f)


def sample_quality(
    classifier: ReferenceClassifier,
    model: Autoencoder,
    test_images: np.ndarray,
    held_out: np.ndarray,
    seed: int = 0,
    count: int = N_SAMPLES,
) -> SampleQuality:
    """Fréchet distances to random test images, of images decoded from draws of the prior and of held-out real images.

    Args:
        test_images, held_out: uint8 `(n, rows, columns)`.
        count: samples, at most as many as there are images. Those of a conditional model have labels drawn evenly.
    """
    rng = np.random.default_rng(seed)
    count = min(count, len(test_images), len(held_out))
    z = torch.tensor(rng.standard_normal((count, model.latent_dim)), dtype=torch.float32)
    labels = rng.integers(0, model.spec.n_classes, count) if model.conditional else None
    sampled = decode_latents(model, z, labels)
    test_pixels, held_out_pixels = (
        to_pixels(images[rng.permutation(len(images))[:count]]).numpy() for images in (test_images, held_out)
    )  # at random, because the files may be sorted
    return SampleQuality(
        frechet=sample_distance(classifier, test_pixels, sampled),
        frechet_real=sample_distance(classifier, test_pixels, held_out_pixels),
        samples=count,
    )


def sample_distance(classifier: ReferenceClassifier, a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of the features of two sets of images, pixels `(n, P)` in [0, 1]."""
    return frechet_distance(*(fit_gaussian(class_features(classifier, pixels)) for pixels in (a, b)))


def fit_gaussian(features: np.ndarray) -> Moments:
    """Mean `(f,)` and covariance `(f, f)` of features `(n, f)`."""
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance |m1 − m2|² + Tr(C1 + C2 − 2 (C1 C2)^½) of two Gaussians.

    The formula is that of Heusel et al. (2017), but the features are those of this project's reference classifier, not
    Inception's: it is not FID, and compares only sets of equal size by the same classifier.
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    # With C = F Fᵀ, Tr (C1 C2)^½ is the sum of the singular values of F1ᵀ F2: real, also for singular C.
    cross = np.linalg.norm(_factor(cov_a).T @ _factor(cov_b), ord="nuc")
    distance = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross
    return float(max(0.0, distance))


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F with F Fᵀ equal to the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
