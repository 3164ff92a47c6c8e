"""Measures of shape, on drawings whose measures are known."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.metrics.morphometrics import measure_shapes, shape_correlations

RNG = np.random.default_rng(0)
SUBPIXELS = 8  # samples per pixel and side


def draw(inside):
    """A uint8 image of the points where inside(x, y), pixels from the centre, y upwards; edges are antialiased."""
    axis = (np.arange(28 * SUBPIXELS) + 0.5) / SUBPIXELS - 14
    x, y = np.meshgrid(axis, -axis)
    coverage = inside(x, y).reshape(28, SUBPIXELS, 28, SUBPIXELS).mean(axis=(1, 3))
    return (coverage * 255).round().astype(np.uint8)


def bar(width, angle=0.0, length=20):
    """Upright, then rotated to the right by `angle` degrees."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return draw(lambda x, y: (np.abs(c * x - s * y) < width / 2) & (np.abs(s * x + c * y) < length / 2))


def measure(name, image):
    return measure_shapes(image[None])[name][0]


@given(st.floats(-45, 45), st.floats(1.5, 4), st.floats(-3, 3))
def test_slant_is_the_angle_of_a_sheared_bar_wherever_it_stands(angle, width, shift):
    sheared = draw(lambda x, y: (np.abs(x - shift - y * np.tan(np.radians(angle))) < width / 2) & (np.abs(y) < 8))
    assert measure("slant", sheared) == pytest.approx(angle, abs=1)


def test_slant_to_the_right_is_positive():
    slash = np.eye(28, dtype=np.uint8)[::-1] * 255  # "/": the top rows are inked on the right
    assert measure("slant", slash) == pytest.approx(45)
    assert measure("slant", slash[:, ::-1]) == pytest.approx(-45)


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("angle", [0, 20, 45, 90])
def test_thickness_is_the_width_of_a_bar_at_any_angle(width, angle):
    assert measure("thickness", bar(width, angle)) == pytest.approx(width, rel=0.16)


@pytest.mark.parametrize("width", [2, 3, 5])
def test_thickness_of_a_ring_a_sharp_bar_and_a_faint_one(width):
    ring = draw(lambda x, y: np.abs(np.hypot(x, y) - 9) < width / 2)
    assert measure("thickness", ring) == pytest.approx(width, rel=0.15)
    sharp = np.zeros((28, 28), np.uint8)
    sharp[3:25, 10 : 10 + width] = 255
    assert measure("thickness", sharp) == pytest.approx(width, rel=0.16)
    assert measure("thickness", sharp // 3) == pytest.approx(measure("thickness", sharp))


def test_width_leaves_stray_ink_out():
    block = draw(lambda x, y: (np.abs(x) < 5) & (np.abs(y) < 10))
    assert measure("width", block) == pytest.approx(9.5)
    block[4, 0] = 255
    assert measure("width", block) == pytest.approx(9.5, abs=0.1)


def test_every_measure_of_an_empty_and_of_a_full_image_is_finite():
    dot = np.zeros((28, 28), np.uint8)
    dot[0, 27] = 1
    measures = measure_shapes(np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8), dot]))
    assert set(measures) == {"slant", "thickness", "width", "ink"}
    assert all(np.isfinite(values).all() and values[0] == 0 for values in measures.values())
    assert measures["ink"][1] == 1 and measures["thickness"][1] == pytest.approx(28, rel=0.1)


def test_correlations_show_which_dimension_carries_a_measure():
    codes = np.column_stack([RNG.normal(size=(2000, 2)), np.zeros(2000)])
    measures = {
        "slant": np.exp(codes[:, 1]),
        "width": -(codes[:, 0] ** 3),
        "ink": np.ones(2000),
        "thickness": RNG.normal(size=2000),
    }
    correlations = shape_correlations(codes, measures)
    assert correlations.slant == pytest.approx([0, 1, 0], abs=0.1)
    assert correlations.width == pytest.approx([-1, 0, 0], abs=0.1)
    assert correlations.thickness == pytest.approx([0, 0, 0], abs=0.1)
    assert json.loads(json.dumps(correlations.to_dict()))["ink"] == [0, 0, 0]
