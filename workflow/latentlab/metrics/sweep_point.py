"""One training of a sweep: only what the sweep shows is measured."""

import numpy as np

from latentlab.metrics.bounds import BOUND_SAMPLES, evaluate_bounds, evaluated_pixels, loss_terms, squared_errors
from latentlab.metrics.latent_units import active_units, informative_units
from latentlab.metrics.reference_classifier import ReferenceClassifier
from latentlab.metrics.samples import sample_distance
from latentlab.models.inference import encode_images, reconstruct
from latentlab.models.networks import VAE
from latentlab.models.train import Split
from latentlab.records.metrics import SweepPoint


def measure_sweep_point(
    name: str,
    model: VAE,
    weights: str,
    validation_loss: float,
    test: Split,
    classifier: ReferenceClassifier,
    reference: dict[str, np.ndarray],
    samples: int = BOUND_SAMPLES,
) -> SweepPoint:
    """What a sweep shows of one training.

    Args:
        name: of the model config.
        weights: the digest of its weights.
        validation_loss: after the last epoch.
        reference: moments of the features of real images (`samples.reference_moments`).
        samples: draws of z for the importance-weighted bound.
    """
    images, labels = test
    codes = encode_images(model, images, labels)
    bounds = evaluate_bounds(model, evaluated_pixels(model, images), labels, samples)
    return SweepPoint(
        model=name,
        settings=model.spec.settings,
        latent_dim=model.latent_dim,
        seed=model.spec.seed,
        weights=weights,
        squared_error=squared_errors(images, reconstruct(model, codes["codes"], labels))["squared_error"],
        **loss_terms(bounds),
        active_units=active_units(codes["codes"]),
        informative_units=informative_units(codes["codes"], codes["log_var"]),
        validation_loss=validation_loss,
        importance_weighted=bounds.importance_weighted.mean().item(),
        frechet=sample_distance(classifier, model, reference),
    )
