"""A model's codes: the contents of codes.npz, and what is measured of them."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor
from torch import Tensor

from latentlab.metrics.bounds import evaluated_pixels
from latentlab.metrics.grids import class_centres
from latentlab.metrics.latent_units import active_units
from latentlab.metrics.morphometrics import measure_shapes, shape_correlations
from latentlab.metrics.neighbours import (
    class_separation,
    neighbour_accuracy,
    neighbour_class_shares,
    overlapping_classes,
)
from latentlab.models.inference import Integrated, encode_and_integrate, encode_images
from latentlab.models.networks import LatentModel
from latentlab.records.metrics import LatentMetrics, ShapeCorrelations

N_VOTES = 50  # nearest codes whose classes give the class probabilities at a position


def encode_splits(model: LatentModel, splits: dict[str, tuple[Tensor, Tensor]]) -> dict[str, np.ndarray]:
    """The codes and labels of the training and the test images, as codes.npz holds them; images are grey, also those of
    a model that was trained on binary pixels.

    Args:
        splits: "train" and "test" → uint8 images (n, rows, columns) and labels (n,).

    Returns:
        Arrays `{split}_{name}` for each `name` that `encode_images` gives; `{split}_labels` `(n,)`.
    """
    images, labels = _join_splits(splits)
    return _split_codes(encode_images(model, images, labels), labels, splits)


def infer_splits(
    model: LatentModel, splits: dict[str, tuple[Tensor, Tensor]], tolerance: float
) -> tuple[dict[str, np.ndarray], Integrated | None]:
    """What `encode_splits` returns, and of a model without an encoder also the posteriors of the test images' pixels as
    it sees them (`bounds.evaluated_pixels`), to the tolerance, nats per image."""
    if model.has_encoder:
        return encode_splits(model, splits), None
    (images, labels), (test_images, test_labels) = _join_splits(splits), splits["test"]
    x = evaluated_pixels(model, test_images)
    codes, integrated = encode_and_integrate(model, images, labels, x, test_labels, tolerance)
    return _split_codes(codes, labels, splits), integrated


def _join_splits(splits: dict[str, tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Images and labels of both splits: together, because a model without an encoder decodes its plane for them."""
    images, labels = (torch.cat(parts) for parts in zip(splits["train"], splits["test"], strict=True))
    return images, labels


def _split_codes(
    codes: dict[str, np.ndarray], labels: Tensor, splits: dict[str, tuple[Tensor, Tensor]]
) -> dict[str, np.ndarray]:
    n_train = len(splits["train"][0])
    return {
        f"{split}_{name}": values[part]
        for split, part in (("train", slice(n_train)), ("test", slice(n_train, None)))
        for name, values in (codes | {"labels": labels.numpy()}).items()
    }


def measure_latents(
    arrays: dict[str, np.ndarray], test_images: np.ndarray, classes: tuple[str, ...]
) -> tuple[LatentMetrics, ShapeCorrelations | None]:
    """What is measured of the codes, and for a plane their correlation with the images' shapes.

    Args:
        arrays: of `encode_splits`.
        test_images: the test images that were encoded, uint8 `(n, rows, columns)`.
        classes: names of the classes.
    """
    train, train_labels, test, test_labels = (
        arrays[f"{split}_{name}"] for split in ("train", "test") for name in ("codes", "labels")
    )
    is_plane = test.shape[1] == 2
    low, high = np.quantile(test, [0.01, 0.99], axis=0)
    shares = neighbour_class_shares(test, test_labels, len(classes)) if is_plane else None
    latents = LatentMetrics(
        std=tuple(test.std(axis=0).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        neighbour_accuracy=neighbour_accuracy(train, train_labels, test, test_labels),
        mutual_information=mutual_information(test, test_labels),
        active_units=active_units(test),
        separation=class_separation(test, test_labels, len(classes)),
        overlaps=None if shares is None else overlapping_classes(shares, classes),
        centres=_centres(test, test_labels, len(classes)) if is_plane else None,
    )
    return latents, shape_correlations(test, measure_shapes(test_images)) if is_plane else None


def _centres(codes: np.ndarray, labels: np.ndarray, n_classes: int) -> tuple[tuple[float, float] | None, ...]:
    centres = class_centres(codes, labels, n_classes)
    return tuple(None if np.isnan(centre).any() else tuple(centre.tolist()) for centre in centres)


def share_within(codes: np.ndarray, axis: np.ndarray) -> float:
    """Share of codes `(n, d)` between the ends of a grid's `axis` in every dimension."""
    return float(((codes >= axis[0]) & (codes <= axis[-1])).all(axis=1).mean())


def mutual_information(codes: np.ndarray, labels: np.ndarray, seed: int = 0) -> float:
    """A held-out lower bound on the mutual information of codes `(n, d)` and classes `(n,)`, nats, up to sampling error
    (Barber & Agakov 2003), and never below 0.

    It is the entropy of the class minus the cross-entropy, on one half of the codes, of the class shares among the
    nearest codes of the other half. One more vote, divided among all classes (Laplace), keeps probabilities above 0.
    """
    classes, labels = np.unique(labels, return_inverse=True)
    votes = np.eye(len(classes))[labels]
    train_codes, test_codes, train_votes, test_votes = train_test_split(codes, votes, train_size=0.5, random_state=seed)
    k = min(N_VOTES, len(train_codes))
    shares = KNeighborsRegressor(k).fit(train_codes, train_votes).predict(test_codes)
    probabilities = (k * shares + 1 / len(classes)) / (k + 1)
    prior = test_votes.mean(axis=0)
    entropy = -(prior * np.log(np.where(prior > 0, prior, 1))).sum()
    cross_entropy = -np.log((probabilities * test_votes).sum(axis=1)).mean()
    return float(max(0.0, entropy - cross_entropy))
