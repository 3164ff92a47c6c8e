"""A conditional VAE as a classifier by Bayes' rule, how far its predictions can be trusted, and other classifiers.

log p(x, y) = log p(x|y) + log p(y) for each label: its softmax over the labels is p(y|x), its logsumexp log p(x).
Encoder and decoder are given each candidate label in turn, never the true one. log p(x|y) is computed by `quadrature`
for d ≤ 2, and for more by two bounds, `elbo` and `importance_weighted`. The gap of a bound differs from label to label,
so only quadrature gives the model's own posterior.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp
from sklearn.metrics import confusion_matrix, roc_auc_score
from torch import Tensor

from latentlab.metrics.bounds import BOUND_SAMPLES, log_likelihood_bounds
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import VAE, LatentModel
from latentlab.models.quadrature import TOLERANCE, LatentGrid, choose_grid, quadrature_log_likelihood
from latentlab.records.metrics import (
    Confusion,
    Method,
    MethodPredictions,
    Mistake,
    Predictions,
    ReliabilityBin,
)
from latentlab.runtime.errors import UserError

BATCH_SIZE = 500  # images at a time
# Of a grid, units of z. Finer ones take minutes and change little: with 0.025, a plane with Fourier features answers
# one of 5,000 validation images differently, and its NLL changes by 0.001 nats.
MIN_CLASSIFIER_STEP = 0.0375
N_BINS = 15  # of confidence, as in Guo et al. (2017)
TEMPERATURE_RANGE = (1e-2, 1e3)
N_MISTAKES = 10
N_CONFUSIONS, N_CONFUSED = 4, 5  # pairs of classes, and images shown of each


def class_log_prior(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """log p(y) `(classes,)` from the frequencies of labels `(n,)`; one more of each keeps every class possible."""
    counts = np.bincount(labels, minlength=n_classes) + 1
    return np.log(counts / counts.sum())


@torch.no_grad()
def compute_log_joint(
    model: LatentModel,
    images: np.ndarray,
    log_prior: np.ndarray,
    grid: LatentGrid | None = None,
    samples: int = BOUND_SAMPLES,
    seed: int = 0,
) -> dict[Method, np.ndarray]:
    """log p(x, y) of uint8 images `(n, rows, columns)` with every label: method → `(n, classes)`, nats.

    A model of binary pixels is given grey ones as well, which are the means of its pixels: one draw of 0s and 1s would
    discard information. The cross-entropy is then its mean over such draws.

    Args:
        log_prior: log p(y), `(classes,)`.
        grid: for quadrature; None: both bounds instead.
        samples: draws of z for both bounds; the labels of an image share their noise, so that it moves them together.

    Raises:
        UserError: the model is not conditional, or has no prior.
    """
    if not (model.conditional and model.generative):
        raise UserError(
            "only a conditional model with a prior can classify: set `conditional: true` and `family: vae` or "
            "`family: exact`"
        )
    x, n_classes = to_pixels(torch.tensor(images)), model.spec.n_classes
    if grid:
        values = map_over_labels(partial(quadrature_log_likelihood, model, grid=grid), x, n_classes)
        return {"quadrature": values.double().numpy() + log_prior}
    assert isinstance(model, VAE), "other models with a prior have at most two latent dimensions"
    torch.manual_seed(seed)
    batches = []
    for batch in x.split(BATCH_SIZE):
        noise = torch.randn(samples, len(batch), model.latent_dim)
        batches.append(map_over_labels(partial(_stack_bounds, model, noise=noise), batch, n_classes))
    elbo, importance_weighted = torch.cat(batches, dim=1).double().numpy() + log_prior
    return {"elbo": elbo, "importance_weighted": importance_weighted}


def choose_classifier_grid(
    model: LatentModel, images: np.ndarray, tolerance: float = TOLERANCE
) -> tuple[LatentGrid, float] | tuple[None, None]:
    """The grid on which a classifier's log p(x|y) is computed, and its error (`quadrature.choose_grid`), from uint8
    images `(n, rows, columns)` of all classes under one label; None for d > 2, where there is no quadrature."""
    if model.latent_dim > 2:
        return None, None
    x = to_pixels(torch.tensor(images))
    return choose_grid(model, x, torch.zeros(len(x), dtype=torch.int64), tolerance, MIN_CLASSIFIER_STEP)


def map_over_labels(log_likelihood: Callable[[Tensor, Tensor], Tensor], x: Tensor, n_classes: int) -> Tensor:
    """`log_likelihood(x, y)`, whose last axis is the images of x, for each label y: with one more axis of
    `n_classes`."""
    return torch.stack([log_likelihood(x, torch.full((len(x),), label)) for label in range(n_classes)], dim=-1)


def _stack_bounds(model: VAE, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
    """The ELBO and the importance-weighted bound, (2, B) nats."""
    bounds = log_likelihood_bounds(model, x, y, noise=noise)
    return torch.stack([bounds.elbo, bounds.importance_weighted])


def measure_predictions(log_joint: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> Predictions:
    """How good the class probabilities softmax(log_joint / T), `(n, classes)`, are against labels `(n,)`."""
    log_posterior = log_softmax(log_joint / temperature, axis=1)
    correct = log_posterior.argmax(axis=1) == labels
    bins = reliability_bins(np.exp(log_posterior.max(axis=1)), correct)
    return Predictions(
        accuracy=float(correct.mean()),
        nll=float(-log_posterior[np.arange(len(labels)), labels].mean()),
        ece=sum(bin.share * abs(bin.accuracy - bin.confidence) for bin in bins),
        bins=bins,
    )


def reliability_bins(confidence: np.ndarray, correct: np.ndarray, n_bins: int = N_BINS) -> tuple[ReliabilityBin, ...]:
    """Bins of equal width of confidence `(n,)`, ascending, without empty ones; `correct` is bool `(n,)`."""
    index = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return tuple(
        ReliabilityBin(
            share=float((index == i).mean()),
            confidence=float(confidence[index == i].mean()),
            accuracy=float(correct[index == i].mean()),
        )
        for i in np.unique(index)
    )


def fit_temperature(log_joint: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T > 0 that minimises the negative log-likelihood of softmax(log_joint / T) (Guo et al. 2017)."""
    low, high = map(math.log, TEMPERATURE_RANGE)
    best = minimize_scalar(
        lambda log_t: measure_predictions(log_joint, labels, math.exp(log_t)).nll, bounds=(low, high), method="bounded"
    )
    return math.exp(best.x)


def confident_mistakes(
    log_joint: np.ndarray, labels: np.ndarray, temperature: float = 1.0, count: int = N_MISTAKES
) -> tuple[Mistake, ...]:
    """The wrong predictions with the highest confidence, the most confident first."""
    log_posterior = log_softmax(log_joint / temperature, axis=1)
    predicted, confidence = log_posterior.argmax(axis=1), np.exp(log_posterior.max(axis=1))
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")[:count]]
    return tuple(
        Mistake(index=int(i), label=int(labels[i]), predicted=int(predicted[i]), confidence=float(confidence[i]))
        for i in worst
    )


def confusions(
    pairs: tuple[tuple[int, int, float], ...], log_joint: np.ndarray, labels: np.ndarray, count: int = N_CONFUSED
) -> tuple[Confusion, ...]:
    """The images behind the most frequent mistakes.

    Args:
        pairs: of `most_confused`.
        log_joint, labels: of the images, `(n, classes)` and `(n,)`.
        count: images of each mistake, at most.
    """
    log_posterior = log_softmax(log_joint, axis=1)
    answers = log_posterior.argmax(axis=1)
    found = []
    for label, answer, share in pairs:
        indices = np.flatnonzero((labels == label) & (answers == answer))
        surest = indices[np.argsort(-log_posterior[indices, answer], kind="stable")[:count]]
        found.append(Confusion(label=label, answer=answer, share=share, indices=tuple(surest.tolist())))
    return tuple(found)


def most_confused(counts: np.ndarray, count: int = N_CONFUSIONS) -> tuple[tuple[int, int, float], ...]:
    """The most frequent mistakes in a confusion matrix `(classes, classes)`, true labels down the rows: true label,
    predicted label, and the share of that label's images; the largest share first."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    worst = np.argsort(-shares, axis=None, kind="stable")[:count]
    pairs = np.column_stack(np.unravel_index(worst, shares.shape)).tolist()
    return tuple(
        (label, predicted, float(shares[label, predicted]))
        for label, predicted in pairs
        if shares[label, predicted] > 0
    )


def ood_auroc(scores: np.ndarray, ood_scores: np.ndarray) -> float:
    """How well scores tell in-distribution images `(n,)` from OOD images `(m,)`: the probability that of a pair the
    in-distribution image has the higher one. 1 separates them, ½ is chance, and below ½ the model finds OOD images the
    more likely ones (Nalisnick et al. 2019)."""
    in_distribution = np.repeat([1, 0], [len(scores), len(ood_scores)])
    return float(roc_auc_score(in_distribution, np.concatenate([scores, ood_scores])))


def ood_scores(model: LatentModel, images: np.ndarray, log_joint: np.ndarray) -> np.ndarray:
    """log p(x) of uint8 images minus the highest log p(x|z) that any decoder with the model's likelihood gives them,
    `(n,)` nats.

    Args:
        log_joint: of `compute_log_joint`, `(n, classes)`.
    """
    return logsumexp(log_joint, axis=1) - model.likelihood.max_log_prob(to_pixels(images)).double().numpy()


def evaluate_methods(
    log_joints: dict[str, dict[Method, np.ndarray]], labels: dict[str, np.ndarray], n_classes: int
) -> dict[Method, MethodPredictions]:
    """The predictions of each method on the test images.

    Args:
        log_joints: split → method → log joint `(n, classes)`, for "validation", on which the temperature is fitted, and
            "test".
        labels: split → labels `(n,)`.
    """
    methods: dict[Method, MethodPredictions] = {}
    for method, joint in log_joints["test"].items():
        temperature = fit_temperature(log_joints["validation"][method], labels["validation"])
        counts = confusion_matrix(labels["test"], joint.argmax(axis=1), labels=np.arange(n_classes))
        predictions = measure_predictions(joint, labels["test"])
        methods[method] = MethodPredictions(
            accuracy=predictions.accuracy,
            nll=predictions.nll,
            ece=predictions.ece,
            bins=predictions.bins,
            temperature=temperature,
            temperature_scaled=measure_predictions(joint, labels["test"], temperature),
            confusion=tuple(map(tuple, counts.tolist())),
        )
    return methods


def best_method(methods: dict[Method, MethodPredictions]) -> Method:
    """The method closest to the model's own posterior."""
    return "quadrature" if "quadrature" in methods else "importance_weighted"
