import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentlab import quality

RNG = np.random.default_rng(0)


def test_a_dead_unit_is_not_counted():
    mean = RNG.normal(size=(5000, 4)) * [1, 0.5, 0.05, 0] + [0, 0, 0, 3]
    assert quality.active_units(mean) == 2
    assert quality.active_units(mean, threshold=0.001) == 3


def test_distance_of_gaussians_with_a_shared_basis():
    a = np.zeros(3), np.diag([1.0, 4, 0])
    b = np.array([1.0, 2, 0]), np.diag([9.0, 4, 1])
    assert quality.frechet_distance(a, b) == pytest.approx(5 + (1 - 3) ** 2 + 0 + (0 - 1) ** 2)


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_distance_is_symmetric_never_negative_and_zero_only_to_itself(dimensions, seed):
    rng = np.random.default_rng(seed)
    a, b = (quality.fit_gaussian(rng.normal(size=(5, dimensions))) for _ in range(2))  # often singular
    assert quality.frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert quality.frechet_distance(a, b) == pytest.approx(quality.frechet_distance(b, a))
    assert quality.frechet_distance(a, b) > 0


def test_distance_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = (quality.fit_gaussian(RNG.normal(size=(100, 6)) @ RNG.normal(size=(6, 6))) for _ in range(2))
    root = sqrtm(a[1] @ b[1]).real
    expected = ((a[0] - b[0]) ** 2).sum() + np.trace(a[1] + b[1] - 2 * root)
    assert quality.frechet_distance(a, b) == pytest.approx(expected)


def test_gaussian_of_known_features():
    mean, covariance = quality.fit_gaussian(RNG.normal([0, 5], [1, 2], (50_000, 2)))
    assert mean == pytest.approx([0, 5], abs=0.05)
    assert covariance == pytest.approx(np.diag([1, 4]), abs=0.1)


def pictures(count, seed=0):
    """Noise with a bright block, whose place is the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count, dtype=np.uint8)
    images = rng.integers(0, 80, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 5)
        image[4 + 12 * row : 12 + 12 * row, 5 * column + 2 : 5 * column + 6] = 255
    return torch.as_tensor(images), torch.as_tensor(labels)


def pixels(images):
    return images.flatten(1).numpy().astype(np.float32) / 255


@pytest.fixture(scope="module")
def judge():
    return quality.train_judge(*pictures(2000), epochs=3)


def test_judge_learns_planted_classes(judge):
    images, labels = pictures(500, seed=1)
    x = torch.as_tensor(pixels(images))
    with torch.no_grad():
        assert judge.features(x).shape == (500, 64)
        assert (judge(x).argmax(dim=1) == labels).float().mean() > 0.95
    assert not judge.training


def test_judge_is_the_same_from_the_same_seed():
    images, labels = pictures(200)
    first, again, other = (quality.train_judge(images, labels, epochs=1, seed=seed).head.weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


class Memory(torch.nn.Module):
    """A conditional "model" that decodes each label to the planted picture of that class, or of another."""

    latent_dim, conditional = 2, True

    def __init__(self, shift):
        super().__init__()
        images, labels = pictures(200, seed=7)
        first = [images[labels == (label + shift) % 10][0] for label in range(10)]
        self.drawn = torch.stack(first).flatten(1).float() / 255

    def decode(self, z, y):
        return self.drawn[y]


LINEAR = {"likelihood": "gaussian", "sigma": 1.0, "output": "linear"}


def test_samples_come_with_their_labels():
    generator = torch.Generator().manual_seed(0)
    images, labels = quality.labelled_samples(Memory(0), LINEAR, None, None, 500, generator)
    drawn = (images.flatten(1).float() / 255 - Memory(0).drawn[labels]).abs().max()
    assert drawn < 0.01 and set(labels.tolist()) == set(range(10))


def test_samples_of_the_right_class_help_and_of_the_wrong_one_harm():
    training, test = (tuple(v.long() if v.ndim == 1 else v for v in pictures(400, seed)) for seed in (1, 2))
    right, wrong = (quality.augmentation(Memory(k), LINEAR, training, test, [5], seeds=2, draws=6000) for k in (0, 1))
    assert right["sizes"] == [5] and right["real"] == wrong["real"]
    assert right["gain"]["mean"][0] > 0.2 and wrong["gain"]["mean"][0] < 0.1


def test_sample_distance_grows_with_the_damage(judge):
    real, more = (pixels(pictures(2500, seed)[0]) for seed in (1, 2))
    noise = RNG.normal(size=more.shape)
    distances = [quality.sample_distance(judge, real, (more + s * noise).clip(0, 1)) for s in (0, 0.2, 0.5)]
    assert quality.sample_distance(judge, real, real) == pytest.approx(0, abs=1e-3)
    assert distances == sorted(distances) and distances[1] > 5 * distances[0]


def test_sample_distance_sees_a_class_that_is_never_sampled(judge):
    real = pixels(pictures(2000, seed=1)[0])
    images, labels = pictures(2000, seed=2)
    lacking = quality.sample_distance(judge, real, pixels(images[labels != 3]))
    assert lacking > 5 * quality.sample_distance(judge, real, pixels(images))
