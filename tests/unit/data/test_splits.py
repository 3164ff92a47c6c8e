import gzip

import msgspec
import numpy as np
import pytest
from builders import MNIST

from latentlab.data.fetch import fetch_dataset
from latentlab.data.idx import decode
from latentlab.data.splits import load_split
from latentlab.records.datasets import DATASETS
from latentlab.runtime.errors import UserError

replace = msgspec.structs.replace


@pytest.fixture
def record(planted, tmp_path):
    """Of 50 training and 20 test images, in tmp_path."""
    return fetch_dataset(DATASETS["MNIST"], tmp_path, "local", planted, validation_size=10, log=lambda line: None)


def test_the_images_of_a_split_are_those_of_its_file(record, planted):
    images, labels = load_split(record, "test")
    raw = gzip.decompress((planted / "MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())
    assert images.tobytes() == raw[16:] and images.shape == (20, *MNIST.image_shape) and labels.shape == (20,)
    assert images.flags.writeable and labels.flags.writeable


def test_validation_images_are_held_out_of_training(record, tmp_path):
    train, held_out = (load_split(record, split)[0] for split in ("train", "validation"))
    published = decode((tmp_path / "MNIST/raw/train-images-idx3-ubyte").read_bytes())
    assert (np.concatenate([train, held_out]) == published).all() and len(held_out) == 10


def test_fewer_training_images_are_the_first_and_leave_the_validation_images_as_they_are(record):
    fewer = replace(record, training_size=7)
    assert (load_split(fewer, "train")[0] == load_split(record, "train")[0][:7]).all()
    assert (load_split(fewer, "validation")[0] == load_split(record, "validation")[0]).all()


def test_sizes_that_leave_no_images_are_refused(record):
    with pytest.raises(UserError, match="validation_size: 50 leaves none of 50 images"):
        load_split(replace(record, validation_size=50), "train")
    with pytest.raises(UserError, match="training_size: 41 is more than the 40 images that validation_size leaves"):
        load_split(replace(record, training_size=41), "train")


def test_a_changed_and_a_missing_file_are_named(record, tmp_path):
    labels = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte"
    raw = labels.read_bytes()
    labels.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(UserError, match=r"t10k-labels-idx1-ubyte has changed since it was verified"):
        load_split(record, "test")
    labels.unlink()
    with pytest.raises(UserError, match=r"t10k-labels-idx1-ubyte is missing"):
        load_split(record, "test")
