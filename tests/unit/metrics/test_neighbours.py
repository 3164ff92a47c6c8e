import json

import numpy as np
import pytest

from latentlab.metrics.neighbours import (
    class_separation,
    neighbour_accuracy,
    neighbour_class_shares,
    overlapping_classes,
)

RNG = np.random.default_rng(0)


def class_circle(distance, n=1000):
    """Points of ten classes on a circle of radius `distance`, in units of their own standard deviation; and labels."""
    labels = np.arange(n) % 10
    angle = 2 * np.pi * labels / 10
    return distance * np.stack([np.cos(angle), np.sin(angle)], 1) + RNG.normal(size=(n, 2)), labels


def test_neighbour_accuracy_is_1_for_separate_classes_and_chance_for_noise():
    labels = np.arange(1000) % 10
    clusters = np.stack([np.cos(labels), np.sin(labels)], 1) * 10 + RNG.normal(0, 0.01, (1000, 2))
    assert neighbour_accuracy(clusters[:800], labels[:800], clusters[800:], labels[800:]) == 1
    noise = RNG.normal(size=(1000, 2))
    assert neighbour_accuracy(noise[:800], labels[:800], noise[800:], labels[800:]) < 0.25


def test_separation_is_high_for_separate_classes_and_low_for_noise():
    separate, noise = (class_separation(*class_circle(distance), 10) for distance in (50, 0))
    assert separate.silhouette.mean > 0.8 and separate.neighbour_accuracy.classes == (1,) * 10
    assert abs(noise.silhouette.mean) < 0.1 and noise.neighbour_accuracy.mean < 0.25


def test_separation_is_measured_class_by_class():
    points, labels = class_circle(50)
    points[labels == 3] = points[labels == 4]  # two classes in one place
    silhouette = class_separation(points, labels, 10).silhouette.classes
    assert max(silhouette[3], silhouette[4]) < 0.1 and min(silhouette[:3] + silhouette[5:]) > 0.8


def test_a_point_is_not_its_own_neighbour():
    points = np.arange(100.0)[:, None]
    assert class_separation(points, np.arange(100) % 10, 10).neighbour_accuracy.mean < 0.2
    spread_out = np.arange(10.0)[:, None] ** 2 * [1, 0]
    assert np.trace(neighbour_class_shares(spread_out, np.arange(10), 10, k=1)) == 0


def test_neighbour_shares_of_clusters_that_are_shared_or_not():
    """Classes 0 and 1 share a cluster, three codes of 0 to one of 1; class 2 has its own; class 3 has no codes."""
    shared, separate = RNG.normal(0, 1, (4000, 2)), RNG.normal(50, 1, (500, 2))
    labels = np.concatenate([np.where(np.arange(4000) % 4, 0, 1), np.full(500, 2)]).astype(np.uint8)
    shares = neighbour_class_shares(np.concatenate([shared, separate]), labels, n_classes=4)
    assert shares[:3].sum(axis=1) == pytest.approx(1)
    expected = [[0.75, 0.25, 0, 0], [0.75, 0.25, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert shares == pytest.approx(np.array(expected), abs=0.02)


def test_overlaps_are_the_pairs_that_mix_most():
    shares = np.array([[0.5, 0.1, 0.4], [0.3, 0.7, 0.0], [0.2, 0.0, 0.8]])
    pairs = overlapping_classes(shares, ("4", "7", "9"), count=2)
    assert pairs == (("4", "9", pytest.approx(0.3)), ("4", "7", pytest.approx(0.2)))
    json.dumps(pairs)
    assert len(overlapping_classes(shares, ("4", "7", "9"), count=9)) == 3
