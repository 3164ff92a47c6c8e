"""One training of a sweep: only what the sweep shows is measured."""

import numpy as np

from latentlab.metrics.bounds import BOUND_SAMPLES, evaluate_bounds
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
    losses, bounds = evaluate_bounds(model, images, labels, reconstruct(model, codes["codes"], labels), samples)
    assert losses.negative_elbo is not None and losses.kl is not None
    return SweepPoint(
        model=name,
        settings=model.spec.settings,
        latent_dim=model.latent_dim,
        seed=model.spec.seed,
        weights=weights,
        squared_error=losses.squared_error,
        negative_elbo=losses.negative_elbo,
        reconstruction=losses.reconstruction,
        kl=losses.kl,
        active_units=active_units(codes["codes"]),
        informative_units=informative_units(codes["codes"], codes["log_var"]),
        validation_loss=validation_loss,
        importance_weighted=bounds.importance_weighted.mean().item(),
        frechet=sample_distance(classifier, model, reference),
    )
