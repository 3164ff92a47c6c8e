"""Labels by Bayes' rule from a conditional VAE, how far the answers can be trusted, and what other classifiers reach.

log p(x, y) = log p(x|y) + log p(y) for each of ten labels: its softmax over them is p(y|x), its logsumexp log p(x).
The encoder and the decoder see the label under question, never the true one. log p(x|y) comes by three methods:
`elbo` and `importance_weighted`, bounds for any latent dimension, and `exact`, the integral, for d ≤ 2. A bound's gap
differs from label to label, so only `exact` gives the model's own posterior.
"""

import math
import warnings
from functools import partial

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, roc_auc_score

from latentlab.analysis import NEIGHBOURS, neighbour_accuracy
from latentlab.errors import UserError
from latentlab.likelihood import CHECKED, bounds, exact
from latentlab.models import CLASSES, VAE
from latentlab.objectives import likelihood_of
from latentlab.quality import probabilities
from latentlab.training import to_pixels

BATCH = 500  # images at a time: their pixels under one label are 1.6 MB
BINS = 15  # of confidence, as Guo et al. 2017 have it
TEMPERATURES = (1e-2, 1e3)
MISTAKES = 10
STEPS = 100  # of L-BFGS, for the logistic regression


def log_prior(labels):
    """log p(y) `(10,)` from the frequencies of labels `(n,)`; one more of each keeps every class possible."""
    counts = np.bincount(labels, minlength=CLASSES) + 1
    return np.log(counts / counts.sum())


@torch.no_grad()
def log_joint(model, settings, images, prior, samples, positions, seed=0):
    """log p(x, y) of uint8 images `(n, 28, 28)` with every label: method → array `(n, 10)`, nats.

    A model of binary pixels, too, is shown the grey ones, which are their means: one draw of 0s and 1s would throw away
    what the grey says. The cross-entropy is then the mean over such draws.

    Args:
        prior: log p(y), `(10,)`.
        samples: draws of each code for the two bounds; the ten labels of an image share their noise, so that it moves
            them together.
        positions: a side of the grid for `exact`.

    Raises:
        UserError: the model is no conditional VAE.
    """
    if not (model.conditional and isinstance(model, VAE)):
        raise UserError(
            "only a conditional VAE can tell labels apart: set `family: vae`, or one like it, and `conditional: true`"
        )
    torch.manual_seed(seed)
    likelihood, x = likelihood_of(settings), to_pixels(torch.tensor(images))
    parts = []
    for some in x.split(BATCH):
        noise = torch.randn(samples, len(some), model.latent_dim)
        parts.append(under_every_label(partial(bounds, model, likelihood, noise=noise), some))
    elbo, importance_weighted = torch.cat(parts, dim=1)
    found = {"elbo": elbo, "importance_weighted": importance_weighted}
    if model.latent_dim <= 2:
        found["exact"] = under_every_label(partial(exact, model, likelihood, count=positions), x)
    return {method: values.double().numpy() + prior for method, values in found.items()}


def under_every_label(measure, x):
    """`measure(x, y)`, whose last axis is the B images of x, with each label y for all of them: one more axis of 10."""
    return torch.stack([measure(x, torch.full((len(x),), label)) for label in range(CLASSES)], dim=-1)


@torch.no_grad()
def grid_error(model, settings, images, positions):
    """How far a grid twice as fine moves log p(x|y): the mean over labels and the first `CHECKED` images, nats; None
    for d > 2, where there is no grid."""
    if model.latent_dim > 2:
        return None
    likelihood, x = likelihood_of(settings), to_pixels(torch.tensor(images[:CHECKED]))
    coarse, fine = (
        under_every_label(partial(exact, model, likelihood, count=count), x) for count in (positions, 2 * positions)
    )
    return (fine - coarse).abs().mean().item()


def measure(log_joint, labels, temperature=1.0):
    """How good posteriors softmax(log_joint / T) `(n, 10)` are against labels `(n,)`.

    `accuracy`; `nll`, the negative log-likelihood of the true labels in nats per image; `ece`, the expected calibration
    error (Naeini et al. 2015), and the `bins` that it averages.
    """
    log_posterior = log_softmax(log_joint / temperature, axis=1)
    right = log_posterior.argmax(axis=1) == labels
    bins = reliability(np.exp(log_posterior.max(axis=1)), right)
    return {
        "accuracy": float(right.mean()),
        "nll": float(-log_posterior[np.arange(len(labels)), labels].mean()),
        "ece": sum(one["share"] * abs(one["accuracy"] - one["confidence"]) for one in bins),
        "bins": bins,
    }


def reliability(confidence, right, bins=BINS):
    """Equally wide bins of confidence `(n,)` that hold answers, ascending: the `share` of the answers in each, their
    mean `confidence` and their `accuracy`, from `right`, bool `(n,)`."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "share": float((place == i).mean()),
            "confidence": float(confidence[place == i].mean()),
            "accuracy": float(right[place == i].mean()),
        }
        for i in np.unique(place)
    ]


def fit_temperature(log_joint, labels):
    """The one T > 0 that minimises the `nll` of softmax(log_joint / T) (Guo et al. 2017).

    Dependent pixels are summed as if they were independent, so a generative posterior tends to be too sure: T > 1.
    """
    best = minimize_scalar(
        lambda log_t: measure(log_joint, labels, math.exp(log_t))["nll"],
        bounds=tuple(map(math.log, TEMPERATURES)),
        method="bounded",
    )
    return math.exp(best.x)


def mistakes(log_joint, labels, temperature=1.0, count=MISTAKES):
    """The wrong answers that are surest of themselves, worst first: `index`, `label`, `predicted`, `confidence`."""
    log_posterior = log_softmax(log_joint / temperature, axis=1)
    predicted, confidence = log_posterior.argmax(axis=1), np.exp(log_posterior.max(axis=1))
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")[:count]]
    return [
        {
            "index": int(i),
            "label": int(labels[i]),
            "predicted": int(predicted[i]),
            "confidence": float(confidence[i]),
        }
        for i in worst
    ]


def confused(counts, most=3):
    """The likeliest mistakes in a confusion matrix `(10, 10)`, true labels down the rows: label, answer, and the share
    of that label's images; the largest share first."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    worst = np.argsort(-shares, axis=None, kind="stable")[:most]
    pairs = np.column_stack(np.unravel_index(worst, shares.shape)).tolist()
    return [[label, answer, float(shares[label, answer])] for label, answer in pairs if shares[label, answer] > 0]


def auroc(log_joint, foreign):
    """How well log p(x) tells the model's own images from foreign ones, log joints `(n, 10)` and `(m, 10)`.

    The probability that an own image has the larger log p(x) of the two: 1 sets them apart, ½ is chance, and below ½
    the foreign images are the likelier ones (Nalisnick et al. 2019).
    """
    own = np.repeat([1, 0], [len(log_joint), len(foreign)])
    return float(roc_auc_score(own, logsumexp(np.concatenate([log_joint, foreign]), axis=1)))


def evaluate(joints, labels):
    """What each method's answers are worth.

    Args:
        joints: split → method → log joint `(n, 10)`, for `validation`, on which the temperature is fitted, `test`, and
            `foreign`, the test images of another data set.
        labels: split → labels `(n,)`, for the first two.

    Returns:
        `methods`: the figures of each; `best`: the one to show, and the `mistakes` of its tempered posterior.
    """
    methods = {}
    for method, joint in joints["test"].items():
        temperature = fit_temperature(joints["validation"][method], labels["validation"])
        counts = confusion_matrix(labels["test"], joint.argmax(axis=1), labels=np.arange(CLASSES))
        methods[method] = measure(joint, labels["test"]) | {
            "temperature": temperature,
            "tempered": measure(joint, labels["test"], temperature),
            "confusion": counts.tolist(),
            "confused": confused(counts),
            "auroc": auroc(joint, joints["foreign"][method]),
        }
    best = "exact" if "exact" in methods else "importance_weighted"
    shown = mistakes(joints["test"][best], labels["test"], methods[best]["temperature"])
    return {"methods": methods, "best": best, "mistakes": shown}


def baselines(train, test, cnn):
    """What discriminative classifiers reach; train and test are pairs of images and labels (training.tensors).

    `neighbours`: the majority of the 5 nearest training images, in pixels. `logistic`: multinomial logistic regression
    on the plain pixels, at most `STEPS` steps of L-BFGS, with scikit-learn's own L2 penalty. `cnn`: the classifier that
    judges samples, as it is given (quality.train_judge).
    """
    (x, y), (test_x, test_y) = ((to_pixels(images).numpy(), y.numpy()) for images, y in (train, test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early, as said
        logistic = LogisticRegression(max_iter=STEPS).fit(x, y)
    # every class was seen, so the columns of both are the ten labels
    found = {"logistic": logistic.predict_proba(test_x), "cnn": probabilities(cnn, test_x)}
    tiny = np.finfo(np.float32).tiny
    return {"neighbours": {"accuracy": neighbour_accuracy(x, y, test_x, test_y), "k": NEIGHBOURS}} | {
        name: measure(np.log(np.maximum(values, tiny)), test_y) for name, values in found.items()
    }
