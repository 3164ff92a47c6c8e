import json

import numpy as np
import pytest

from latentlab import atlas

RNG = np.random.default_rng(0)


def test_neighbours_of_clusters_that_are_shared_or_not():
    """Classes 0 and 1 share one cluster, three codes of 0 to one of 1; class 2 has its own; there is no class 3."""
    shared, own = RNG.normal(0, 1, (4000, 2)), RNG.normal(50, 1, (500, 2))
    labels = np.concatenate([np.where(np.arange(4000) % 4, 0, 1), np.full(500, 2)]).astype(np.uint8)
    matrix = atlas.neighbours(np.concatenate([shared, own]), labels, classes=4)
    assert matrix[:3].sum(axis=1) == pytest.approx(1)
    expected = [[0.75, 0.25, 0, 0], [0.75, 0.25, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert matrix == pytest.approx(np.array(expected), abs=0.02)


def test_a_code_is_not_its_own_neighbour():
    far_apart = np.arange(10.0)[:, None] ** 2 * [1, 0]
    assert np.trace(atlas.neighbours(far_apart, np.arange(10), k=1)) == 0


def test_overlaps_name_the_pairs_that_mix_most():
    matrix = np.array([[0.5, 0.1, 0.4], [0.3, 0.7, 0.0], [0.2, 0.0, 0.8]])
    found = atlas.overlaps(matrix, ["4", "7", "9"], count=2)
    assert found == [["4", "9", pytest.approx(0.3)], ["4", "7", pytest.approx(0.2)]]
    json.dumps(found)
    assert len(atlas.overlaps(matrix, ["4", "7", "9"], count=9)) == 3


def test_empty_mass_of_full_half_and_no_plane():
    middles = (np.arange(40) + 0.5) / 5 - 4
    everywhere = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
    assert atlas.empty_mass(everywhere) == 0
    assert atlas.empty_mass(everywhere[everywhere[:, 0] < 0]) == pytest.approx(0.5)
    assert atlas.empty_mass(np.array([[9.0, 9.0]])) == pytest.approx(1)
    hole = np.abs(everywhere).max(axis=1) < 1
    assert atlas.empty_mass(everywhere[~hole]) == pytest.approx(0.6827**2, abs=1e-3)


@pytest.fixture
def plane():
    """A fine grid that decodes well everywhere: positions, distance, probabilities."""
    side = np.linspace(-3, 3, 61)
    positions = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return positions, np.full(len(positions), 1.0), np.tile([0.9] + [0.1 / 9] * 9, (len(positions), 1))


def near(positions, z, radius=0.15):
    """Which positions lie in a patch small enough for one failure."""
    return np.linalg.norm(positions - z, axis=1) < radius


def test_no_failure_where_all_is_well_or_only_far_out(plane):
    positions, distance, probabilities = plane
    distance[np.linalg.norm(positions, axis=1) > 2.01] = 9
    assert atlas.failures(positions, distance, 2.0, probabilities) == []


def test_planted_failures_are_found_once_each_the_worst_first_in_turns(plane):
    positions, distance, probabilities = plane
    distance[near(positions, [1, 1])] = 3
    distance[near(positions, [-1, 0])] = 4
    distance[near(positions, [0, -1])] = 5
    probabilities[near(positions, [0, 1.5])] = [0.5, 0.5] + [0] * 8
    found = atlas.failures(positions, distance, 2.0, probabilities)
    assert [failure["kind"] for failure in found] == ["far", "ambiguous", "far", "far"]
    patches = np.array([[0, -1], [0, 1.5], [-1, 0], [1, 1]])
    assert near(np.array([failure["z"] for failure in found]), patches).all()
    assert found[0]["distance"] == 5 and found[1]["confidence"] == 0.5
    assert all(positions[failure["index"]].tolist() == failure["z"] for failure in found)
    json.dumps(found)


def test_failures_are_few_and_apart_and_of_both_kinds_though_every_position_fails(plane):
    positions, distance, probabilities = plane
    found = atlas.failures(positions, distance + RNG.random(len(distance)), 0.5, probabilities / 2, count=4)
    assert [failure["kind"] for failure in found] == ["far", "ambiguous"] * 2
    z = np.array([failure["z"] for failure in found])
    gaps = np.linalg.norm(z[:, None] - z, axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() >= 0.4 and np.linalg.norm(z, axis=1).max() <= 2


def test_one_kind_alone_fills_the_list(plane):
    positions, distance, probabilities = plane
    assert {f["kind"] for f in atlas.failures(positions, distance, 0.5, probabilities)} == {"far"}
    found = atlas.failures(positions, distance, 2.0, probabilities / 2)
    assert len(found) == 6 and {f["kind"] for f in found} == {"ambiguous"}
