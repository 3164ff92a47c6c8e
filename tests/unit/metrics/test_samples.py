import numpy as np
import pytest
import torch
from builders import block_images, model_spec
from hypothesis import given
from hypothesis import strategies as st

from latentlab.metrics.samples import (
    feature_moments,
    fit_gaussian,
    frechet_distance,
    real_distance,
    reference_moments,
    sample_distance,
)
from latentlab.models.families import build_model
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder

RNG = np.random.default_rng(0)


def pixels(images):
    return to_pixels(images).numpy()


def distance(classifier, a, b):
    return frechet_distance(feature_moments(classifier, a), feature_moments(classifier, b))


def test_distance_of_gaussians_with_a_shared_basis():
    a = np.zeros(3), np.diag([1.0, 4, 0])
    b = np.array([1.0, 2, 0]), np.diag([9.0, 4, 1])
    assert frechet_distance(a, b) == pytest.approx(5 + (1 - 3) ** 2 + 0 + (0 - 1) ** 2)


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_distance_is_symmetric_never_negative_and_zero_only_to_itself(dimensions, seed):
    rng = np.random.default_rng(seed)
    a, b = (fit_gaussian(rng.normal(size=(5, dimensions))) for _ in range(2))  # often singular
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, b) > 0


def test_distance_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = (fit_gaussian(RNG.normal(size=(100, 6)) @ RNG.normal(size=(6, 6))) for _ in range(2))
    root = sqrtm(a[1] @ b[1]).real
    expected = ((a[0] - b[0]) ** 2).sum() + np.trace(a[1] + b[1] - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected)


def test_gaussian_of_known_features():
    mean, covariance = fit_gaussian(RNG.normal([0, 5], [1, 2], (50_000, 2)))
    assert mean == pytest.approx([0, 5], abs=0.05)
    assert covariance == pytest.approx(np.diag([1, 4]), abs=0.1)


def test_the_distance_grows_with_the_damage(block_classifier):
    real, more = (pixels(block_images(2500, seed)[0]) for seed in (1, 2))
    noise = RNG.normal(size=more.shape)
    distances = [distance(block_classifier, real, (more + s * noise).clip(0, 1)) for s in (0, 0.2, 0.5)]
    assert distance(block_classifier, real, real) == pytest.approx(0, abs=1e-3)
    assert distances == sorted(distances) and distances[1] > 5 * distances[0]


def test_the_distance_is_larger_if_a_class_is_never_sampled(block_classifier):
    real = pixels(block_images(2000, seed=1)[0])
    images, labels = block_images(2000, seed=2)
    without_3 = distance(block_classifier, real, pixels(images[labels != 3]))
    assert without_3 > 5 * distance(block_classifier, real, pixels(images))


class Repeater(Autoencoder):
    """Decodes every latent position to an image of the label it is given."""

    def decode(self, z, y=None):
        images, labels = block_images(200, seed=7)
        first = torch.stack([to_pixels(images[labels == label][:1])[0] for label in range(10)])
        return first[y]


def test_samples_of_an_untrained_model_are_far_from_the_data_and_held_out_images_are_near(block_classifier):
    test_images, held_out = (block_images(600, seed)[0].numpy() for seed in (1, 2))
    untrained = build_model(model_spec())
    linear = {"likelihood": "gaussian", "output": "linear"}
    repeater = Repeater(model_spec("autoencoder", conditional=True, **linear))
    reference = reference_moments(block_classifier, test_images, held_out)
    assert reference["count"] == 600, "at most as many as there are images"
    bad, good = (sample_distance(block_classifier, model, reference) for model in (untrained, repeater))
    assert bad > 5 * good and real_distance(reference) < good
    assert reference_moments(block_classifier, test_images, held_out, count=100)["count"] == 100
