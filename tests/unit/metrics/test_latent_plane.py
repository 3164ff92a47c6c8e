import json

import msgspec
import numpy as np
import pytest
from builders import GreyFeature, flat_images, grey_images

from latentlab.metrics.grids import grid_points
from latentlab.metrics.latent_plane import (
    coverage,
    find_failures,
    interpolation_paths,
    interpolation_smoothness,
)
from latentlab.metrics.realism import RealImages
from latentlab.records.metrics import FailureShares

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def real():
    return RealImages(GreyFeature(), *grey_images())


def test_coverage_counts_the_classes_of_the_images_that_pass_as_real(real):
    measured = coverage(real, flat_images(3, 13, 24, 250), np.zeros((4, 2)), 2, 10)
    assert measured.precision == sum(measured.class_share) == 0.75
    assert measured.class_share[3] == 0.5 and measured.class_share[4] == 0.25 and len(measured.class_share) == 10


def test_landmarks_are_the_most_real_pictures_of_the_largest_classes_and_the_least_real_ones(real):
    """A grid of 4 × 4 images in which greys above 200 are unlike any of the planted images, 0 to 99."""
    greys = [3, 13, 23, 7, 17, 5, 240, 30, 250, 8, 18, 28, 38, 9, 19, 210]
    measured = coverage(real, flat_images(*greys), grid_points(*[np.arange(4.0)] * 2), 4, 10)
    assert [landmark.nearest for landmark in measured.typical] == [8, 3, 7]
    assert all(landmark.realism >= 1 for landmark in measured.typical)
    assert (measured.typical[1].row, measured.typical[1].column) == (0, 0)
    worst = [(landmark.row, landmark.column) for landmark in measured.unrealistic]
    assert worst == [(2, 0), (1, 2), (3, 3)] and all(landmark.realism < 1 for landmark in measured.unrealistic)


def test_unrealistic_landmarks_are_a_quarter_of_the_grid_apart(real):
    greys = [250] * 8 + [0] * 56
    measured = coverage(real, flat_images(*greys), grid_points(*[np.arange(8.0)] * 2), 8, 10)
    assert [landmark.column for landmark in measured.unrealistic] == [0, 2, 4]


def test_pictures_are_counted_apart_near_the_origin_and_at_the_rim(real):
    positions = np.array([[0, 0], [1, 1], [2.5, 0], [3.5, 0], [0, -4]])
    measured = coverage(real, flat_images(5, 250, 250, 250, 6), positions, 5, 10)
    assert measured.inner == 0.5 and measured.outer == 0.5
    assert coverage(real, flat_images(5), np.zeros((1, 2)), 1, 10).outer is None


def test_paths_run_straight_between_codes():
    codes = RNG.normal(size=(50, 3))
    paths = interpolation_paths(codes, n=7, steps=4)
    assert paths.shape == (7, 5, 3)
    assert np.diff(paths, axis=1) == pytest.approx(np.diff(paths, axis=1)[:, :1].repeat(4, 1), abs=1e-6)
    ends = paths[:, [0, -1]].reshape(-1, 3)
    assert all((np.abs(codes - end).sum(1) < 1e-5).any() for end in ends)


def test_a_steady_fade_has_equal_steps_and_a_switch_has_one_step(real):
    fade = np.stack([flat_images(*np.linspace(0, 90, 11))])
    switch = np.stack([flat_images(*[0] * 5, *[90] * 6)])
    still = np.stack([flat_images(*[7] * 11)])
    assert interpolation_smoothness(real, fade).max_step_ratio == pytest.approx(1)
    assert interpolation_smoothness(real, switch).max_step_ratio == pytest.approx(10)
    assert interpolation_smoothness(real, still).max_step_ratio == 1


def test_the_ends_of_lines_are_measured_apart_from_what_lies_between(real):
    detour = np.stack([flat_images(10, *[200] * 9, 20), flat_images(10, *[200] * 8, 30, 240)])
    measured = interpolation_smoothness(real, detour)
    assert measured.precision == pytest.approx(1 / 18) and measured.ends_precision == 0.75


def test_the_interval_of_the_jump_holds_it_and_narrows_with_the_number_of_lines(real):
    def measure(n):
        return interpolation_smoothness(real, RNG.random((n, 11, 784)))

    few, many = measure(5), measure(200)
    for low, high in (few.max_step_ratio_interval, many.max_step_ratio_interval):
        assert low <= few.max_step_ratio <= high or low <= many.max_step_ratio <= high
    assert np.ptp(many.max_step_ratio_interval) < np.ptp(few.max_step_ratio_interval)


REAL = FailureShares(unrealistic=0.1, ambiguous=0.1)


@pytest.fixture
def plane():
    """A fine grid that decodes well everywhere: positions, realism, probabilities."""
    side = np.linspace(-3, 3, 61)
    positions = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return positions, np.full(len(positions), 1.0), np.tile([0.9] + [0.1 / 9] * 9, (len(positions), 1))


def within(positions, z, radius=0.15):
    """Which positions lie in a patch small enough for one failure."""
    return np.linalg.norm(positions - z, axis=1) < radius


def test_there_is_no_failure_where_every_image_is_good_or_only_distant_ones_are_bad(plane):
    positions, realism, probabilities = plane
    realism[np.linalg.norm(positions, axis=1) > 2.01] = 0.1
    metrics = find_failures(positions, realism, probabilities, REAL)
    assert metrics.failures == () and metrics.share == FailureShares(unrealistic=0, ambiguous=0)
    assert metrics.real == REAL


def test_each_planted_failure_is_listed_once_with_kinds_in_turn_and_the_worst_first(plane):
    positions, realism, probabilities = plane
    realism[within(positions, [1, 1])] = 0.9
    realism[within(positions, [-1, 0])] = 0.5
    realism[within(positions, [0, -1])] = 0.2
    probabilities[within(positions, [0, 1.5])] = [0.5, 0.5] + [0] * 8
    metrics = find_failures(positions, realism, probabilities, REAL)
    failures = metrics.failures
    assert [failure.kind for failure in failures] == ["unrealistic", "ambiguous", "unrealistic", "unrealistic"]
    patches = np.array([[0, -1], [0, 1.5], [-1, 0], [1, 1]])
    assert within(np.array([failure.z for failure in failures]), patches).all()
    assert failures[0].realism == 0.2 and failures[1].confidence == 0.5
    assert all(tuple(positions[failure.index]) == failure.z for failure in failures)
    assert metrics.share.unrealistic == pytest.approx(3 * metrics.share.ambiguous)
    json.dumps(msgspec.to_builtins(failures))


def test_failures_are_few_and_apart_and_of_both_kinds_though_every_position_fails(plane):
    positions, realism, probabilities = plane
    realism = realism / 2 - RNG.random(len(realism)) / 4
    failures = find_failures(positions, realism, probabilities / 2, REAL, count=4).failures
    assert [failure.kind for failure in failures] == ["unrealistic", "ambiguous"] * 2
    z = np.array([failure.z for failure in failures])
    gaps = np.linalg.norm(z[:, None] - z, axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() >= 0.4 and np.linalg.norm(z, axis=1).max() <= 2


def test_a_single_kind_fills_the_list(plane):
    positions, realism, probabilities = plane
    unrealistic = find_failures(positions, realism / 2, probabilities, REAL).failures
    assert {failure.kind for failure in unrealistic} == {"unrealistic"}
    ambiguous = find_failures(positions, realism, probabilities / 2, REAL).failures
    assert len(ambiguous) == 6 and {failure.kind for failure in ambiguous} == {"ambiguous"}
