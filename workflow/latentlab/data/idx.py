"""The IDX format of MNIST and its relatives (yann.lecun.com/exdb/mnist): unsigned bytes behind a short header.

The files lie as torchvision keeps them, `{root}/{dataset}/raw/{file}`.
"""

import struct

import numpy as np

FILES = {  # published split: images, labels
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_MAGIC_BY_DIMENSIONS = {3: 2051, 1: 2049}
_DIMENSIONS_BY_MAGIC = {magic: dimensions for dimensions, magic in _MAGIC_BY_DIMENSIONS.items()}


def read_split(files: dict[str, bytes], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (n, rows, columns), and labels, uint8 (n,), of a published split, from the files' contents."""
    images, labels = (decode(files[name]) for name in FILES[split])
    return images, labels


def decode(raw: bytes) -> np.ndarray:
    """The array in an IDX file.

    Raises:
        ValueError: it is not an IDX file of unsigned bytes, or is cut short.
    """
    (magic,) = struct.unpack(">I", raw[:4])
    if magic not in _DIMENSIONS_BY_MAGIC:
        raise ValueError(f"magic number {magic} is not that of an IDX file of images or labels")
    n_dimensions = _DIMENSIONS_BY_MAGIC[magic]
    offset = 4 + 4 * n_dimensions
    shape = struct.unpack(f">{n_dimensions}I", raw[4:offset])
    return np.frombuffer(raw, dtype=np.uint8, offset=offset).reshape(shape)


def encode(array: np.ndarray) -> bytes:
    """The IDX file of a uint8 array of images (n, rows, columns) or labels (n,)."""
    header = struct.pack(f">{1 + array.ndim}I", _MAGIC_BY_DIMENSIONS[array.ndim], *array.shape)
    return header + array.tobytes()


def encode_splits(splits: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, bytes]:
    """File name → contents, from the images and labels of each published split."""
    return {
        name: encode(array)
        for split, arrays in splits.items()
        for name, array in zip(FILES[split], arrays, strict=True)
    }
