"""What a latent plane shows: what its decoder draws, how it interpolates, and where it may fail."""

import itertools
from statistics import NormalDist
from typing import Literal

import numpy as np

from latentlab.metrics.neighbours import ReferenceImages
from latentlab.records.metrics import Coverage, Failure, FailureMetrics, FailureShares, InterpolationSmoothness

Kind = Literal["far", "ambiguous"]

N_PATHS, N_STEPS = 100, 10  # straight lines between codes, and steps along each
AMBIGUOUS_BELOW = 0.6  # an image is ambiguous if its most probable class is less probable than this
PRIOR_LIMIT = 2.0  # standard deviations around the origin that hold 86 % of the prior's mass
MIN_DISTANCE = 0.4  # between reported failures, in units of z


def coverage(reference: ReferenceImages, pixels: np.ndarray, n_classes: int) -> Coverage:
    """Which training images decoded images, pixels `(n, P)`, resemble."""
    distance, index = reference.nearest(pixels)
    shares = np.bincount(reference.labels[index], minlength=n_classes) / len(pixels)
    return Coverage(near=float((distance <= reference.distance_scale).mean()), class_share=tuple(shares.tolist()))


def interpolation_paths(codes: np.ndarray, seed: int = 0, n: int = N_PATHS, steps: int = N_STEPS) -> np.ndarray:
    """Positions along straight lines between random pairs of codes `(n, d)`: `(n, steps + 1, d)`, ends included."""
    ends = np.random.default_rng(seed).choice(len(codes), (n, 2))
    t = np.linspace(0, 1, steps + 1)[:, None]
    return (codes[ends[:, 0], None] * (1 - t) + codes[ends[:, 1], None] * t).astype(np.float32)


def interpolation_smoothness(reference: ReferenceImages, decoded: np.ndarray) -> InterpolationSmoothness:
    """How images, pixels `(n, steps + 1, P)`, change along interpolation paths."""
    step = np.linalg.norm(np.diff(decoded, axis=1), axis=2)
    moving = step.mean(axis=1) > 0
    ratio = np.median(step[moving].max(axis=1) / step[moving].mean(axis=1)) if moving.any() else 1.0
    between = decoded[:, 1:-1].reshape(-1, decoded.shape[2])
    return InterpolationSmoothness(max_step_ratio=float(ratio), near=float(reference.near(between).mean()))


def uncovered_prior_mass(codes: np.ndarray, low: float = -4, high: float = 4, n_cells: int = 40) -> float:
    """Share of the prior N(0, I) in cells without a code, for codes `(n, 2)` and `n_cells`² cells in [low, high]².

    The prior outside the grid is left out. The share depends on the number of codes: even n draws from the prior itself
    leave some cells empty.
    """
    edges = np.linspace(low, high, n_cells + 1)
    mass = np.diff([NormalDist().cdf(edge) for edge in edges])
    prior = np.outer(mass, mass)
    counts, _, _ = np.histogram2d(codes[:, 0], codes[:, 1], bins=(edges, edges))
    return float(prior[counts == 0].sum() / prior.sum())


def find_failures(
    positions: np.ndarray,
    distance: np.ndarray,
    distance_scale: float,
    probabilities: np.ndarray,
    prior_limit: float = PRIOR_LIMIT,
    count: int = 6,
) -> FailureMetrics:
    """Where, within `prior_limit` of the origin, decoded images are unlike the data.

    "far" failures have a distance above the scale, "ambiguous" ones a confidence below `AMBIGUOUS_BELOW`. At most
    `count` are listed, at least `MIN_DISTANCE` apart: both kinds alternate, the worst of each first, and a position is
    listed once.

    Args:
        positions: decoded latent positions `(n, 2)`.
        distance: of each decoded image to its nearest training image, `(n,)`.
        distance_scale: such a distance that is usual for real images.
        probabilities: class probabilities of the decoded images, `(n, classes)`.
    """
    confidence = probabilities.max(axis=1)
    inside = np.linalg.norm(positions, axis=1) <= prior_limit
    is_far, is_ambiguous = distance > distance_scale, confidence < AMBIGUOUS_BELOW
    scores: dict[Kind, np.ndarray] = {
        "far": np.where(inside & is_far, distance / distance_scale, 0),
        "ambiguous": np.where(inside & is_ambiguous, 1 - confidence, 0),
    }
    failures: list[Failure] = []
    for kind in itertools.cycle(scores):
        if len(failures) == count or not any(score.any() for score in scores.values()):
            break
        if not scores[kind].any():
            continue
        worst = int(scores[kind].argmax())
        close = np.linalg.norm(positions - positions[worst], axis=1) < MIN_DISTANCE
        for score in scores.values():
            score[close] = 0
        failures.append(
            Failure(
                index=worst,
                z=tuple(positions[worst].tolist()),
                kind=kind,
                distance=float(distance[worst]),
                confidence=float(confidence[worst]),
            )
        )
    share = FailureShares(far=float(is_far[inside].mean()), ambiguous=float(is_ambiguous[inside].mean()))
    return FailureMetrics(failures=tuple(failures), share=share, distance_scale=distance_scale)
