import numpy as np
import planted
import pytest
import torch
from builders import block_images, model_spec

from latentlab.metrics.samples import real_distance, reference_moments
from latentlab.metrics.sweep import difference_interval, summarise_sweep
from latentlab.metrics.sweep_point import measure_sweep_point
from latentlab.models.families import build_model
from latentlab.records.metrics import SweepPoint

BOUNDS = {2: (-130, -132), 8: (-100.4, -100.1), 32: (-100, -100.2)}  # latent dimension → by seed
PCA_ERRORS = {2: 3.0, 8: 2.0, 32: 1.0}
REFERENCE = {
    "count": np.array(10),
    **{f"{name}_mean": np.array([value, 0.0]) for name, value in (("test", 0.0), ("held_out", 3.0))},
    **{f"{name}_covariance": np.eye(2) for name in ("test", "held_out")},
}


def summarise(bounds):
    points = [
        SweepPoint(
            model="planted",
            settings=planted.SETTINGS,
            latent_dim=d,
            seed=seed,
            weights=f"{d}-{seed}",
            squared_error=1 / d,
            negative_elbo=-bound,
            reconstruction=-bound,
            kl=0,
            active_units=d,
            informative_units=d // 2,
            validation_loss=-bound + 0.5,
            importance_weighted=bound,
            frechet=1,
        )
        for d, values in bounds.items()
        for seed, bound in enumerate(values)
    ]
    return summarise_sweep(points, PCA_ERRORS, REFERENCE)


def test_a_point_holds_what_is_measured_of_its_model(block_classifier):
    images, labels = block_images(60)
    reference = reference_moments(block_classifier, images.numpy(), block_images(60, seed=1)[0].numpy())
    torch.manual_seed(0)
    model = build_model(model_spec(latent_dim=3, seed=5))
    torch.nn.init.zeros_(model.encoder[-1].weight)
    point = measure_sweep_point("vae", model, "0" * 64, 123.0, (images, labels), block_classifier, reference, samples=4)
    assert (point.latent_dim, point.seed, point.active_units, point.validation_loss) == (3, 5, 0, 123)
    assert point.negative_elbo == pytest.approx(point.reconstruction + point.kl)
    assert -point.negative_elbo - 1 < point.importance_weighted < 0
    assert point.frechet > 5 * real_distance(reference)


def test_a_sweep_is_summarised_by_dimension():
    sweep = summarise(BOUNDS)
    assert sweep.weights[:2] == ("2-0", "2-1") and len(sweep.weights) == 6
    assert sweep.dims == (2, 8, 32) and sweep.seeds == 2 and sweep.pca == (3, 2, 1)
    assert sweep.importance_weighted.mean == pytest.approx([-131, -100.25, -100.1])
    assert sweep.importance_weighted.std[0] == pytest.approx(2**0.5), "of a sample of two"
    assert sweep.squared_error.mean == (1 / 2, 1 / 8, 1 / 32) and sweep.negative_elbo.mean[0] == 131
    assert (
        sweep.active_units.mean == (2, 8, 32)
        and sweep.informative_units.mean == (1, 4, 16)
        and sweep.frechet.mean == (1, 1, 1)
    )
    assert sweep.frechet_real == pytest.approx(9)


def test_saturation_is_the_first_dimension_that_cannot_be_told_from_the_best():
    sweep = summarise(BOUNDS)  # validation losses at 8 are 0.4 above and 0.1 below those at 32
    assert sweep.best_dim == 32 and sweep.saturation_dim == 8
    low, high = sweep.saturation_interval
    assert low < 0 < 0.15 < high and (low + high) / 2 == pytest.approx(0.15)
    worse = summarise(BOUNDS | {8: (-105, -105.1)})
    assert worse.best_dim == worse.saturation_dim == 32 and worse.saturation_interval is None


def test_one_seed_cannot_say_that_two_dimensions_are_equally_good():
    sweep = summarise({d: bounds[:1] for d, bounds in BOUNDS.items()})
    assert sweep.best_dim == sweep.saturation_dim == 32 and sweep.importance_weighted.std == (0, 0, 0)


def test_the_interval_of_a_difference_is_student_s():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 0.0])
    low, high = difference_interval(a, b)
    assert (low, high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)
    assert difference_interval(a[:1], b[:1]) == (1, 1)


def test_points_may_come_in_any_order():
    assert summarise(dict(reversed(BOUNDS.items()))).importance_weighted == summarise(BOUNDS).importance_weighted
