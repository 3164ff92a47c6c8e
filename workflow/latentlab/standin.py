"""Stand-in data: pictures that the project draws itself where the published ones cannot be had.

Ten kinds of garment and ten digits, 28×28 and grey, in the published files' format. Each picture's shape, thickness,
place and tilt are random, so that there is something to learn and something to confuse; a seed fixes all of them.
"""

import struct
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from latentlab.data import FILES, IMAGES_MAGIC, LABELS_MAGIC
from latentlab.files import sha256, whole

SIZES = {"train": 12_000, "test": 2_000}
CANVAS = 56  # pictures are drawn at twice their size, then reduced
FONTS = [
    Path(font_source_sans_pro.font_directory, "SourceSansPro-Regular.ttf"),
    Path(font_source_sans_pro.font_directory, "SourceSansPro-Bold.ttf"),
    Path(font_source_serif_pro.font_directory, "SourceSerifPro-It.ttf"),
    Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"),
    Path(matplotlib.get_data_path(), "fonts/ttf/STIXGeneralItalic.ttf"),
]


def write(dataset, folder, seed=0):
    """Write the four IDX files of `dataset`'s stand-in to `folder` and return their SHA-256 sums by name."""
    rng = np.random.default_rng([seed, len(dataset)])
    picture = digit if dataset == "MNIST" else garment
    sums = {}
    for split, (images_name, labels_name) in FILES.items():
        labels = rng.integers(0, 10, SIZES[split], dtype=np.uint8)
        images = np.stack([picture(label, rng) for label in labels])
        for name, magic, array in ((images_name, IMAGES_MAGIC, images), (labels_name, LABELS_MAGIC, labels)):
            with whole(Path(folder) / name) as partial:
                partial.write_bytes(struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes())
            sums[name] = sha256(Path(folder) / name)
    return sums


def digit(label, rng):
    """A digit from one of the bundled fonts, uint8 `(28, 28)`."""
    image, draw = _canvas()
    font = _font(rng.integers(len(FONTS)), int(rng.integers(40, 54)))
    draw.text((CANVAS / 2, CANVAS / 2), str(label), 255, font, "mm", stroke_width=int(rng.integers(0, 3)))
    return _finish(image, rng, tilt=14)


def garment(label, rng):
    """A garment of one of ten kinds, in the order of Fashion-MNIST's classes, uint8 `(28, 28)`."""
    image, draw = _canvas()
    grey = int(rng.integers(110, 256))

    def between(low, high):
        return float(rng.uniform(low, high))

    def symmetric(points, fill=None):
        """A polygon from its right half, as offsets from the middle, from top to bottom."""
        right = [(CANVAS / 2 + x, y) for x, y in points]
        left = [(CANVAS / 2 - x, y) for x, y in reversed(points)]
        draw.polygon(right + left, fill=grey if fill is None else fill)

    shoulder, hem, top, bottom = between(10, 14), between(10, 15), between(4, 9), between(46, 53)
    if label in (0, 2, 4, 6):  # T-shirt, pullover, coat, shirt: sleeves and an opening tell them apart, not always
        reach = between(18, 24)
        end = between(18, 26) if label == 0 else between(32, 48)
        width = between(4, 8)
        symmetric([(4, top), (shoulder, top + 2), (reach, end), (reach - width, end + 3), (shoulder - 1, top + 14),
                   (hem, bottom)])  # fmt: skip
        if label == 4 or (label == 6 and rng.random() < 0.6):
            draw.line([(CANVAS / 2, top), (CANVAS / 2, bottom)], fill=grey // 3, width=2 if label == 4 else 1)
    elif label == 1:  # trouser
        leg, gap = between(8, 12), between(1, 4)
        symmetric([(leg, top), (leg + between(-2, 3), bottom)])
        draw.polygon(
            [(CANVAS / 2, top + between(10, 18)), (CANVAS / 2 + gap, bottom), (CANVAS / 2 - gap, bottom)], fill=0
        )
    elif label == 3:  # dress
        symmetric([(between(4, 8), top), (between(5, 9), between(18, 26)), (between(10, 17), bottom)])
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
        symmetric([(width - between(0, 5), upper), (width, bottom)])
        handle = [CANVAS / 2 - between(6, 12), upper - between(8, 14), CANVAS / 2 + between(6, 12), upper + 10]
        draw.arc(handle, 180, 360, fill=grey, width=int(rng.integers(2, 5)))
    pixels = _finish(image, rng, tilt=4).astype(float)
    texture = rng.normal(1, 0.06, pixels.shape) * (1 + between(-0.3, 0.3) * np.linspace(-1, 1, 28)[:, None])
    return (pixels * texture).clip(0, 255).astype(np.uint8)


def _canvas():
    image = Image.new("L", (CANVAS, CANVAS))
    return image, ImageDraw.Draw(image)


def _finish(image, rng, tilt):
    """Tilt, slant, scale and shift a drawing a little, and reduce it to 28×28."""
    angle, slant = np.deg2rad(rng.normal(0, tilt / 2)), rng.normal(0, tilt / 60)
    scale = rng.uniform(0.9, 1.15, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [[1, slant], [0, 1]] / scale
    middle = np.full(2, CANVAS / 2)
    shift = middle - turn @ (middle + rng.normal(0, 1.5, 2))
    (a, b), (d, e) = turn
    moved = image.transform(
        image.size, Image.Transform.AFFINE, (a, b, shift[0], d, e, shift[1]), Image.Resampling.BILINEAR
    )
    return np.asarray(moved.resize((28, 28), Image.Resampling.BOX))


_loaded = {}


def _font(which, size):
    key = (int(which), size)
    if key not in _loaded:
        _loaded[key] = ImageFont.truetype(str(FONTS[which]), size)
    return _loaded[key]
