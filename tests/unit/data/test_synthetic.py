import msgspec
import numpy as np
import pytest
from builders import MNIST
from sklearn.neighbors import KNeighborsClassifier

from latentlab.data import synthetic
from latentlab.data.fetch import fetch_dataset
from latentlab.data.splits import load_split
from latentlab.data.synthetic import write_synthetic
from latentlab.records.datasets import DATASETS
from latentlab.runtime.errors import UserError


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    monkeypatch.setattr(synthetic, "SIZES", {"train": 1500, "test": 300})


@pytest.mark.parametrize("name", DATASETS)
def test_drawn_images_vary_and_are_the_same_for_the_same_seed(name, tmp_path):
    dataset = DATASETS[name]
    record = fetch_dataset(dataset, tmp_path, "synthetic", validation_size=300)
    assert record.sha256 == write_synthetic(dataset, tmp_path / "again")
    assert record.sha256 != write_synthetic(dataset, tmp_path / "other", seed=1)
    images, labels = load_split(record, "train")
    assert images.shape == (1200, *dataset.image_shape) and set(labels) == set(range(dataset.n_classes))
    flat = images.reshape(len(images), -1)
    assert len(np.unique(flat, axis=0)) == len(images)

    test_images, test_labels = load_split(record, "test")
    classifier = KNeighborsClassifier(1).fit(flat, labels)
    accuracy = classifier.score(test_images.reshape(len(test_images), -1), test_labels)
    assert 0.5 < accuracy < 1, "there is something to learn, and something to confuse"


@pytest.mark.parametrize("function", ["draw_letter", "CANVAS"])
@pytest.mark.parametrize("source", ["synthetic", "auto"])
def test_a_data_set_without_a_function_that_draws_it_is_an_error_that_names_it(function, source, tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.data.fetch._is_online", lambda dataset: False)
    letters = msgspec.structs.replace(MNIST, name="Letters", synthetic=function)
    with pytest.raises(UserError, match=f"dataset Letters: there is no synthetic counterpart; .*'{function}'") as error:
        fetch_dataset(letters, tmp_path, source)
    assert "\n" not in str(error.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "no other images are drawn instead"


def test_images_are_drawn_in_the_shape_and_the_classes_of_the_data_set(tmp_path):
    wide = msgspec.structs.replace(MNIST, name="Wide", image_shape=(12, 20), classes=("0", "1", "2"))
    write_synthetic(wide, tmp_path)
    assert synthetic.draw_digit(2, wide.image_shape, np.random.default_rng(0)).shape == (12, 20)
    assert synthetic.draw_garment(2, wide.image_shape, np.random.default_rng(0)).shape == (12, 20)
    raw = (tmp_path / "train-labels-idx1-ubyte").read_bytes()[8:]
    assert set(raw) == {0, 1, 2}
