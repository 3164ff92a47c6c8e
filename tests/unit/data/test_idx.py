import struct

import numpy as np
import pytest

from latentlab.data.idx import FILES, decode, encode, encode_splits, read_split

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([7, 1], dtype=np.uint8)


def test_a_file_is_a_magic_number_the_shape_and_the_bytes():
    assert encode(IMAGES) == struct.pack(">4I", 2051, 2, 3, 4) + bytes(range(24))
    assert encode(LABELS) == struct.pack(">2I", 2049, 2) + b"\x07\x01"


@pytest.mark.parametrize("array", [IMAGES, LABELS, IMAGES[:0]])
def test_decoding_undoes_encoding(array):
    assert decode(encode(array)).shape == array.shape and (decode(encode(array)) == array).all()


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack(">4I", 2052, 2, 3, 4) + bytes(24),
        encode(IMAGES)[:-1],
        encode(IMAGES) + b"\0",
        struct.pack(">2I", 2049, 2**32 - 1) + b"\x07\x01",
    ],
    ids=["wrong magic number", "cut short", "too long", "claims to be huge"],
)
def test_a_file_that_is_not_idx_is_refused(raw):
    with pytest.raises(ValueError):
        decode(raw)


def test_each_published_split_has_its_files():
    splits = {"train": (IMAGES, LABELS), "test": (IMAGES[:1], LABELS[:1])}
    files = encode_splits(splits)
    assert list(files) == [*FILES["train"], *FILES["test"]]
    for split, (images, labels) in splits.items():
        read_images, read_labels = read_split(files, split)
        assert (read_images == images).all() and (read_labels == labels).all()
