"""A sweep: one model config at several latent dimensions and seeds."""

from collections.abc import Sequence

import numpy as np

from latentlab.records.base import Record
from latentlab.records.metrics import MeanStd, ModelMetrics, SampleQuality, SweepMetrics

SATURATION_TOLERANCE = 0.5  # nats by which a bound may lie below the best and count as equally good, at least


class SweepPoint(Record, frozen=True):
    """One training of a sweep."""

    metrics: ModelMetrics
    samples: SampleQuality


def summarise_sweep(points: list[SweepPoint], pca_errors: dict[int, float]) -> SweepMetrics:
    """Means and standard deviations over the seeds, by latent dimension.

    Args:
        pca_errors: squared error of PCA on the test images at each dimension.
    """
    dims = sorted({point.metrics.latent_dim for point in points})
    first = points[0].metrics
    measures = [(point.metrics.latent_dim, _measures(point)) for point in points]
    summary = {
        name: mean_std([[values[name] for d, values in measures if d == dim] for dim in dims])
        for name in measures[0][1]
    }
    bound = summary["importance_weighted"]
    best = int(np.argmax(bound.mean))
    threshold = bound.mean[best] - max(bound.std[best], SATURATION_TOLERANCE)
    return SweepMetrics(
        model=first.model,
        settings=first.settings,
        dims=tuple(dims),
        seeds=len({point.metrics.seed for point in points}),
        weights=tuple(point.metrics.weights for point in points),
        pca=tuple(pca_errors[d] for d in dims),
        best_dim=dims[best],
        saturation_dim=next(d for d, mean in zip(dims, bound.mean, strict=True) if mean >= threshold),
        **summary,
    )


def _measures(point: SweepPoint) -> dict[str, float]:
    """The measures of one training that a sweep follows."""
    test, likelihood = point.metrics.test, point.metrics.likelihood
    assert test.negative_elbo is not None and test.kl is not None and likelihood is not None, "only VAEs are swept"
    return {
        "squared_error": test.squared_error,
        "negative_elbo": test.negative_elbo,
        "reconstruction": test.reconstruction,
        "kl": test.kl,
        "active_units": point.metrics.latents.active_units,
        "importance_weighted": likelihood.importance_weighted,
        "frechet": point.samples.frechet,
        "frechet_real": point.samples.frechet_real,
    }


def mean_std(values: Sequence[Sequence[float] | np.ndarray]) -> MeanStd:
    """Mean and standard deviation of each of several samples."""
    return MeanStd(mean=tuple(float(np.mean(v)) for v in values), std=tuple(float(np.std(v)) for v in values))
