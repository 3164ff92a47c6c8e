"""Bayes' rule, against a linear-Gaussian model whose p(x|y), and so p(y|x), is known in closed form."""

import math

import numpy as np
import pytest
import torch
from builders import LinearGaussian, block_images, model_spec
from scipy.special import log_softmax, softmax

from latentlab.metrics.baselines import evaluate_baselines
from latentlab.metrics.classification import (
    BATCH_SIZE,
    best_method,
    choose_classifier_grid,
    class_log_prior,
    compute_log_joint,
    confident_mistakes,
    confusions,
    evaluate_methods,
    fit_temperature,
    measure_predictions,
    most_confused,
    ood_auroc,
    ood_scores,
    reliability_bins,
)
from latentlab.models.families import build_model
from latentlab.models.inputs import to_pixels
from latentlab.models.quadrature import LatentGrid
from latentlab.records.metrics import ReliabilityBin
from latentlab.runtime.errors import UserError

N_PIXELS, N_IMAGES = 16, BATCH_SIZE + 200  # more than one batch
EVEN = np.full(10, -math.log(10))
GRID = LatentGrid(step=0.05, limit=5)


def conditional_model(latent_dim=1):
    random = torch.Generator().manual_seed(0)
    weight = 0.2 * torch.randn(N_PIXELS, latent_dim, generator=random)
    offset = 0.5 + 0.2 * torch.randn(10, N_PIXELS, generator=random)  # near enough to be confused
    return LinearGaussian(weight, offset)


@pytest.fixture(scope="module")
def planted_model():
    """The model, and uint8 images (n, 4, 4) that it drew, with their labels."""
    torch.manual_seed(1)
    model, labels = conditional_model(), np.random.default_rng(1).integers(0, 10, N_IMAGES)
    x = model.sample(N_IMAGES, torch.tensor(labels)).numpy()
    return model, (x.clip(0, 1) * 255).round().astype(np.uint8).reshape(-1, 4, 4), labels


def joint(model, images, prior=EVEN):
    """By quadrature."""
    return compute_log_joint(model, images, prior, GRID)["quadrature"]


def closed_form(model, images):
    """log p(x|y), (n, classes)."""
    x = to_pixels(images)
    return torch.stack([model.log_prob(x, label) for label in range(10)], 1).double().numpy()


def test_quadrature_gives_the_closed_form(planted_model):
    model, images, _ = planted_model
    log_joint, expected = joint(model, images), closed_form(model, images) + EVEN
    assert log_joint == pytest.approx(expected, abs=5e-3)
    assert softmax(log_joint, axis=1) == pytest.approx(softmax(expected, axis=1), abs=2e-3)


def test_both_bounds_give_the_closed_form_if_the_encoder_is_the_true_posterior():
    torch.manual_seed(1)
    model = conditional_model(latent_dim=3)
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    joints, expected = compute_log_joint(model, images, EVEN, samples=2000), closed_form(model, images) + EVEN
    assert set(joints) == {"elbo", "importance_weighted"}
    assert joints["importance_weighted"] == pytest.approx(expected, abs=0.1)
    assert (joints["elbo"] < joints["importance_weighted"]).all()


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_labels_that_mean_the_same_have_equal_numbers_to_the_last_bit(latent_dim):
    """The labels of an image share their noise."""
    model = conditional_model(latent_dim)
    model.offset = model.offset[:1].expand(10, N_PIXELS)
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    for values in compute_log_joint(model, images, EVEN, GRID if latent_dim == 2 else None, samples=1).values():
        assert (values == values[:, :1]).all()


def test_the_same_seed_gives_the_same_noise_and_another_seed_other_noise():
    model, images = conditional_model(latent_dim=3), np.zeros((5, 4, 4), dtype=np.uint8)
    first, again, other = (compute_log_joint(model, images, EVEN, samples=2, seed=seed)["elbo"] for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_a_wrong_prior_costs_accuracy(planted_model):
    model, images, labels = planted_model
    steep = np.log(np.array([1 - 9e-12] + [1e-12] * 9))
    with_even, with_steep = (joint(model, images, prior) for prior in (EVEN, steep))
    assert with_steep - with_even == pytest.approx(np.tile(steep - EVEN, (N_IMAGES, 1)))
    assert measure_predictions(with_even, labels).accuracy > 0.5 > measure_predictions(with_steep, labels).accuracy


def test_the_prior_is_the_frequency_of_each_label():
    prior = class_log_prior(np.repeat([0, 3], [90_000, 10_000]), 10)
    assert np.exp(prior) == pytest.approx([0.9, 0, 0, 0.1, 0, 0, 0, 0, 0, 0], abs=1e-4)
    assert np.isfinite(prior).all() and np.exp(prior).sum() == pytest.approx(1)


@pytest.mark.parametrize(("family", "conditional"), [("vae", False), ("autoencoder", True), ("autoencoder", False)])
def test_only_a_conditional_model_with_a_prior_can_classify(family, conditional, planted_model):
    model = build_model(model_spec(family, conditional=conditional, image_shape=(4, 4)))
    with pytest.raises(UserError, match="conditional: true"):
        joint(model, planted_model[1])


def calibrated_posterior(count=40_000, sharpness=2.0):
    """Log posteriors, and labels drawn from them: calibrated by construction."""
    rng = np.random.default_rng(0)
    log_posterior = log_softmax(sharpness * rng.standard_normal((count, 10)), axis=1)
    gumbel = rng.gumbel(size=log_posterior.shape)
    return log_posterior, (log_posterior + gumbel).argmax(axis=1)


def test_a_calibrated_posterior_has_no_calibration_error_and_needs_no_temperature():
    log_posterior, labels = calibrated_posterior()
    predictions = measure_predictions(log_posterior, labels)
    entropy = -(np.exp(log_posterior) * log_posterior).sum(axis=1).mean()
    assert predictions.ece < 0.01 and predictions.nll == pytest.approx(entropy, abs=0.02)
    assert predictions.accuracy == pytest.approx(np.exp(log_posterior).max(axis=1).mean(), abs=0.01)
    assert fit_temperature(log_posterior, labels) == pytest.approx(1, abs=0.03)


def test_the_temperature_of_an_overconfident_posterior_is_its_overconfidence():
    log_posterior, labels = calibrated_posterior()
    overconfident = 5 * log_posterior
    temperature = fit_temperature(overconfident, labels)
    before, after = (measure_predictions(overconfident, labels, t) for t in (1.0, temperature))
    assert temperature == pytest.approx(5, rel=0.05)
    assert after.nll < before.nll - 0.5 and after.ece < 0.02 < before.ece
    assert after.accuracy == before.accuracy


def test_certain_predictions_that_are_half_wrong_have_a_calibration_error_of_a_half():
    certain = np.where(np.eye(10)[np.zeros(100, dtype=int)] == 1, 0.0, -50.0)
    predictions = measure_predictions(certain, np.arange(100) % 2)
    assert predictions.accuracy == predictions.ece == 0.5
    assert predictions.nll == pytest.approx(25)
    assert predictions.bins == (ReliabilityBin(share=1, confidence=1, accuracy=0.5),)


def test_bins_hold_every_prediction_once():
    confidence = np.array([0.0, 0.05, 0.5, 0.51, 1.0])
    bins = reliability_bins(confidence, np.array([True, False, True, True, False]), n_bins=10)
    assert [b.share for b in bins] == pytest.approx([0.4, 0.4, 0.2])
    assert [b.accuracy for b in bins] == [0.5, 1, 0]


def test_mistakes_are_the_wrong_predictions_with_the_most_confident_first():
    posterior = np.full((4, 10), 0.01)
    posterior[[0, 1, 2, 3], [7, 8, 9, 6]] = [0.5, 0.9, 0.99, 0.8]
    mistakes = confident_mistakes(np.log(posterior), np.array([1, 2, 9, 3]), count=2)
    assert [(mistake.index, mistake.label, mistake.predicted) for mistake in mistakes] == [(1, 2, 8), (3, 3, 6)]
    assert mistakes[0].confidence == pytest.approx(0.9 / 0.99)


def test_confusions_list_the_images_so_answered_the_surest_first():
    log_joint = np.log([[0.9, 0.1], [0.2, 0.8], [0.05, 0.95], [0.3, 0.7], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 0, 1])
    found = confusions(((0, 1, 0.75), (1, 0, 1.0)), log_joint, labels, count=2)
    assert [(pair.label, pair.answer, pair.share, pair.indices) for pair in found] == [
        (0, 1, 0.75, (2, 1)),
        (1, 0, 1.0, (4,)),
    ]


def test_the_most_confused_pairs_are_by_share_of_their_label_and_never_correct_ones():
    counts = np.array([[90, 10, 0], [1, 4, 0], [0, 0, 0]])
    assert most_confused(counts) == ((1, 0, 0.2), (0, 1, 0.1))
    assert most_confused(np.diag([3, 4])) == ()


def test_labels_matter_and_images_of_the_model_are_more_probable_than_ood_images(planted_model):
    model, images, labels = planted_model
    ood_images = np.full((60, 4, 4), 255, dtype=np.uint8)
    splits = {"validation": images[:300], "test": images[300:], "ood": ood_images}
    joints = {split: {"quadrature": joint(model, split_images)} for split, split_images in splits.items()}
    known = {"validation": labels[:300], "test": labels[300:]}
    methods = evaluate_methods(joints, known, 10)
    shifted = evaluate_methods(joints, known | {"test": (labels[300:] + 1) % 10}, 10)
    assert set(methods) == {"quadrature"} and best_method(methods) == "quadrature"
    for method, predictions in methods.items():
        assert predictions.accuracy > 0.5 > shifted[method].accuracy + 0.3
        assert np.trace(predictions.confusion) == pytest.approx(400 * predictions.accuracy)
        assert np.sum(predictions.confusion, axis=1).tolist() == np.bincount(labels[300:]).tolist()
    scores = (ood_scores(model, splits[split], joints[split]["quadrature"]) for split in ("test", "ood"))
    assert ood_auroc(*scores) == 1


def test_scores_in_the_wrong_order_have_an_auroc_of_0_and_equal_ones_of_a_half():
    low, high = np.arange(5.0), np.arange(5.0) + 10
    assert (ood_auroc(high, low), ood_auroc(low, high), ood_auroc(low, low)) == (1, 0, 0.5)


def test_images_whose_grey_pixels_bound_their_cross_entropy_are_not_taken_for_less_likely():
    """A model that reconstructs everything: log p(x) then measures only how grey an image is."""
    model = build_model(model_spec(conditional=True))
    grey, black = (np.full((20, 28, 28), value, np.uint8) for value in (128, 0))
    limits = [model.likelihood.max_log_prob(to_pixels(images)).numpy() for images in (grey, black)]
    assert ood_auroc(*limits) == 0
    scores = (
        ood_scores(model, images, limit[:, None] + EVEN) for images, limit in zip((grey, black), limits, strict=True)
    )
    assert ood_auroc(*scores) == 0.5


def test_without_quadrature_the_importance_weighted_bound_is_the_best_method():
    model = build_model(model_spec(latent_dim=3, conditional=True))
    images, _ = block_images(20)
    joints = compute_log_joint(model, images.numpy(), EVEN, samples=2)
    assert set(joints) == {"elbo", "importance_weighted"} and best_method(joints) == "importance_weighted"
    assert choose_classifier_grid(model, images.numpy()) == (None, None)


def test_a_classifier_with_narrower_posteriors_gets_a_finer_grid(planted_model):
    model, images, _ = planted_model
    narrow = LinearGaussian(16 * model.weight, model.offset)
    (wide_grid, wide_error), (narrow_grid, narrow_error) = (choose_classifier_grid(m, images) for m in (model, narrow))
    assert narrow_grid.step < wide_grid.step and max(wide_error, narrow_error) < 0.005


def test_baselines_learn_planted_classes(block_classifier):
    images, labels = block_images(300, seed=1)
    half_wrong = torch.where(torch.arange(300) % 2 == 0, labels, (labels + 1) % 10)
    baselines = evaluate_baselines(block_images(1500), (images, half_wrong), block_classifier, 3, "MNIST", "digest")
    for baseline in (baselines.neighbours, baselines.logistic, baselines.cnn):
        assert baseline.accuracy == pytest.approx(0.5, abs=0.03)
    assert baselines.logistic.nll > 1 and baselines.cnn.nll > 1
    assert (baselines.dataset, baselines.data) == ("MNIST", "digest")
