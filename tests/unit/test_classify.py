"""Bayes' rule against a linear-Gaussian model whose p(x|y), and so p(y|x), is known in closed form."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch.distributions import MultivariateNormal

from latentlab import classify, quality
from latentlab.errors import UserError
from latentlab.models import VAE

PIXELS, SIGMA = 16, 0.3
SETTINGS = {
    "family": "vae", "likelihood": "gaussian", "sigma": SIGMA, "output": "linear", "binarise": False,
}  # fmt: skip
EVEN = np.full(10, -math.log(10))


class Planted(VAE):
    """p(x|z, y) = N(W z + b_y, σ²): then p(x|y) = N(b_y, W Wᵀ + σ²), and the encoder is the true posterior (d = 1)."""

    conditional, latent_dim = True, 1

    def __init__(self):
        torch.nn.Module.__init__(self)
        random = torch.Generator().manual_seed(0)
        self.weight = 0.2 * torch.randn(PIXELS, 1, generator=random)
        self.bias = 0.5 + 0.2 * torch.randn(10, PIXELS, generator=random)  # near enough to be confused

    def decode(self, z, y):
        return z @ self.weight.T + self.bias[y]

    def encode(self, x, y):
        variance = 1 / (1 + self.weight.square().sum() / SIGMA**2)
        mean = variance * (x - self.bias[y]) @ self.weight / SIGMA**2
        return mean, variance.log().expand_as(mean)

    def log_likelihoods(self, images):
        """log p(x|y), (n, 10), in closed form."""
        covariance = self.weight @ self.weight.T + SIGMA**2 * torch.eye(PIXELS)
        x = torch.tensor(images).flatten(1).float() / 255
        return torch.stack([MultivariateNormal(bias, covariance).log_prob(x) for bias in self.bias], 1).double().numpy()


@pytest.fixture(scope="module")
def planted():
    """The model, and uint8 images (n, 4, 4) that it drew, with their labels: more than one batch."""
    model, rng = Planted(), np.random.default_rng(1)
    labels = rng.integers(0, 10, 700)
    z = torch.tensor(rng.standard_normal((700, 1)), dtype=torch.float32)
    x = model.decode(z, torch.tensor(labels)).numpy() + SIGMA * rng.standard_normal((700, PIXELS))
    return model, (x.clip(0, 1) * 255).round().astype(np.uint8).reshape(-1, 4, 4), labels


def joint(model, images, prior=EVEN, samples=8, positions=200, seed=0):
    return classify.log_joint(model, SETTINGS, images, prior, samples, positions, seed)


def test_the_integral_and_the_tight_bound_give_the_closed_form(planted):
    model, images, _ = planted
    found, expected = joint(model, images), model.log_likelihoods(images) + EVEN
    for method in ("exact", "importance_weighted"):
        assert found[method] == pytest.approx(expected, abs=5e-3)
        assert softmax(found[method], axis=1) == pytest.approx(softmax(expected, axis=1), abs=2e-3)


def test_the_elbo_is_a_bound_and_comes_to_the_same_posterior(planted):
    model, images, _ = planted
    found, expected = joint(model, images, samples=500)["elbo"], model.log_likelihoods(images) + EVEN
    assert (found - expected).mean() == pytest.approx(0, abs=0.02)  # the encoder is the true posterior: no gap
    assert softmax(found, axis=1) == pytest.approx(softmax(expected, axis=1), abs=0.05)


def test_the_ten_labels_share_their_noise():
    """Labels that mean the same get the same number, to the last bit."""
    model = Planted()
    model.bias = model.bias[:1].expand(10, PIXELS)
    found = joint(model, np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8), samples=1)
    for values in found.values():
        assert (values == values[:, :1]).all()


def test_the_same_seed_gives_the_same_and_another_other_noise(planted):
    model, images, _ = planted
    first, again, other = (joint(model, images[:50], samples=2, seed=seed)["elbo"] for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_a_wrong_prior_costs_answers_and_a_steep_one_decides(planted):
    model, images, labels = planted
    steep = np.log(np.array([1 - 9e-12] + [1e-12] * 9))
    even, uneven = (joint(model, images, prior)["exact"] for prior in (EVEN, steep))
    assert uneven - even == pytest.approx(np.tile(steep - EVEN, (700, 1)))
    assert classify.measure(even, labels)["accuracy"] > 0.5 > classify.measure(uneven, labels)["accuracy"]


def test_the_prior_is_how_often_each_label_comes():
    prior = classify.log_prior(np.repeat([0, 3], [90_000, 10_000]))
    assert np.exp(prior) == pytest.approx([0.9, 0, 0, 0.1, 0, 0, 0, 0, 0, 0], abs=1e-4)
    assert np.isfinite(prior).all() and np.exp(prior).sum() == pytest.approx(1)


def test_a_model_that_takes_no_label_is_refused(planted):
    class Unconditional(Planted):
        conditional = False

    with pytest.raises(UserError, match="conditional: true"):
        joint(Unconditional(), planted[1])


def honest(count=40_000, sharpness=2.0):
    """Log posteriors, and labels drawn from them: calibrated by construction."""
    rng = np.random.default_rng(0)
    log_posterior = log_softmax(sharpness * rng.standard_normal((count, 10)), axis=1)
    gumbel = rng.gumbel(size=log_posterior.shape)
    return log_posterior, (log_posterior + gumbel).argmax(axis=1)


def test_an_honest_posterior_has_no_calibration_error_and_needs_no_temperature():
    log_posterior, labels = honest()
    found = classify.measure(log_posterior, labels)
    entropy = -(np.exp(log_posterior) * log_posterior).sum(axis=1).mean()
    assert found["ece"] < 0.01 and found["nll"] == pytest.approx(entropy, abs=0.02)
    assert found["accuracy"] == pytest.approx(np.exp(log_posterior).max(axis=1).mean(), abs=0.01)
    assert classify.fit_temperature(log_posterior, labels) == pytest.approx(1, abs=0.03)


def test_an_overconfident_posterior_is_cooled_down_by_as_much_as_it_is_too_sure():
    log_posterior, labels = honest()
    too_sure = 5 * log_posterior
    temperature = classify.fit_temperature(too_sure, labels)
    before, after = classify.measure(too_sure, labels), classify.measure(too_sure, labels, temperature)
    assert temperature == pytest.approx(5, rel=0.05)
    assert after["nll"] < before["nll"] - 0.5 and after["ece"] < 0.02 < before["ece"]
    assert after["accuracy"] == before["accuracy"]


def test_answers_that_are_sure_and_half_wrong_miss_by_a_half():
    log_joint = np.where(np.eye(10)[np.zeros(100, dtype=int)] == 1, 0.0, -50.0)
    found = classify.measure(log_joint, np.arange(100) % 2)
    assert found["accuracy"] == found["ece"] == 0.5
    assert found["nll"] == pytest.approx(25) and found["bins"] == [{"share": 1, "confidence": 1, "accuracy": 0.5}]


def test_bins_hold_every_answer_once():
    confidence = np.array([0.0, 0.05, 0.5, 0.51, 1.0])
    bins = classify.reliability(confidence, np.array([True, False, True, True, False]), bins=10)
    assert [one["share"] for one in bins] == pytest.approx([0.4, 0.4, 0.2])
    assert [one["accuracy"] for one in bins] == [0.5, 1, 0]


def test_mistakes_are_the_wrong_answers_surest_first():
    posterior = np.full((4, 10), 0.01)
    posterior[[0, 1, 2, 3], [7, 8, 9, 6]] = [0.5, 0.9, 0.99, 0.8]
    found = classify.mistakes(np.log(posterior), np.array([1, 2, 9, 3]), count=2)
    assert [(one["index"], one["label"], one["predicted"]) for one in found] == [(1, 2, 8), (3, 3, 6)]
    assert found[0]["confidence"] == pytest.approx(0.9 / 0.99)


def test_labels_change_what_is_measured_and_own_images_are_the_likelier_ones(planted):
    model, images, labels = planted
    foreign = np.full((60, 4, 4), 255, dtype=np.uint8)
    joints = {
        split: joint(model, some)
        for split, some in {"validation": images[:300], "test": images[300:], "foreign": foreign}.items()
    }
    known = {"validation": labels[:300], "test": labels[300:]}
    found = classify.evaluate(joints, known)
    shifted = classify.evaluate(joints, known | {"test": (labels[300:] + 1) % 10})
    assert found["best"] == "exact"
    for method in ("elbo", "importance_weighted", "exact"):
        one = found["methods"][method]
        assert one["accuracy"] > 0.5 > shifted["methods"][method]["accuracy"] + 0.3
        assert one["auroc"] == 1 and np.trace(one["confusion"]) == pytest.approx(400 * one["accuracy"])
        assert np.sum(one["confusion"], axis=1).tolist() == np.bincount(labels[300:]).tolist()
    assert classify.auroc(joints["foreign"]["exact"], joints["test"]["exact"]) == 0


def test_a_finer_grid_hardly_moves_the_integral(planted):
    model, images, _ = planted
    assert classify.grid_error(model, SETTINGS, images, 200) < 1e-3 < classify.grid_error(model, SETTINGS, images, 10)


def test_baselines_learn_planted_classes():
    rng = np.random.default_rng(0)

    def pictures(count):
        """Noise with a bright block, whose place is the class."""
        labels = torch.tensor(rng.permutation(np.arange(count) % 10))
        images = torch.tensor(rng.integers(0, 80, (count, 28, 28), dtype=np.uint8))
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 5)
            image[4 + 12 * row : 12 + 12 * row, 5 * column + 2 : 5 * column + 6] = 255
        return images, labels

    train, (images, labels) = pictures(1500), pictures(300)
    half_wrong = torch.where(torch.arange(300) % 2 == 0, labels, (labels + 1) % 10)
    found = classify.baselines(train, (images, half_wrong), quality.train_judge(*train, epochs=3))
    for name in ("neighbours", "logistic", "cnn"):
        assert found[name]["accuracy"] == pytest.approx(0.5, abs=0.03)
    assert found["logistic"]["nll"] > 1 and found["cnn"]["nll"] > 1
