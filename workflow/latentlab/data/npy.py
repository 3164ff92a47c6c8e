"""Images and labels as NumPy's .npy files: the format in which images of one's own are kept once they are prepared."""

import io

import numpy as np

FILES = {  # split: images, labels
    "train": ("train-images.npy", "train-labels.npy"),
    "test": ("test-images.npy", "test-labels.npy"),
}


def read_split(files: dict[str, bytes], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (n, rows, columns) or (n, 3, rows, columns), and labels, uint8 (n,), from the files' contents."""
    images, labels = (np.load(io.BytesIO(files[name])) for name in FILES[split])
    return images, labels


def encode_splits(splits: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, bytes]:
    """File name → contents, from the images and labels of each split."""
    return {
        name: _encode(array)
        for split, arrays in splits.items()
        for name, array in zip(FILES[split], arrays, strict=True)
    }


def _encode(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
