import json

import msgspec
import numpy as np
import pytest
from builders import flat_images

from latentlab.metrics.latent_plane import (
    coverage,
    find_failures,
    interpolation_paths,
    interpolation_smoothness,
    uncovered_prior_mass,
)
from latentlab.metrics.neighbours import ReferenceImages
from latentlab.records.metrics import InterpolationSmoothness

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def reference():
    """Training images that are flat greys from 0 to 99, and held-out ones half a grey between them."""
    greys = np.arange(100)
    images = np.repeat(greys, 784).reshape(-1, 28, 28).astype(np.uint8)
    return ReferenceImages(images, greys % 10, flat_images(*greys[:-1] + 0.5))


def test_coverage_counts_the_classes_of_the_nearest_images(reference):
    measured = coverage(reference, flat_images(3, 13, 23, 250), 10)
    assert measured.near == 0.75 and measured.class_share[3] == 0.75 and measured.class_share[9] == 0.25
    assert len(measured.class_share) == 10


def test_paths_run_straight_between_codes():
    codes = RNG.normal(size=(50, 3))
    paths = interpolation_paths(codes, n=7, steps=4)
    assert paths.shape == (7, 5, 3)
    assert np.diff(paths, axis=1) == pytest.approx(np.diff(paths, axis=1)[:, :1].repeat(4, 1), abs=1e-6)
    ends = paths[:, [0, -1]].reshape(-1, 3)
    assert all((np.abs(codes - end).sum(1) < 1e-5).any() for end in ends)


def test_a_steady_fade_has_equal_steps_and_a_switch_has_one_step(reference):
    fade = np.stack([flat_images(*np.linspace(0, 90, 11))])
    switch = np.stack([flat_images(*[0] * 5, *[90] * 6)])
    still = np.stack([flat_images(*[7] * 11)])
    assert interpolation_smoothness(reference, fade).max_step_ratio == pytest.approx(1)
    assert interpolation_smoothness(reference, switch).max_step_ratio == pytest.approx(10)
    assert interpolation_smoothness(reference, still) == InterpolationSmoothness(max_step_ratio=1.0, near=1.0)


def test_uncovered_mass_of_a_full_a_half_full_and_an_empty_plane():
    middles = (np.arange(40) + 0.5) / 5 - 4
    everywhere = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
    assert uncovered_prior_mass(everywhere) == 0
    assert uncovered_prior_mass(everywhere[everywhere[:, 0] < 0]) == pytest.approx(0.5)
    assert uncovered_prior_mass(np.array([[9.0, 9.0]])) == pytest.approx(1)
    hole = np.abs(everywhere).max(axis=1) < 1
    assert uncovered_prior_mass(everywhere[~hole]) == pytest.approx(0.6827**2, abs=1e-3)


@pytest.fixture
def plane():
    """A fine grid that decodes well everywhere: positions, distance, probabilities."""
    side = np.linspace(-3, 3, 61)
    positions = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return positions, np.full(len(positions), 1.0), np.tile([0.9] + [0.1 / 9] * 9, (len(positions), 1))


def within(positions, z, radius=0.15):
    """Which positions lie in a patch small enough for one failure."""
    return np.linalg.norm(positions - z, axis=1) < radius


def test_there_is_no_failure_where_every_image_is_good_or_only_distant_ones_are_bad(plane):
    positions, distance, probabilities = plane
    distance[np.linalg.norm(positions, axis=1) > 2.01] = 9
    assert find_failures(positions, distance, 2.0, probabilities).failures == ()


def test_each_planted_failure_is_listed_once_with_kinds_in_turn_and_the_worst_first(plane):
    positions, distance, probabilities = plane
    distance[within(positions, [1, 1])] = 3
    distance[within(positions, [-1, 0])] = 4
    distance[within(positions, [0, -1])] = 5
    probabilities[within(positions, [0, 1.5])] = [0.5, 0.5] + [0] * 8
    failures = find_failures(positions, distance, 2.0, probabilities).failures
    assert [failure.kind for failure in failures] == ["far", "ambiguous", "far", "far"]
    patches = np.array([[0, -1], [0, 1.5], [-1, 0], [1, 1]])
    assert within(np.array([failure.z for failure in failures]), patches).all()
    assert failures[0].distance == 5 and failures[1].confidence == 0.5
    assert all(tuple(positions[failure.index]) == failure.z for failure in failures)
    json.dumps(msgspec.to_builtins(failures))


def test_failures_are_few_and_apart_and_of_both_kinds_though_every_position_fails(plane):
    positions, distance, probabilities = plane
    failures = find_failures(positions, distance + RNG.random(len(distance)), 0.5, probabilities / 2, count=4).failures
    assert [failure.kind for failure in failures] == ["far", "ambiguous"] * 2
    z = np.array([failure.z for failure in failures])
    gaps = np.linalg.norm(z[:, None] - z, axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() >= 0.4 and np.linalg.norm(z, axis=1).max() <= 2


def test_a_single_kind_fills_the_list(plane):
    positions, distance, probabilities = plane
    assert {failure.kind for failure in find_failures(positions, distance, 0.5, probabilities).failures} == {"far"}
    ambiguous = find_failures(positions, distance, 2.0, probabilities / 2).failures
    assert len(ambiguous) == 6 and {failure.kind for failure in ambiguous} == {"ambiguous"}
