"""A sweep: one model config at several latent dimensions and seeds."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from latentlab.metrics.samples import real_distance
from latentlab.models.precision import shared_settings
from latentlab.records.metrics import MeanStd, SweepMetrics, SweepPoint

SUMMARISED = (
    *("squared_error", "negative_elbo", "reconstruction", "kl"),
    *("active_units", "informative_units", "validation_loss", "importance_weighted", "frechet"),
)


def summarise_sweep(
    points: list[SweepPoint], pca_errors: dict[int, float], reference: dict[str, np.ndarray]
) -> SweepMetrics:
    """Means and standard deviations over the seeds, by latent dimension.

    Args:
        pca_errors: squared error of PCA on the test images at each dimension.
        reference: moments of the features of real images (`samples.reference_moments`).
    """
    points = sorted(points, key=lambda point: (point.latent_dim, point.seed))
    dims = sorted({point.latent_dim for point in points})
    summary = {
        name: mean_std([[getattr(point, name) for point in points if point.latent_dim == d] for d in dims])
        for name in SUMMARISED
    }
    best_dim, saturation_dim, interval = saturation(
        {d: np.array([point.validation_loss for point in points if point.latent_dim == d]) for d in dims}
    )
    return SweepMetrics(
        model=points[0].model,
        settings=shared_settings([point.settings for point in points]),
        dims=tuple(dims),
        seeds=len({point.seed for point in points}),
        weights=tuple(point.weights for point in points),
        frechet_real=real_distance(reference),
        pca=tuple(pca_errors[d] for d in dims),
        best_dim=best_dim,
        saturation_dim=saturation_dim,
        saturation_interval=interval,
        **summary,
    )


def saturation(losses: dict[int, np.ndarray]) -> tuple[int, int, tuple[float, float] | None]:
    """`best_dim`, `saturation_dim` and `saturation_interval` of `SweepMetrics`.

    Args:
        losses: latent dimension, ascending → validation losses by seed, in the same order of seeds.
    """
    best = min(losses, key=lambda d: losses[d].mean())
    for d in losses:
        if d == best:
            break
        low, high = difference_interval(losses[d], losses[best])
        if low <= 0 <= high:
            return best, d, (low, high)
    return best, best, None


def difference_interval(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The interval of the mean difference a − b of paired samples `(n,)`, by Student's t; of one pair it is the
    difference alone."""
    difference = a - b
    if len(difference) == 1:
        return float(difference[0]), float(difference[0])
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    half = float(stats.t.ppf((1 + level) / 2, len(difference) - 1) * error)
    return float(difference.mean()) - half, float(difference.mean()) + half


def mean_std(values: Sequence[Sequence[float] | np.ndarray]) -> MeanStd:
    """Mean and sample standard deviation of each of several samples; that of one value is 0."""
    return MeanStd(
        mean=tuple(float(np.mean(v)) for v in values),
        std=tuple(float(np.std(v, ddof=1)) if len(v) > 1 else 0.0 for v in values),
    )
