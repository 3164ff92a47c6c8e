"""How good a model's samples are, by their distribution in the features of the reference classifier."""

import numpy as np
import torch
from torch import Tensor

from latentlab.metrics.reference_classifier import ReferenceClassifier, class_features
from latentlab.models.inference import decode_latents
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import LatentModel

N_SAMPLES = 5000

Moments = tuple[np.ndarray, np.ndarray]  # mean (f,) and covariance (f, f)


def reference_moments(
    classifier: ReferenceClassifier, test: np.ndarray, held_out: np.ndarray, seed: int = 0, count: int = N_SAMPLES
) -> dict[str, np.ndarray]:
    """What samples are compared with: moments of the features of real images.

    Args:
        test, held_out: uint8 images `(n, rows, columns)`.
        count: images of each, at most as many as both have.

    Returns:
        `test_mean`, `held_out_mean` `(f,)`, `test_covariance`, `held_out_covariance` `(f, f)`, and the `count` `()`.
    """
    rng = np.random.default_rng(seed)
    count = min(count, len(test), len(held_out))
    arrays = {"count": np.array(count)}
    for name, images in {"test": test, "held_out": held_out}.items():
        chosen = rng.permutation(len(images))[:count]  # at random, because the files may be sorted
        arrays[f"{name}_mean"], arrays[f"{name}_covariance"] = feature_moments(classifier, to_pixels(images[chosen]))
    return arrays


def sample_distance(
    classifier: ReferenceClassifier, model: LatentModel, reference: dict[str, np.ndarray], seed: int = 0
) -> float:
    """Fréchet distance to test images of as many images decoded from draws of the prior. Those of a conditional model
    have labels drawn evenly."""
    rng, count = np.random.default_rng(seed), int(reference["count"])
    z = torch.tensor(rng.standard_normal((count, model.latent_dim)), dtype=torch.float32)
    labels = rng.integers(0, model.spec.n_classes, count) if model.conditional else None
    moments = feature_moments(classifier, decode_latents(model, z, labels))
    return frechet_distance((reference["test_mean"], reference["test_covariance"]), moments)


def real_distance(reference: dict[str, np.ndarray]) -> float:
    """Fréchet distance of held-out images to test images: what perfect samples would reach."""
    test, held_out = ((reference[f"{name}_mean"], reference[f"{name}_covariance"]) for name in ("test", "held_out"))
    return frechet_distance(test, held_out)


def feature_moments(classifier: ReferenceClassifier, pixels: np.ndarray | Tensor) -> Moments:
    """Moments of the features of pixels `(n, P)` in [0, 1]."""
    return fit_gaussian(class_features(classifier, pixels))


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
