from statistics import NormalDist

import numpy as np
import pytest
import torch
from builders import model_spec
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentlab.metrics.grids import grid_axis, grid_points, occupied_range, stack_strips, tile_images
from latentlab.models.inference import decode_latents
from latentlab.models.networks import Autoencoder
from latentlab.runtime.files import write_png


class Coordinates(Autoencoder):
    """Its decoder draws its own coordinates: z1 into the left half and z2 into the right half of each image."""

    def decode(self, z, y=None):
        images = torch.zeros(len(z), 28, 28)
        images[:, :, :14] = torch.sigmoid(z[:, 0])[:, None, None]
        images[:, :, 14:] = torch.sigmoid(z[:, 1])[:, None, None]
        return torch.logit(images.flatten(1))


def test_the_grid_is_the_right_way_up(tmp_path):
    axis = grid_axis(-4, 4, 21)
    pixels = decode_latents(Coordinates(model_spec("autoencoder")), grid_points(axis, axis))
    write_png(tmp_path / "grid.png", tile_images(pixels.reshape(-1, 28, 28), 21))
    image = Image.open(tmp_path / "grid.png")
    assert image.size == (588, 588) and image.mode == "L"
    grid = np.array(image)
    low, high = (round(255 / (1 + np.exp(-z))) for z in (-4, 4))

    def coordinates(row, column):
        return grid[row * 28, column * 28], grid[row * 28, column * 28 + 27]

    assert coordinates(0, 0) == (low, high), "z = (-4, 4) is top left"
    assert coordinates(20, 20) == (high, low), "z = (4, -4) is bottom right"
    assert coordinates(0, 20) == (high, high) and coordinates(20, 0) == (low, low)
    assert coordinates(10, 10) == (128, 128), "z = 0 is in the middle"


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
def test_tiling_can_be_undone(rows, columns, height, width):
    images = np.arange(rows * columns * height * width).reshape(-1, height, width)
    tiled = tile_images(images, columns)
    assert tiled.shape == (rows * height, columns * width)
    untiled = tiled.reshape(rows, height, columns, width).swapaxes(1, 2).reshape(-1, height, width)
    assert (untiled == images).all()


def test_quantiles_have_equal_prior_mass_between_them():
    axis = grid_axis(-1, 1, 10, "quantiles")
    mass = np.diff([NormalDist().cdf(z) for z in axis])
    assert mass == pytest.approx(0.1) and axis == pytest.approx(-axis[::-1])


def test_the_occupied_range_leaves_outliers_out():
    codes = np.concatenate([np.random.default_rng(0).uniform([-2, 5], [2, 6], (10_000, 2)), [[100, -100]]])
    low, high = occupied_range(codes)
    assert low == pytest.approx([-2, 5], abs=0.1) and high == pytest.approx([2, 6], abs=0.1)


def test_strips_hold_the_inputs_once_then_all_reconstructions_then_all_samples():
    pixels = [np.repeat([0.1, 0.2 + i, 0.3 + i, 0.9], 3)[:, None] * np.ones((1, 4 * 5)) for i in (0, 1)]
    strips = stack_strips(pixels, (4, 5))
    assert strips.shape == (5 * 4, 3 * 5) and strips[::4, 0].tolist() == [0.1, 0.2, 1.2, 0.3, 1.3]
