"""From stored images to what a model sees. Stored images are uint8, (n, rows, columns), or in colour (n, 3, rows,
columns)."""

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from latentlab.records.settings import ModelSettings

EVALUATION_BATCH = 500  # the feature maps of more images do not fit into the processor's cache
MAX_ROTATION = 10.0  # degrees; the limits of what `augment` does
MAX_STRETCH = 0.1  # share of the image's size
MAX_SHIFT = 1.0  # pixels


def to_tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """The images of a split as a uint8 tensor, and its labels as an int64 tensor."""
    return torch.tensor(images), torch.tensor(labels, dtype=torch.int64)


def to_pixels(images: np.ndarray | Tensor) -> Tensor:
    """uint8 images (n, rows, columns) as float32 pixels in [0, 1], (n, P)."""
    return torch.as_tensor(images).flatten(1).float().div_(255)


def model_input(images: Tensor, settings: ModelSettings, training: bool = False) -> Tensor:
    """The pixels that a model is given of uint8 images, (n, P).

    With `binarise` each pixel is drawn anew as 0 or 1, its grey value being the probability of a 1 (Salakhutdinov &
    Murray 2008). `binarise: training` does so while training only: as noise, against overfitting.
    """
    x = to_pixels(images)
    binarise = settings.binarise is True or (training and settings.binarise == "training")
    return (torch.rand_like(x) < x).float() if binarise else x


def random_affine(images: Tensor) -> Tensor:
    """uint8 images (n, rows, columns) or (n, 3, rows, columns), each rotated, stretched and shifted at random; new
    pixels at the edges are 0."""
    n, rows, columns = len(images), *images.shape[-2:]
    aspect = rows / columns  # affine_grid's coordinates run from -1 to 1 along both sides, however long they are
    angle, width, height, right, down = (torch.rand(5, n, device=images.device) * 2 - 1).unbind()
    angle, width, height = angle * math.radians(MAX_ROTATION), 1 + MAX_STRETCH * width, 1 + MAX_STRETCH * height
    right, down = 2 * MAX_SHIFT / columns * right, 2 * MAX_SHIFT / rows * down
    cos, sin = angle.cos(), angle.sin()
    x = torch.stack([width * cos, -height * sin * aspect, right], dim=1)
    y = torch.stack([width * sin / aspect, height * cos, down], dim=1)
    positions = functional.affine_grid(torch.stack([x, y], dim=1), [n, 1, rows, columns], align_corners=False)
    channels = images.view(n, -1, rows, columns).float()
    moved = functional.grid_sample(channels, positions, align_corners=False)
    return moved.view(images.shape).round().to(torch.uint8)


def split_batches(size: int, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Batches of at most `size` rows of each of `tensors`, in order."""
    return zip(*(tensor.split(size) for tensor in tensors), strict=True)


def map_batches(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """What `function` gives for all rows of `tensors`, (n, ...), computed for `EVALUATION_BATCH` rows at a time.

    The results of all batches go into one tensor. If each were kept until the end, it would lie in memory between the
    feature maps of two batches, whose freed memory could not be used again: convolutions took up to 4 GiB.
    """
    results: Tensor | None = None
    for start, batch in zip(itertools.count(0, EVALUATION_BATCH), split_batches(EVALUATION_BATCH, *tensors)):
        rows = function(*batch)
        if results is None:
            results = rows.new_empty(len(tensors[0]), *rows.shape[1:])
        results[start : start + len(rows)] = rows
    assert results is not None, "even an empty tensor is split into one batch"
    return results
