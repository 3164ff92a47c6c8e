import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab import style

RNG = np.random.default_rng(0)
FINE = 8  # samples a pixel, each way


def draw(inside):
    """A uint8 picture of the points where inside(x, y), pixels from the centre, y upwards; edges antialiased."""
    at = (np.arange(28 * FINE) + 0.5) / FINE - 14
    x, y = np.meshgrid(at, -at)
    return (inside(x, y).reshape(28, FINE, 28, FINE).mean(axis=(1, 3)) * 255).round().astype(np.uint8)


def bar(width, angle=0.0, length=20):
    """Upright, then turned to the right by `angle` degrees."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return draw(lambda x, y: (np.abs(c * x - s * y) < width / 2) & (np.abs(s * x + c * y) < length / 2))


def one(name, picture):
    return style.measure(picture[None])[name][0]


@given(st.floats(-45, 45), st.floats(1.5, 4), st.floats(-3, 3))
def test_slant_is_the_angle_of_a_sheared_bar_wherever_it_stands(angle, width, shift):
    sheared = draw(lambda x, y: (np.abs(x - shift - y * np.tan(np.radians(angle))) < width / 2) & (np.abs(y) < 8))
    assert one("slant", sheared) == pytest.approx(angle, abs=1)


def test_slant_to_the_right_is_positive():
    to_the_right = np.eye(28, dtype=np.uint8)[::-1] * 255  # "/": the top rows are inked on the right
    assert one("slant", to_the_right) == pytest.approx(45)
    assert one("slant", to_the_right[:, ::-1]) == pytest.approx(-45)


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("angle", [0, 20, 45, 90])
def test_thickness_is_the_width_of_a_bar_turned_any_way(width, angle):
    assert one("thickness", bar(width, angle)) == pytest.approx(width, rel=0.16)


@pytest.mark.parametrize("width", [2, 3, 5])
def test_thickness_of_a_ring_a_sharp_bar_and_a_faint_one(width):
    assert one("thickness", draw(lambda x, y: np.abs(np.hypot(x, y) - 9) < width / 2)) == pytest.approx(width, rel=0.15)
    sharp = np.zeros((28, 28), np.uint8)
    sharp[3:25, 10 : 10 + width] = 255
    assert one("thickness", sharp) == pytest.approx(width, rel=0.16)
    assert one("thickness", sharp // 3) == pytest.approx(one("thickness", sharp))


def test_width_leaves_stray_ink_out():
    block = draw(lambda x, y: (np.abs(x) < 5) & (np.abs(y) < 10))
    assert one("width", block) == pytest.approx(9.5)
    block[4, 0] = 255
    assert one("width", block) == pytest.approx(9.5, abs=0.1)


def test_every_measure_of_nothing_and_of_everything_is_finite():
    dot = np.zeros((28, 28), np.uint8)
    dot[0, 27] = 1
    found = style.measure(np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8), dot]))
    assert all(np.isfinite(values).all() and values[0] == 0 for values in found.values())
    assert found["ink"][1] == 1 and found["thickness"][1] == pytest.approx(28, rel=0.1)


def test_correlations_find_the_axis_that_carries_a_measure():
    codes = np.column_stack([RNG.normal(size=(2000, 2)), np.zeros(2000)])
    found = style.correlations(
        codes, {"slant": np.exp(codes[:, 1]), "width": -(codes[:, 0] ** 3), "ink": np.ones(2000)}
    )
    assert found["slant"] == pytest.approx([0, 1, 0], abs=0.1)
    assert found["width"] == pytest.approx([-1, 0, 0], abs=0.1)
    assert json.loads(json.dumps(found))["ink"] == [0, 0, 0]


def test_information_of_separated_mixed_and_unrelated_classes():
    labels = np.arange(4000) % 10
    separated = labels[:, None] * [10.0, 0] + RNG.normal(size=(4000, 2))
    assert style.class_information(separated, labels) == pytest.approx(np.log(10), abs=0.05)
    in_pairs = separated[:, :1] - labels[:, None] % 2 * 10  # which of two classes cannot be told: a bit is lost
    assert style.class_information(in_pairs, labels) == pytest.approx(np.log(5), abs=0.05)
    unrelated = style.class_information(RNG.normal(size=(4000, 2)), labels)
    assert type(unrelated) is float and unrelated == pytest.approx(0, abs=0.02)


def test_information_of_few_codes_and_of_a_single_class():
    assert style.class_information(RNG.normal(size=(30, 2)), np.arange(30) % 10) >= 0
    assert style.class_information(RNG.normal(size=(200, 2)), np.full(200, 7)) == pytest.approx(0, abs=1e-9)
