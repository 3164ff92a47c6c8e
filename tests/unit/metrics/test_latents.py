"""What is measured of codes, on planted ones."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
from builders import MNIST, model_spec

from latentlab.metrics.latent_units import active_units, informative_units
from latentlab.metrics.latents import encode_splits, measure_latents, mutual_information, share_within
from latentlab.models.networks import Autoencoder

RNG = np.random.default_rng(0)


class TwoPixels(Autoencoder):
    """Encodes an image as two of its pixels."""

    def encode(self, x, y=None):
        return 10 * x[:, :2], None


def splits(n=2000):
    """Images whose first two pixels are their class, so that their codes are known."""
    labels = torch.arange(n) % 10
    images = torch.zeros(n, 28, 28, dtype=torch.uint8)
    images[:, 0, 0], images[:, 0, 1] = 51 * (labels % 4), 51 * (labels // 4)
    images[:, 10:20, 10:12] = 200
    return {"train": (images, labels), "test": (images[: n // 2], labels[: n // 2])}


def encode(images):
    return encode_splits(TwoPixels(model_spec("autoencoder")), images)


def gaussian_quantiles(mean, std, n=4000):
    """Evenly spaced quantiles of N(mean, std²), shuffled: a sample without sampling error."""
    quantiles = [NormalDist(mean, std).inv_cdf((i + 0.5) / n) for i in range(n)]
    return RNG.permutation(quantiles)


def test_codes_are_kept_by_split_with_their_labels():
    arrays = encode(splits())
    assert set(arrays) == {"train_codes", "train_labels", "test_codes", "test_labels"}, "a point has no variance"
    assert arrays["train_codes"].shape == (2000, 2)
    labels = np.arange(1000) % 10
    assert arrays["test_codes"] == pytest.approx(2 * np.stack([labels % 4, labels // 4], 1))


def test_a_plane_has_measures_that_three_dimensions_have_not():
    images = splits()
    arrays = encode(images)
    for split in ("train", "test"):
        arrays[f"{split}_codes"] = arrays[f"{split}_codes"] + RNG.normal(0, 0.1, arrays[f"{split}_codes"].shape)
    test_images = images["test"][0].numpy()
    latents, correlations = measure_latents(arrays, test_images, MNIST.classes)
    assert latents.neighbour_accuracy == 1 and latents.active_units == 2
    assert latents.mutual_information == pytest.approx(np.log(10), abs=0.1)
    assert latents.overlaps is not None and correlations is not None and len(correlations.ink) == 2
    assert len(latents.separation.silhouette.classes) == 10 and len(latents.overlaps) == 3
    solid = {name: np.repeat(a, 2, 1)[:, :3] if a.ndim == 2 else a for name, a in arrays.items()}
    latents, correlations = measure_latents(solid, test_images, MNIST.classes)
    assert latents.overlaps is correlations is None and len(latents.std) == 3


def test_standard_deviation_and_range_of_a_known_gaussian():
    codes = np.column_stack([gaussian_quantiles(0, 1), gaussian_quantiles(10, 2)])
    labels = np.arange(len(codes)) % 10
    arrays = {f"{split}_{name}": a for split in ("train", "test") for name, a in (("codes", codes), ("labels", labels))}
    latents, _ = measure_latents(arrays, np.zeros((len(codes), 28, 28), np.uint8), MNIST.classes)
    assert latents.std == pytest.approx([1, 2], rel=0.02)
    assert latents.low == pytest.approx([-2.326, 10 - 4.653], abs=0.1)
    assert latents.high == pytest.approx([2.326, 10 + 4.653], abs=0.1)
    assert share_within(codes, np.array([-4, 0, 4])) == pytest.approx(0.00135, abs=0.001)


def test_an_unused_unit_is_not_active():
    mean = RNG.normal(size=(5000, 4)) * [1, 0.5, 0.05, 0] + [0, 0, 0, 3]
    assert active_units(mean) == 2
    assert active_units(mean, threshold=0.001) == 3


def test_informative_units_hold_the_kl_term():
    mean, log_var = np.zeros((10, 4)), np.zeros((10, 4))
    assert informative_units(mean, log_var) == 0
    mean[:, 2] = 2  # 2 nats
    mean[:, 0] = np.sqrt(0.4)  # 0.2 nats: 9 % of both
    assert informative_units(mean, log_var) == 2 and informative_units(mean, log_var, share=0.9) == 1


def test_mutual_information_of_separate_mixed_and_unrelated_classes():
    labels = np.arange(4000) % 10
    separate = labels[:, None] * [10.0, 0] + RNG.normal(size=(4000, 2))
    assert mutual_information(separate, labels) == pytest.approx(np.log(10), abs=0.05)
    in_pairs = separate[:, :1] - labels[:, None] % 2 * 10  # two classes of a pair share their codes: a bit is lost
    assert mutual_information(in_pairs, labels) == pytest.approx(np.log(5), abs=0.05)
    unrelated = mutual_information(RNG.normal(size=(4000, 2)), labels)
    assert type(unrelated) is float and unrelated == pytest.approx(0, abs=0.02)


def test_mutual_information_of_few_codes_and_of_a_single_class():
    assert mutual_information(RNG.normal(size=(30, 2)), np.arange(30) % 10) >= 0
    assert mutual_information(RNG.normal(size=(200, 2)), np.full(200, 7)) == pytest.approx(0, abs=1e-9)
