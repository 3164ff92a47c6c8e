"""Synthetic data: images that the project draws itself where the published ones cannot be had.

One function a data set draws one image of a class; a data set's declaration (records/datasets.py) names its function.
Shape, thickness, position and tilt of each image are random, so that there is something to learn and something to
confuse; a seed fixes them all.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from latentlab.data.splits import READERS
from latentlab.records.datasets import Dataset, archive_name
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import atomic_write

SIZES = {"train": 12_000, "test": 2_000}
CANVAS = 56  # pixels per side; images are drawn larger than they are stored
BRUSH_STROKES = 3  # of a character
FONTS = [
    Path(font_source_sans_pro.font_directory, "SourceSansPro-Regular.ttf"),
    Path(font_source_sans_pro.font_directory, "SourceSansPro-Bold.ttf"),
    Path(font_source_serif_pro.font_directory, "SourceSerifPro-It.ttf"),
    Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"),
    Path(matplotlib.get_data_path(), "fonts/ttf/STIXGeneralItalic.ttf"),
]


def write_synthetic(dataset: Dataset, folder: str | Path, seed: int = 0) -> dict[str, str]:
    """Write the synthetic counterpart of a data set in the published files' format.

    Returns:
        File name → SHA-256 (hex).

    Raises:
        UserError: the data set's declaration names no function of this module.
    """
    draw_image = globals().get(dataset.synthetic)
    if not callable(draw_image):
        raise UserError(
            f"dataset {dataset.name}: there is no synthetic counterpart; get the published files, or write a function "
            f"{dataset.synthetic!r} in latentlab/data/synthetic.py"
        )
    rng = np.random.default_rng([seed, len(dataset.name)])
    splits = {}
    for split, size in SIZES.items():
        labels = rng.integers(0, dataset.n_classes, size, dtype=np.uint8)
        splits[split] = np.stack([draw_image(label, dataset.image_shape, rng) for label in labels]), labels
    checksums = {}
    for name, raw in READERS[dataset.reader].encode_splits(splits).items():
        if archive_name(name) in dataset.sha256:
            name, raw = archive_name(name), gzip.compress(raw, mtime=0)
        with atomic_write(Path(folder) / name) as partial:
            partial.write_bytes(raw)
        checksums[name] = hashlib.sha256(raw).hexdigest()
    return checksums


def draw_digit(label: int, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A digit in one of the bundled fonts, uint8 (rows, columns)."""
    image, draw = _canvas()
    font = _font(int(rng.integers(len(FONTS))), int(rng.integers(40, 54)))
    draw.text((CANVAS / 2, CANVAS / 2), str(label), 255, font, "mm", stroke_width=int(rng.integers(0, 3)))
    return _distort(image, shape, rng, tilt=14)


def draw_garment(label: int, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A garment of one of ten kinds, in the order of Fashion-MNIST's classes, uint8 (rows, columns)."""
    image, draw = _canvas()
    grey = int(rng.integers(110, 256))

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def draw_symmetric(points: list[tuple[float, float]]) -> None:
        """A polygon given by its right half: (distance from the middle, height), from top to bottom."""
        right = [(CANVAS / 2 + x, y) for x, y in points]
        left = [(CANVAS / 2 - x, y) for x, y in reversed(points)]
        draw.polygon(right + left, fill=grey)

    shoulder, hem, top, bottom = between(10, 14), between(10, 15), between(4, 9), between(46, 53)
    if label in (0, 2, 4, 6):  # T-shirt, pullover, coat, shirt: sleeves and an opening mostly tell them apart
        reach = between(18, 24)
        end = between(18, 26) if label == 0 else between(32, 48)
        width = between(4, 8)
        draw_symmetric([(4, top), (shoulder, top + 2), (reach, end), (reach - width, end + 3), (shoulder - 1, top + 14),
                        (hem, bottom)])  # fmt: skip
        if label == 4 or (label == 6 and rng.random() < 0.6):
            draw.line([(CANVAS / 2, top), (CANVAS / 2, bottom)], fill=grey // 3, width=2 if label == 4 else 1)
    elif label == 1:  # trouser
        leg, gap = between(8, 12), between(1, 4)
        draw_symmetric([(leg, top), (leg + between(-2, 3), bottom)])
        draw.polygon(
            [(CANVAS / 2, top + between(10, 18)), (CANVAS / 2 + gap, bottom), (CANVAS / 2 - gap, bottom)], fill=0
        )
    elif label == 3:  # dress
        draw_symmetric([(between(4, 8), top), (between(5, 9), between(18, 26)), (between(10, 17), bottom)])
    elif label in (5, 7, 9):  # sandal, sneaker, ankle boot: a shoe, cut open or with a shaft
        heel, toe, sole = between(4, 8), between(46, 52), between(40, 46)
        back = between(5, 16) if label == 9 else between(20, 30)
        front = max(back, between(24, 30))  # height of the shoe at the instep
        draw.polygon([(heel, sole), (heel + between(0, 3), back), (between(20, 26), back), (between(24, 32), front),
                      (toe, sole - between(5, 9)), (toe, sole)], fill=grey)  # fmt: skip
        for _ in range(int(rng.integers(2, 5)) if label == 5 else 0):
            x = between(heel + 4, toe - 8)
            draw.polygon([(x, sole - 3), (x + between(3, 7), back), (x + between(7, 11), sole - 3)], fill=0)
    else:  # bag
        upper, width = between(18, 30), between(17, 24)
        draw_symmetric([(width - between(0, 5), upper), (width, bottom)])
        handle = [CANVAS / 2 - between(6, 12), upper - between(8, 14), CANVAS / 2 + between(6, 12), upper + 10]
        draw.arc(handle, 180, 360, fill=grey, width=int(rng.integers(2, 5)))
    pixels = _distort(image, shape, rng, tilt=4).astype(float)
    noise = rng.normal(1, 0.06, pixels.shape)
    shading = 1 + between(-0.3, 0.3) * np.linspace(-1, 1, shape[0])[:, None]
    return (pixels * (noise * shading)).clip(0, 255).astype(np.uint8)


def draw_character(label: int, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A character of a few brush strokes, uint8 (rows, columns). Each class has one of its own, which is of no script:
    no bundled font has cursive Japanese ones."""
    image, draw = _canvas()
    points = np.random.default_rng([label, BRUSH_STROKES]).uniform(8, CANVAS - 8, (BRUSH_STROKES, 3, 2))
    width = float(rng.uniform(2, 5))
    t = np.linspace(0, 1, 30)[:, None]
    for first, middle, last in points + rng.normal(0, 4, points.shape):
        curve = (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last
        for (x, y), radius in zip(curve, width * np.linspace(1, 0.5, len(curve)), strict=True):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return _distort(image, shape, rng, tilt=14)


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (CANVAS, CANVAS))
    return image, ImageDraw.Draw(image)


def _distort(image: Image.Image, shape: tuple[int, int], rng: np.random.Generator, tilt: float) -> np.ndarray:
    """Rotate, slant, scale and shift a drawing a little, and reduce it to `shape`, rows and columns."""
    angle, slant = np.deg2rad(rng.normal(0, tilt / 2)), rng.normal(0, tilt / 60)
    scale = rng.uniform(0.9, 1.15, 2)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transform = rotation @ [[1, slant], [0, 1]] / scale
    middle = np.full(2, CANVAS / 2)
    shift = middle - transform @ (middle + rng.normal(0, 1.5, 2))
    (a, b), (d, e) = transform
    moved = image.transform(
        image.size, Image.Transform.AFFINE, (a, b, shift[0], d, e, shift[1]), Image.Resampling.BILINEAR
    )
    return np.asarray(moved.resize(shape[::-1], Image.Resampling.BOX))


@cache
def _font(index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS[index]), size)
