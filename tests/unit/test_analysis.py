import numpy as np
import pytest

from latentlab import analysis

RNG = np.random.default_rng(0)


def test_neighbours_find_planted_classes_and_only_chance_in_noise():
    labels = np.arange(1000) % 10
    clusters = np.stack([np.cos(labels), np.sin(labels)], 1) * 10 + RNG.normal(0, 0.01, (1000, 2))
    assert analysis.neighbour_accuracy(clusters[:800], labels[:800], clusters[800:], labels[800:]) == 1
    noise = RNG.normal(size=(1000, 2))
    assert analysis.neighbour_accuracy(noise[:800], labels[:800], noise[800:], labels[800:]) < 0.25


def test_extent_of_a_known_gaussian():
    codes = RNG.normal([0, 10], [1, 2], (50_000, 2))
    found = analysis.extent(codes)
    assert found["std"] == pytest.approx([1, 2], rel=0.02)
    assert found["low"] == pytest.approx([-2.326, 10 - 4.653], abs=0.1)
    assert analysis.within(codes, [-4, 0, 4]) == pytest.approx(0.00135, abs=0.001)


@pytest.fixture(scope="module")
def known():
    """Training images that are flat greys from 0 to 99, and held-out ones half a grey between them."""
    greys = np.arange(100)
    images = np.repeat(greys, 784).reshape(-1, 28, 28).astype(np.uint8)
    return analysis.Data(images, greys % 10, (images[:-1] + 0.5) / 255)


def flat(*greys):
    return np.repeat(np.array(greys) / 255, 784).reshape(-1, 784)


def test_near_is_measured_in_the_data_s_own_scale(known):
    assert known.scale == pytest.approx(0.5 * 28 / 255, rel=1e-3)
    assert known.near(flat(10.4, 30.0, 200, 101)).tolist() == [True, True, False, False]


def test_coverage_counts_classes_of_nearest_images(known):
    found = analysis.coverage(known, flat(3, 13, 23, 250))
    assert found["near"] == 0.75 and found["class_share"][3] == 0.75 and found["class_share"][9] == 0.25


def test_lines_run_straight_between_codes():
    codes = RNG.normal(size=(50, 3))
    lines = analysis.lines(codes, pairs=7, steps=4)
    assert lines.shape == (7, 5, 3)
    assert np.diff(lines, axis=1) == pytest.approx(np.diff(lines, axis=1)[:, :1].repeat(4, 1), abs=1e-6)
    assert all((np.abs(codes - line[0]).sum(1) < 1e-5).any() for line in lines)


def test_an_even_fade_has_no_jump_and_a_switch_has_all_of_it(known):
    even = np.stack([flat(*np.linspace(0, 90, 11))])
    switch = np.stack([flat(*[0] * 5, *[90] * 6)])
    assert analysis.smoothness(known, even)["jump"] == pytest.approx(1)
    assert analysis.smoothness(known, switch)["jump"] == pytest.approx(10)
    assert analysis.smoothness(known, np.stack([flat(*[7] * 11)])) == {"jump": 1.0, "near": 1.0}


def test_convergence_is_where_the_validation_loss_was_lowest_and_where_it_had_almost_fallen():
    found = analysis.convergence({"epoch": [1.0, 2, 3, 4, 5], "validation_loss": [200, 100.9, 101.2, 100, 103]})
    assert found == {"best_epoch": 4, "settled_epoch": 2}
    assert analysis.convergence({"epoch": [1.0], "validation_loss": [7]}) == {"best_epoch": 1, "settled_epoch": 1}


def test_a_sweep_is_collected_by_dimension_and_says_where_it_stops_to_pay():
    bounds = {2: [-130, -132], 8: [-100.2, -100.4], 32: [-100, -100.2]}
    runs = [
        {
            "latent_dim": d, "seed": seed, "model": "m", "settings": {}, "weights": f"{d}-{seed}",
            "code": {"active_units": d},
            "test": {"squared_error": 1 / d, "negative_elbo": -value, "reconstruction": 1, "kl": 1},
            "likelihood": {"importance_weighted": value}, "samples": {"frechet": 1, "frechet_real": 0},
        }
        for d, values in bounds.items() for seed, value in enumerate(values)
    ]  # fmt: skip
    found = analysis.collect(runs, {"2": 3.0, "8": 2.0, "32": 1.0})
    assert found["weights"][:2] == ["2-0", "2-1"]
    assert found["dims"] == [2, 8, 32] and found["seeds"] == 2 and found["pca"] == [3, 2, 1]
    assert found["importance_weighted"]["mean"] == pytest.approx([-131, -100.3, -100.1])
    assert found["importance_weighted"]["std"][0] == pytest.approx(1)
    assert found["best"] == 32 and found["saturates"] == 8
