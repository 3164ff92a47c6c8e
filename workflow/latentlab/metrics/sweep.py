"""A sweep: one model config at several latent dimensions and seeds."""

from collections.abc import Sequence

import numpy as np

from latentlab.metrics.samples import real_distance
from latentlab.models.precision import shared_settings
from latentlab.records.metrics import MeanStd, SweepMetrics, SweepPoint

SATURATION_TOLERANCE = 0.5  # nats by which a bound may lie below the best and count as equally good, at least
SUMMARISED = (
    *("squared_error", "negative_elbo", "reconstruction", "kl"),
    *("active_units", "importance_weighted", "frechet"),
)


def summarise_sweep(
    points: list[SweepPoint], pca_errors: dict[int, float], reference: dict[str, np.ndarray]
) -> SweepMetrics:
    """Means and standard deviations over the seeds, by latent dimension.

    Args:
        pca_errors: squared error of PCA on the test images at each dimension.
        reference: moments of the features of real images (`samples.reference_moments`).
    """
    dims = sorted({point.latent_dim for point in points})
    summary = {
        name: mean_std([[getattr(point, name) for point in points if point.latent_dim == d] for d in dims])
        for name in SUMMARISED
    }
    bound = summary["importance_weighted"]
    best = int(np.argmax(bound.mean))
    threshold = bound.mean[best] - max(bound.std[best], SATURATION_TOLERANCE)
    return SweepMetrics(
        model=points[0].model,
        settings=shared_settings([point.settings for point in points]),
        dims=tuple(dims),
        seeds=len({point.seed for point in points}),
        weights=tuple(point.weights for point in points),
        frechet_real=real_distance(reference),
        pca=tuple(pca_errors[d] for d in dims),
        best_dim=dims[best],
        saturation_dim=next(d for d, mean in zip(dims, bound.mean, strict=True) if mean >= threshold),
        **summary,
    )


def mean_std(values: Sequence[Sequence[float] | np.ndarray]) -> MeanStd:
    """Mean and standard deviation of each of several samples."""
    return MeanStd(mean=tuple(float(np.mean(v)) for v in values), std=tuple(float(np.std(v)) for v in values))
