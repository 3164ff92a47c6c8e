"""Codes of planted models, and what is measured of them."""

import numpy as np
import pytest
import torch

from latentlab import codes


class Corners:
    """Encodes an image as two of its pixels, so its codes are known."""

    latent_dim = 2

    def encode(self, x, y):
        return 10 * x[:, :2], None


def splits(n=2000):
    labels = torch.arange(n) % 10
    images = torch.zeros(n, 28, 28, dtype=torch.uint8)
    images[:, 0, 0], images[:, 0, 1] = 51 * (labels % 4), 51 * (labels // 4)
    images[:, 10:20, 10:12] = 200
    return {"train": (images, labels), "test": (images[: n // 2], labels[: n // 2])}


def test_codes_are_kept_by_split_with_their_labels():
    arrays = codes.encode(Corners(), splits())
    assert set(arrays) == {"train_mean", "train_labels", "test_mean", "test_labels"}, "a point has no variance"
    assert arrays["train_mean"].shape == (2000, 2)
    labels = np.arange(1000) % 10
    assert arrays["test_mean"] == pytest.approx(2 * np.stack([labels % 4, labels // 4], 1))


def test_a_plane_is_measured_as_one_and_three_dimensions_are_not():
    given = splits()
    arrays = codes.encode(Corners(), given)
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        arrays[f"{split}_mean"] = arrays[f"{split}_mean"] + rng.normal(0, 0.1, arrays[f"{split}_mean"].shape)
    images, names = given["test"][0].numpy(), [str(i) for i in range(10)]
    found = codes.measure(arrays, images, names)
    assert found["code"]["neighbour_accuracy"] == 1 and found["code"]["active_units"] == 2
    assert found["code"]["class_information"] == pytest.approx(np.log(10), abs=0.1)
    assert 0 < found["code"]["empty_mass"] < 1 and "style" in found
    solid = {name: np.repeat(a, 2, 1)[:, :3] if a.ndim == 2 else a for name, a in arrays.items()}
    assert set(codes.measure(solid, images, names)) == {"code"}
