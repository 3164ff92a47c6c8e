import msgspec
import planted
import pytest

from latentlab.metrics.sweep import SweepPoint, summarise_sweep
from latentlab.records.metrics import SampleQuality

METRICS = planted.model(planted.SETTINGS)["metrics.json"]
BOUNDS = {2: (-130, -132), 8: (-100.2, -100.4), 32: (-100, -100.2)}  # latent dimension → by seed
PCA_ERRORS = {2: 3.0, 8: 2.0, 32: 1.0}


def model_metrics(latent_dim, seed, bound):
    replace = msgspec.structs.replace
    return replace(
        METRICS,
        latent_dim=latent_dim,
        seed=seed,
        weights=f"{latent_dim}-{seed}",
        latents=replace(METRICS.latents, active_units=latent_dim),
        test=replace(METRICS.test, squared_error=1 / latent_dim, negative_elbo=-bound),
        likelihood=replace(METRICS.likelihood, importance_weighted=bound),
    )


def summarise(bounds):
    samples = SampleQuality(frechet=1, frechet_real=0, samples=100)
    points = [
        SweepPoint(metrics=model_metrics(d, seed, bound), samples=samples)
        for d, values in bounds.items()
        for seed, bound in enumerate(values)
    ]
    return summarise_sweep(points, PCA_ERRORS)


def test_a_sweep_is_summarised_by_dimension():
    sweep = summarise(BOUNDS)
    assert sweep.weights[:2] == ("2-0", "2-1") and len(sweep.weights) == 6
    assert sweep.dims == (2, 8, 32) and sweep.seeds == 2 and sweep.pca == (3, 2, 1)
    assert sweep.importance_weighted.mean == pytest.approx([-131, -100.3, -100.1])
    assert sweep.importance_weighted.std[0] == pytest.approx(1)
    assert sweep.squared_error.mean == (1 / 2, 1 / 8, 1 / 32) and sweep.negative_elbo.mean[0] == 131
    assert sweep.active_units.mean == (2, 8, 32) and sweep.frechet.mean == (1, 1, 1)


def test_the_best_dimension_has_the_highest_bound_and_saturation_is_where_it_is_nearly_reached():
    sweep = summarise(BOUNDS)
    assert sweep.best_dim == 32 and sweep.saturation_dim == 8
    sweep = summarise(BOUNDS | {8: (-105, -105)})
    assert sweep.best_dim == sweep.saturation_dim == 32


def test_points_may_come_in_any_order():
    assert summarise(dict(reversed(BOUNDS.items()))).importance_weighted == summarise(BOUNDS).importance_weighted
