import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentlab import pca

RNG = np.random.default_rng(0)


def planted(n=2000, features=60):
    """Points whose variance falls from direction to direction, in a turned frame."""
    frame = np.linalg.qr(RNG.normal(size=(features, features)))[0]
    return (RNG.normal(size=(n, features)) * 0.8 ** np.arange(features) @ frame + 3).astype(np.float32)


def clusters(distance, n=1000):
    """Ten classes on a circle whose radius is `distance`, in units of their own spread."""
    labels = np.arange(n) % 10
    turn = 2 * np.pi * labels / 10
    return distance * np.stack([np.cos(turn), np.sin(turn)], 1) + RNG.normal(size=(n, 2)), labels


def test_the_low_rank_plane_is_scikit_learns():
    points = planted()
    positions, explained = pca.plane(points)
    exact = PCA(2).fit(points)
    assert explained == pytest.approx(exact.explained_variance_ratio_, abs=1e-4)
    assert np.abs(positions) == pytest.approx(np.abs(exact.transform(points)), abs=1e-3)
    assert positions.tobytes() == pca.plane(points)[0].tobytes()


def test_fewer_features_than_the_algorithm_would_like():
    assert pca.plane(planted(features=2))[1].sum() == pytest.approx(1, abs=1e-5)


def test_separation_sees_planted_classes_and_none_in_noise():
    apart, noise = (pca.separation(*clusters(distance)) for distance in (50, 0))
    assert apart["silhouette"]["mean"] > 0.8 and apart["neighbour_accuracy"]["classes"] == [1] * 10
    assert abs(noise["silhouette"]["mean"]) < 0.1 and noise["neighbour_accuracy"]["mean"] < 0.25


def test_separation_is_told_class_by_class():
    points, labels = clusters(50)
    points[labels == 3] = points[labels == 4]  # two classes in one place
    found = pca.separation(points, labels)["silhouette"]["classes"]
    assert max(found[3], found[4]) < 0.1 and min(found[:3] + found[5:]) > 0.8


def test_a_point_is_not_its_own_neighbour():
    points = np.repeat(np.arange(100.0), 1)[:, None]
    assert pca.separation(points, np.arange(100) % 10)["neighbour_accuracy"]["mean"] < 0.2


@pytest.fixture(scope="module")
def reference():
    """Pixels that vary in 20 directions only."""
    return pca.Reference(pixels(1000))


def pixels(n):
    images = np.zeros((n, 784), dtype=np.float32)
    images[:, 100:120] = np.random.default_rng(n).random((n, 20)) * 0.9 ** np.arange(20)
    return images


def test_reference_knows_the_rank_and_what_each_dimension_leaves(reference):
    test = pixels(500)
    assert reference.rank == 20
    exact = PCA(5).fit(pixels(1000))
    expected = pca.error(test, exact.inverse_transform(exact.transform(test)))
    assert pca.error(test, reference.reconstruct(test, 5)) == pytest.approx(expected, rel=1e-4)
    assert pca.error(test, reference.reconstruct(test, 20)) < 1e-9


def test_angles_of_planted_subspaces(reference):
    components = reference.pca.components_
    mixed = components[:3].T @ np.random.default_rng(0).normal(size=(3, 3))
    assert reference.angles(mixed) == pytest.approx(0, abs=0.1), "a basis does not matter"
    turned = np.stack([components[0], np.cos(0.3) * components[1] + np.sin(0.3) * components[7]], axis=1)
    assert reference.angles(turned) == pytest.approx([np.degrees(0.3), 0], abs=0.1)


def test_beside_pca_an_equal_is_equal_and_an_identity_copies_noise(reference):
    found = pca.beside(
        reference,
        {3: lambda x: reference.reconstruct(x, 3), 900: lambda x: x},
        {3: reference.pca.components_[:3].T, 900: np.eye(784, 900)},
        pixels(500),
    )
    assert found["dims"] == [3, 900] and found["error"][0] == pytest.approx(found["pca"][0]) and found["error"][1] == 0
    assert found["angle"][0] == pytest.approx(0, abs=0.1) and found["angle"][1] is None
    assert found["median_angle"][0] <= found["angle"][0] and found["next_variance"][1] is None
    assert found["next_variance"][0] == pytest.approx(0.81, abs=0.1), "planted: variances fall by 0.9²"
    assert found["noise"][1] == 0 and found["noise"][0] == found["noise_pca"][0] > 0.9


def test_pca_errors_are_the_variance_left_out():
    """Pixels with planted variances along three axes: PCA with k components leaves the others'."""
    images = np.full((5000, 784), 0.5)
    images[:, :3] += np.random.default_rng(0).normal(0, [0.1, 0.05, 0.02], (5000, 3))
    found = pca.errors(images, images, [1, 2, 3])
    assert found["1"] * 784 == pytest.approx(0.05**2 + 0.02**2, rel=0.05)
    assert found["2"] * 784 == pytest.approx(0.02**2, rel=0.05)
    assert found["3"] == pytest.approx(0, abs=1e-8)
