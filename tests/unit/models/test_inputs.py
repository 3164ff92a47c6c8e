import math

import numpy as np
import pytest
import torch
from builders import model_spec

from latentlab.models.inputs import (
    EVALUATION_BATCH,
    MAX_ROTATION,
    MAX_SHIFT,
    MAX_STRETCH,
    map_batches,
    model_input,
    random_affine,
    split_batches,
    to_pixels,
    to_tensors,
)

GREY = torch.full((4000, 28, 28), 51, dtype=torch.uint8)


def test_images_become_flat_pixels_between_0_and_1():
    images, labels = to_tensors(np.full((2, 3, 4), 255, np.uint8), np.array([1, 2], np.uint8))
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64
    assert to_pixels(images).shape == (2, 12) and to_pixels(images).unique().tolist() == [1]


def test_binarised_pixels_are_drawn_anew_with_their_grey_as_probability():
    first, second = (model_input(GREY, model_spec(binarise=True).settings) for _ in range(2))
    assert set(first.unique().tolist()) == {0, 1} and not torch.equal(first, second)
    assert first.mean().item() == pytest.approx(0.2, abs=0.002)


def test_pixels_that_are_binarised_in_training_only_are_grey_in_evaluation():
    settings = model_spec(binarise="training").settings
    assert set(model_input(GREY, settings, training=True).unique().tolist()) == {0, 1}
    assert model_input(GREY, settings).unique().tolist() == pytest.approx([0.2])
    assert model_input(GREY, model_spec().settings, training=True).unique().tolist() == pytest.approx([0.2])


def test_augmented_images_move_a_little_and_keep_their_ink():
    square = torch.zeros(500, 28, 28, dtype=torch.uint8)
    square[:, 9:19, 10:18] = 200
    moved = random_affine(square).float()
    ink = moved.sum((1, 2))
    ratio = ink / square[0].sum()
    assert ratio.min() > 0.75 and ratio.max() < 1.3 and ratio.mean() == pytest.approx(1, abs=0.03)
    centre = (moved.sum(1) @ torch.arange(28.0)) / ink - 13.5
    limit = MAX_SHIFT / (1 - MAX_STRETCH)
    assert 0.6 < centre.abs().max() < limit + 0.2 and abs(centre.mean()) < 0.2
    assert len(moved.unique(dim=0)) == 500, "no two are alike"


def test_augmented_images_are_rotated_and_not_sheared():
    """A long thin bar keeps its length at every angle."""
    bar = torch.zeros(300, 28, 28, dtype=torch.uint8)
    bar[:, 4:24, 13:15] = 255
    moved = random_affine(bar).float()
    rows, columns = moved.sum(2), moved.sum(1)
    steps = torch.arange(28.0)
    variances = [(p @ steps.square()) / p.sum(1) - ((p @ steps) / p.sum(1)).square() for p in (rows, columns)]
    length = (12 * (variances[0] + variances[1])).sqrt()
    assert length.min() > 20 * 0.88 and length.max() < 20 * 1.14
    widest = variances[1].sqrt().max()
    assert 1.0 < widest < 20 * math.sin(math.radians(MAX_ROTATION)), "a rotated bar takes more columns"


def test_batches_hold_every_row_once_in_order():
    a, b = torch.arange(7), torch.arange(7) * 2
    batches = list(split_batches(3, a, b))
    assert [len(batch) for batch, _ in batches] == [3, 3, 1]
    assert torch.equal(torch.cat([batch for batch, _ in batches]), a)
    assert all(torch.equal(2 * x, y) for x, y in batches)


@pytest.mark.parametrize("n", [0, 1, EVALUATION_BATCH, 2 * EVALUATION_BATCH + 3])
def test_a_function_of_rows_is_computed_for_a_batch_at_a_time_and_gives_every_row(n):
    sizes = []

    def scaled(rows: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        sizes.append(len(rows))
        return rows * factors[:, None]

    rows, factors = torch.randn(n, 3), torch.arange(float(n))
    assert torch.equal(map_batches(scaled, rows, factors), rows * factors[:, None])
    assert max(sizes) <= EVALUATION_BATCH
    assert sum(sizes) == n
