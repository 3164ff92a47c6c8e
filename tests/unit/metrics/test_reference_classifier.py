import numpy as np
import pytest
import torch
from builders import MNIST, block_images

from latentlab.metrics.reference_classifier import (
    class_features,
    class_probabilities,
    load_reference_classifier,
    save_reference_classifier,
    train_reference_classifier,
)
from latentlab.models.inputs import to_pixels


def test_it_learns_planted_classes(block_classifier):
    images, labels = block_images(500, seed=1)
    x = to_pixels(images)
    with torch.no_grad():
        assert block_classifier.features(x).shape == (500, 64)
        assert (block_classifier(x).argmax(dim=1) == labels).float().mean() > 0.95
    assert not block_classifier.training


def test_it_is_the_same_from_the_same_seed():
    images, labels = block_images(200)
    first, again, other = (
        train_reference_classifier(MNIST, images, labels, epochs=1, seed=seed).head.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_it_is_the_same_when_it_is_read_again(block_classifier, tmp_path):
    save_reference_classifier(tmp_path / "weights.safetensors", block_classifier)
    loaded = load_reference_classifier(tmp_path / "weights.safetensors", MNIST)
    x = to_pixels(block_images(700)[0]).numpy()
    assert not loaded.training
    assert (class_probabilities(loaded, x) == class_probabilities(block_classifier, x)).all()


def test_probabilities_sum_to_1_and_features_are_double_precision(block_classifier):
    x = to_pixels(block_images(700)[0]).numpy()
    assert class_probabilities(block_classifier, x).sum(axis=1) == pytest.approx(1, abs=1e-5)
    features = class_features(block_classifier, x)
    assert features.shape == (700, 64) and features.dtype == np.float64
