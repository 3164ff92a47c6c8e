"""Images of one's own: PNG or JPEG files in one folder for each class, checked, resized and split."""

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from latentlab.data import npy
from latentlab.records.data import DataRecord, ImageFolder
from latentlab.records.datasets import Dataset
from latentlab.runtime.errors import UserError, user_message
from latentlab.runtime.files import atomic_write, is_hidden, sha256

EXTENSIONS = (".png", ".jpg", ".jpeg")
FORMATS = ("PNG", "JPEG")
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}  # of Pillow, with at most 8 bits per channel
MIN_IMAGES = 20  # of a class: with fewer, a split may hold one or two of them
MAX_BYTES = 500_000_000  # of all images in memory

RESIZE: dict[str, Callable[..., Image.Image]] = {
    "stretch": Image.Image.resize,
    "crop": ImageOps.fit,
    "pad": ImageOps.pad,
}
Log = Callable[[str], object]


def prepare_images(
    dataset: Dataset, source: ImageFolder, resources: str | Path, training_size: int | None = None, log: Log = print
) -> DataRecord:
    """Read the images in a folder of one's own, write them into `resources` as the models see them, and return their
    record.

    Args:
        training_size: how many images are trained on at most; None: all that are not held out.
        log: takes a line about what was read.

    Raises:
        UserError: the folder does not hold what the declaration says, or a file cannot be used.
    """
    paths, labels = find_images(dataset, Path(source.folder))
    images = np.stack([read_image(path, dataset, source.resize) for path in paths])
    train, validation, test = split_indices(labels, source)
    held_in = np.concatenate([train, validation])
    splits = {name: (images[indices], labels[indices]) for name, indices in (("train", held_in), ("test", test))}
    folder, checksums = Path(resources) / dataset.name / "raw", {}
    for name, raw in npy.encode_splits(splits).items():
        with atomic_write(folder / name) as partial:
            partial.write_bytes(raw)
        checksums[name] = hashlib.sha256(raw).hexdigest()
    log(f"{source.folder}: {len(images)} images; {len(train)} to train on, {len(validation)} and {len(test)} held out")
    return DataRecord(
        dataset=dataset.name,
        own=dataset,
        source="images",
        folder=str(folder),
        sha256=checksums,
        validation_size=len(validation),
        training_size=training_size if training_size and training_size < len(train) else None,
        originals=digest_of_files(paths, Path(source.folder)),
    )


def find_images(dataset: Dataset, folder: Path) -> tuple[list[Path], np.ndarray]:
    """The image files of all classes, sorted, and their labels, uint8 (n,).

    Raises:
        UserError: the folder does not hold the classes of the declaration, or too few or too many images.
    """
    from torchvision.datasets.folder import make_dataset  # slow to import

    if not folder.is_dir():
        raise UserError(f"{folder}: not a folder; name the one that holds a folder of images for each class")
    found = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for name in dataset.classes:
        if name not in found:
            raise UserError(f"{folder / name}: not a folder; put the images of class {name} there")
        if (folder / name).is_symlink():
            raise UserError(f"{folder / name}: a symlink; put the images of class {name} there themselves")
        if not os.access(folder / name, os.R_OK | os.X_OK):
            raise UserError(f"{folder / name}: this folder cannot be read; change its permissions")
    if unknown := sorted(found - set(dataset.classes)):
        raise UserError(
            f"{folder / unknown[0]}: not among the classes of {dataset.name}; add it to them, or move it away"
        )
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and path.is_dir():  # which could lead to another class, or back to its own folder
            raise UserError(f"{path}: a symlink; replace it by the folder itself, or remove it")
    indices = {name: label for label, name in enumerate(dataset.classes)}
    samples = make_dataset(str(folder), indices, extensions=EXTENSIONS, allow_empty=True)
    samples = [(Path(path), label) for path, label in samples if not is_hidden(Path(path).relative_to(folder))]
    counts = Counter(label for _, label in samples)
    for label, name in enumerate(dataset.classes):
        if counts[label] < MIN_IMAGES:
            raise UserError(
                f"{folder / name}: {counts[label] or 'no'} PNG or JPEG files; put at least {MIN_IMAGES} images of class"
                f" {name} there"
            )
    if len(samples) * dataset.n_pixels > MAX_BYTES:
        rows, columns = dataset.size
        raise UserError(
            f"{folder}: {len(samples)} images of {rows}×{columns} pixels are more than fit into memory; make the size "
            "smaller, or leave images out"
        )
    return [path for path, _ in samples], np.array([label for _, label in samples], np.uint8)


def read_image(path: Path, dataset: Dataset, resize: str) -> np.ndarray:
    """An image as the models see it, uint8, of the shape of the data set. Photographs are turned upright as their EXIF
    data say; what is transparent becomes black.

    Raises:
        UserError: the file is a symlink, is not an image that can be read, or has more than 8 bits per channel.
    """
    if path.is_symlink():
        raise UserError(f"{path}: a symlink; replace it by the image itself, or remove it")
    if not path.is_file():
        raise UserError(f"{path}: not a file; remove it")
    rows, columns = dataset.size
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # which WeasyPrint sets: half an image would be grey below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # more pixels than any photograph has
            with Image.open(path, formats=FORMATS) as file:
                if file.mode not in MODES:
                    raise ValueError(f"mode {file.mode}: it may have at most 8 bits per channel")
                image = on_black(ImageOps.exif_transpose(file))
    except Exception as error:  # Pillow raises many kinds for damaged files
        if user_message(error):
            raise
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{path}: not an image that can be read ({reason}); replace or remove it") from error
    pixels = np.asarray(RESIZE[resize](image.convert("RGB" if dataset.n_channels > 1 else "L"), (columns, rows)))
    return np.moveaxis(pixels, -1, 0) if dataset.n_channels > 1 else pixels


def on_black(image: Image.Image) -> Image.Image:
    """An image without transparency."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")


def split_indices(labels: np.ndarray, source: ImageFolder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The images to train on, to validate on and to test on: indices, drawn by the seed in equal shares from each
    class, at least one, in random order."""
    rng = np.random.default_rng(source.seed)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        n_test, n_validation = (
            max(1, round(share * len(indices))) for share in (source.test_share, source.validation_share)
        )
        ends = len(indices) - n_test - n_validation, len(indices) - n_test
        for part, chosen in zip(parts, np.split(indices, ends), strict=True):
            part.append(chosen)
    train, validation, test = (rng.permutation(np.concatenate(part)) for part in parts)
    return train, validation, test


def digest_of_files(paths: list[Path], folder: Path) -> str:
    """One SHA-256 (hex) for the names and the contents of files."""
    lines = (f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
