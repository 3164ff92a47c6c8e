"""What a latent plane shows: what its decoder draws, how it interpolates, and where it may fail."""

import itertools
from typing import Literal

import numpy as np

from latentlab.metrics.realism import RealImages
from latentlab.records.metrics import (
    Coverage,
    Failure,
    FailureMetrics,
    FailureShares,
    InterpolationSmoothness,
    Landmark,
)

Kind = Literal["unrealistic", "ambiguous"]

N_PATHS, N_STEPS = 100, 10  # straight lines between codes, and steps along each
N_BOOTSTRAP = 1000  # resamples of the lines
AMBIGUOUS_BELOW = 0.6  # an image is ambiguous if its most probable class is less probable than this
PRIOR_LIMIT = 2.0  # standard deviations around the origin that hold 86 % of the prior's mass
MIN_DISTANCE = 0.4  # between reported failures, in units of z
OUTER_LIMIT = 3.0  # standard deviations beyond which lies 1 % of the prior's mass
N_LANDMARKS = 3  # of each kind


def coverage(real: RealImages, pixels: np.ndarray, positions: np.ndarray, columns: int, n_classes: int) -> Coverage:
    """How many images of a decoder grid pass as real, where, and as which classes.

    Args:
        pixels: of the grid's images in reading order, `(n, P)`.
        positions: at which they were decoded, `(n, 2)`.
        columns: images side by side.
    """
    realism, nearest, distance = real.compare(pixels)
    passes, classes, radii = realism >= 1, real.labels[nearest], np.linalg.norm(positions, axis=1)
    shares = np.bincount(classes[passes], minlength=n_classes) / len(pixels)
    rows_columns = np.stack(np.divmod(np.arange(len(pixels)), columns), axis=1)

    def landmark(index: int) -> Landmark:
        row, column = rows_columns[index].tolist()
        return Landmark(
            row=row,
            column=column,
            nearest=int(classes[index]),
            realism=float(realism[index]),
        )

    largest = [label for label in np.argsort(-shares, kind="stable")[:N_LANDMARKS] if shares[label]]
    typical = [int(np.where(passes & (classes == label), distance, np.inf).argmin()) for label in largest]
    unrealistic = _apart(np.where(passes, 0, 1 / realism), rows_columns, columns / 4, N_LANDMARKS)
    return Coverage(
        precision=float(passes.mean()),
        class_share=tuple(shares.tolist()),
        typical=tuple(map(landmark, typical)),
        unrealistic=tuple(map(landmark, unrealistic)),
        inner=_mean_or_none(passes[radii <= PRIOR_LIMIT]),
        outer=_mean_or_none(passes[radii > OUTER_LIMIT]),
    )


def _apart(scores: np.ndarray, positions: np.ndarray, distance: float, count: int) -> list[int]:
    """The indices of the highest positive scores `(n,)`, at most `count`, whose positions `(n, 2)` are at least
    `distance` from each other."""
    scores, chosen = scores.copy(), []
    while len(chosen) < count and scores.any():
        chosen.append(int(scores.argmax()))
        scores[np.linalg.norm(positions - positions[chosen[-1]], axis=1) < distance] = 0
    return chosen


def _mean_or_none(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def interpolation_paths(codes: np.ndarray, seed: int = 0, n: int = N_PATHS, steps: int = N_STEPS) -> np.ndarray:
    """Positions along straight lines between random pairs of codes `(n, d)`: `(n, steps + 1, d)`, ends included."""
    ends = np.random.default_rng(seed).choice(len(codes), (n, 2))
    t = np.linspace(0, 1, steps + 1)[:, None]
    return (codes[ends[:, 0], None] * (1 - t) + codes[ends[:, 1], None] * t).astype(np.float32)


def interpolation_smoothness(real: RealImages, decoded: np.ndarray) -> InterpolationSmoothness:
    """How images, pixels `(n, steps + 1, P)`, change along interpolation paths."""
    step = np.linalg.norm(np.diff(decoded, axis=1), axis=2)
    moving = step.mean(axis=1) > 0
    ratios = step[moving].max(axis=1) / step[moving].mean(axis=1) if moving.any() else np.ones(1)
    resampled = np.random.default_rng(0).choice(ratios, (N_BOOTSTRAP, len(ratios)))
    low, high = np.quantile(np.median(resampled, axis=1), [0.025, 0.975])
    inner, ends = (part.reshape(-1, decoded.shape[2]) for part in (decoded[:, 1:-1], decoded[:, [0, -1]]))
    return InterpolationSmoothness(
        steps=step.shape[1],
        max_step_ratio=float(np.median(ratios)),
        max_step_ratio_interval=(float(low), float(high)),
        precision=real.precision(inner),
        ends_precision=real.precision(ends),
    )


def find_failures(
    positions: np.ndarray,
    realism: np.ndarray,
    probabilities: np.ndarray,
    real: FailureShares,
    prior_limit: float = PRIOR_LIMIT,
    count: int = 6,
) -> FailureMetrics:
    """Where, within `prior_limit` of the origin, decoded images are unlike the data.

    "unrealistic" failures have a realism below 1, "ambiguous" ones a confidence below `AMBIGUOUS_BELOW`. At most
    `count` are listed, at least `MIN_DISTANCE` apart: both kinds alternate, the worst of each first, and a position is
    listed once.

    Args:
        positions: decoded latent positions `(n, 2)`.
        realism: of the decoded images, `(n,)` (`RealImages.compare`).
        probabilities: their class probabilities, `(n, classes)`.
        real: the shares of real images that fail by the same measures (`failure_shares`).
    """
    confidence = probabilities.max(axis=1)
    inside = np.linalg.norm(positions, axis=1) <= prior_limit
    scores: dict[Kind, np.ndarray] = {
        "unrealistic": np.where(inside & (realism < 1), 1 / realism, 0),
        "ambiguous": np.where(inside & (confidence < AMBIGUOUS_BELOW), 1 - confidence, 0),
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
                realism=float(realism[worst]),
                confidence=float(confidence[worst]),
            )
        )
    share = failure_shares(realism[inside], probabilities[inside])
    return FailureMetrics(failures=tuple(failures), share=share, real=real, confidence_limit=AMBIGUOUS_BELOW)


def failure_shares(realism: np.ndarray, probabilities: np.ndarray) -> FailureShares:
    """Shares of images that fail, from their realism `(n,)` and class probabilities `(n, classes)`."""
    ambiguous = probabilities.max(axis=1) < AMBIGUOUS_BELOW
    return FailureShares(unrealistic=float((realism < 1).mean()), ambiguous=float(ambiguous.mean()))
