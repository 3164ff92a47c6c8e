import numpy as np
import pytest

from latentlab import data, standin


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST"])
def test_drawn_data_are_varied_and_the_same_for_the_same_seed(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(standin, "SIZES", {"train": 1500, "test": 300})
    first = standin.write(dataset, tmp_path / "a")
    assert first == standin.write(dataset, tmp_path / "b")
    assert first != standin.write(dataset, tmp_path / "c", seed=1)
    record = {"folder": str(tmp_path / "a"), "sha256": first, "validation_size": 300, "training_size": None}
    images, labels = data.load(record, "train")
    assert images.shape == (1200, 28, 28) and set(labels) == set(range(10))
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)

    from sklearn.neighbors import KNeighborsClassifier

    test_images, test_labels = data.load(record, "test")
    judge = KNeighborsClassifier(1).fit(images.reshape(len(images), -1), labels)
    accuracy = judge.score(test_images.reshape(len(test_images), -1), test_labels)
    assert 0.5 < accuracy < 1, "there is something to learn, and something to confuse"
