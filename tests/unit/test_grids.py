import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentlab import grids, training
from latentlab.files import write_png


class Coordinates(torch.nn.Module):
    """A decoder that paints its own coordinates: z1 into the left half, z2 into the right half of each picture."""

    def decode(self, z, y=None):
        picture = torch.zeros(len(z), 28, 28)
        picture[:, :, :14] = torch.sigmoid(z[:, 0])[:, None, None]
        picture[:, :, 14:] = torch.sigmoid(z[:, 1])[:, None, None]
        return torch.logit(picture.flatten(1))


def test_the_grid_is_the_right_way_up(tmp_path):
    axis = grids.axis(-4, 4, 21)
    pixels = training.decode(Coordinates(), {"likelihood": "bernoulli"}, grids.points(axis, axis))
    write_png(tmp_path / "grid.png", grids.tile(pixels.reshape(-1, 28, 28), 21))
    image = Image.open(tmp_path / "grid.png")
    assert image.size == (588, 588) and image.mode == "L"
    picture = np.array(image)
    low, high = (round(255 / (1 + np.exp(-z))) for z in (-4, 4))

    def coordinates(row, column):
        return picture[row * 28, column * 28], picture[row * 28, column * 28 + 27]

    assert coordinates(0, 0) == (low, high), "z = (-4, 4) is top left"
    assert coordinates(20, 20) == (high, low), "z = (4, -4) is bottom right"
    assert coordinates(0, 20) == (high, high) and coordinates(20, 0) == (low, low)
    assert coordinates(10, 10) == (128, 128), "z = 0 is in the middle"


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5))
def test_tiling_can_be_undone(rows, columns, size):
    pictures = np.arange(rows * columns * size * size).reshape(-1, size, size)
    tiled = grids.tile(pictures, columns)
    assert tiled.shape == (rows * size, columns * size)
    untiled = tiled.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size)
    assert (untiled == pictures).all()


def test_quantiles_have_equal_prior_mass_between_them():
    from statistics import NormalDist

    axis = grids.axis(-1, 1, 10, "quantiles")
    mass = np.diff([NormalDist().cdf(z) for z in axis])
    assert mass == pytest.approx(0.1) and axis == pytest.approx(-axis[::-1])


def test_the_occupied_range_leaves_stragglers_out():
    codes = np.concatenate([np.random.default_rng(0).uniform([-2, 5], [2, 6], (10_000, 2)), [[100, -100]]])
    low, high = grids.occupied(codes)
    assert low == pytest.approx([-2, 5], abs=0.1) and high == pytest.approx([2, 6], abs=0.1)


def test_strips_put_the_inputs_once_then_outputs_then_samples_sheet_by_sheet():
    sheets = [
        np.repeat(np.array([10, 20 + i, 30 + i, 99], dtype=np.uint8), 28)[:, None] * np.ones((1, 56)) for i in (0, 1)
    ]
    column = grids.strips([sheet.astype(np.uint8) for sheet in sheets])[:, 0] * 255
    assert column[::28].round().tolist() == [10, 20, 21, 30, 31] and len(column) == 5 * 28
