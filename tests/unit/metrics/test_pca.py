import numpy as np
import pytest
import torch
from builders import model_spec
from sklearn.decomposition import PCA

from latentlab.metrics.pca import (
    PCAReference,
    between_class_variance,
    compare_models_with_pca,
    compare_with_pca,
    mean_squared_error,
    pca_errors,
    principal_directions,
    principal_plane,
    project,
)
from latentlab.models.families import build_model

RNG = np.random.default_rng(0)


def rotated_points(n=2000, features=60):
    """Points whose variance falls from direction to direction, in a rotated frame."""
    frame = np.linalg.qr(RNG.normal(size=(features, features)))[0]
    return (RNG.normal(size=(n, features)) * 0.8 ** np.arange(features) @ frame + 3).astype(np.float32)


def test_the_low_rank_plane_is_that_of_scikit_learn():
    points = rotated_points()
    positions, explained = principal_plane(points)
    exact = PCA(2).fit(points)
    assert explained == pytest.approx(exact.explained_variance_ratio_, abs=1e-4)
    assert np.abs(positions) == pytest.approx(np.abs(exact.transform(points)), abs=1e-3)
    assert positions.tobytes() == principal_plane(points)[0].tobytes()


def test_fewer_features_than_the_algorithm_oversamples():
    assert principal_plane(rotated_points(features=2))[1].sum() == pytest.approx(1, abs=1e-5)


def test_a_projection_loses_the_classes_that_lie_along_a_third_direction():
    labels = np.arange(1000) % 10
    corners = RNG.choice([-1, 1], (1000, 3)) * [50, 40, 0]
    points = corners + labels[:, None] * [0, 0, 4] + RNG.normal(0, 0.1, (1000, 3))
    positions, projection = project(points, labels, 10)
    assert positions.shape == (1000, 2) and projection.dimensions == 3
    assert projection.plane.neighbour_accuracy.mean < 0.5 and projection.full.neighbour_accuracy.mean == 1


def pixels(n):
    """Pixels that vary in 20 directions only."""
    images = np.zeros((n, 784), dtype=np.float32)
    images[:, 100:120] = np.random.default_rng(n).random((n, 20)) * 0.9 ** np.arange(20)
    return images


@pytest.fixture(scope="module")
def reference():
    return PCAReference(pixels(1000))


def test_the_reference_has_the_rank_and_the_errors_of_pca(reference):
    test_pixels = pixels(500)
    assert reference.rank == 20
    exact = PCA(5).fit(pixels(1000))
    expected = mean_squared_error(test_pixels, exact.inverse_transform(exact.transform(test_pixels)))
    assert mean_squared_error(test_pixels, reference.reconstruct(test_pixels, 5)) == pytest.approx(expected, rel=1e-4)
    assert mean_squared_error(test_pixels, reference.reconstruct(test_pixels, 20)) < 1e-9


def test_angles_of_planted_subspaces(reference):
    components = reference.pca.components_
    mixed = components[:3].T @ np.random.default_rng(0).normal(size=(3, 3))
    assert reference.angles(mixed) == pytest.approx(0, abs=0.1), "the basis does not matter"
    rotated = np.stack([components[0], np.cos(0.3) * components[1] + np.sin(0.3) * components[7]], axis=1)
    assert reference.angles(rotated) == pytest.approx([np.degrees(0.3), 0], abs=0.1)


def test_pca_compared_with_itself_is_equal_and_an_identity_copies_noise(reference):
    comparison = compare_with_pca(
        "linear",
        model_spec("autoencoder").settings,
        reference,
        {3: lambda x: reference.reconstruct(x, 3), 900: lambda x: x},
        {3: reference.pca.components_[:3].T, 900: np.eye(784, 900)},
        pixels(500),
    )
    assert comparison.dims == (3, 900) and comparison.rank == 20
    assert comparison.error[0] == pytest.approx(comparison.pca[0]) and comparison.error[1] == 0
    assert comparison.angle[0] == pytest.approx(0, abs=0.1) and comparison.angle[1] is None
    assert comparison.median_angle[0] <= comparison.angle[0] and comparison.next_variance[1] is None
    assert comparison.next_variance[0] == pytest.approx(0.81, abs=0.1), "planted: variances fall by 0.9²"
    assert comparison.noise[1] == 0 and comparison.noise[0] == comparison.noise_pca[0] > 0.9


def test_only_a_linear_decoder_spans_a_subspace():
    linear = {"likelihood": "gaussian", "output": "linear"}
    models = [
        build_model(model_spec("autoencoder", latent_dim=2, **linear)),
        build_model(model_spec("autoencoder", latent_dim=3, hidden=(8,), **linear)),
        build_model(model_spec("autoencoder", latent_dim=4, likelihood="gaussian")),
    ]
    comparison = compare_models_with_pca("linear", models, PCAReference(pixels(1000)), pixels(100))
    assert comparison.dims == (2, 3, 4) and comparison.settings == models[0].spec.settings
    assert [angle is None for angle in comparison.angle] == [False, True, True]


def test_a_linear_autoencoder_with_the_weights_of_pca_is_pca(reference):
    model = build_model(model_spec("autoencoder", latent_dim=3, likelihood="gaussian", output="linear"))
    components, mean = torch.tensor(reference.pca.components_[:3]), torch.tensor(reference.pca.mean_)
    with torch.no_grad():
        model.encoder[0].weight.copy_(components)
        model.encoder[0].bias.copy_(-components @ mean)
        model.decoder[0].weight.copy_(components.T)
        model.decoder[0].bias.copy_(mean)
    comparison = compare_models_with_pca("linear", [model], PCAReference(pixels(1000)), pixels(500))
    assert comparison.error[0] == pytest.approx(comparison.pca[0], rel=1e-4)
    assert comparison.angle[0] == pytest.approx(0, abs=0.1)


def test_principal_directions_are_shown_beside_the_weights_of_a_linear_decoder_of_two_dimensions(reference):
    linear = build_model(model_spec("autoencoder", latent_dim=2, likelihood="gaussian", output="linear"))
    other = build_model(model_spec("autoencoder", latent_dim=2, hidden=(8,), likelihood="gaussian"))
    arrays = principal_directions(reference, [linear])
    assert np.allclose(arrays["pca"], reference.pca.components_[:2], atol=1e-6)
    assert np.allclose(arrays["model"], linear.decoder[0].weight.detach().T)
    assert list(principal_directions(reference, [other])) == ["pca"]


def test_variance_between_classes_is_all_of_it_for_points_at_their_centres_and_none_of_it_for_shuffled_labels():
    labels = np.arange(3000) % 3
    centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])[labels]
    noise = np.random.default_rng(0).normal(size=(3000, 2))
    assert between_class_variance(centres, labels) == pytest.approx(1)
    assert between_class_variance(noise, labels) == pytest.approx(0, abs=0.01)
    within = 2 / (2 + 2 * 32 / 9)  # variances: 1 in each direction, and those of the centres
    assert between_class_variance(centres + noise, labels) == pytest.approx(1 - within, abs=0.02)
    assert between_class_variance(np.ones((4, 2)), np.arange(4)) == 0


def test_pca_errors_are_the_variance_left_out():
    """Pixels with planted variances along three axes: PCA with k components leaves those of the others."""
    images = np.full((5000, 784), 0.5)
    images[:, :3] += np.random.default_rng(0).normal(0, [0.1, 0.05, 0.02], (5000, 3))
    errors = pca_errors(images, images, [1, 2, 3])
    assert errors[1] * 784 == pytest.approx(0.05**2 + 0.02**2, rel=0.05)
    assert errors[2] * 784 == pytest.approx(0.02**2, rel=0.05)
    assert errors[3] == pytest.approx(0, abs=1e-8)
