import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.classification import (
    best_method,
    choose_classifier_grid,
    class_log_prior,
    compute_log_joint,
    confident_mistakes,
    confusions,
    evaluate_methods,
    most_confused,
)
from latentlab.metrics.grids import tile_images
from latentlab.models.checkpoint import load_checkpoint
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ClassifierMetrics
from latentlab.runtime.files import write_npz, write_png
from latentlab.runtime.jobs import job

with job(snakemake):
    outputs, params = snakemake.output, snakemake.params
    record = DataRecord.read(snakemake.input.data)
    model, n_classes = load_checkpoint(snakemake.input.weights), record.declaration.n_classes
    splits = {split: load_split(record, split) for split in ("validation", "test")}
    images, labels = ({split: pair[i] for split, pair in splits.items()} for i in (0, 1))

    prior = class_log_prior(load_split(record, "train")[1], n_classes)
    grid, error = choose_classifier_grid(model, images["test"], params.tolerance)
    # Both splits at once, so that the plane is decoded once.
    together = compute_log_joint(
        model, np.concatenate([images[split] for split in splits]), prior, grid, params.samples
    )
    n_validation = len(images["validation"])
    joints = {
        "validation": {method: values[:n_validation] for method, values in together.items()},
        "test": {method: values[n_validation:] for method, values in together.items()},
    }
    methods = evaluate_methods(joints, labels, n_classes)
    best = best_method(methods)
    mistakes = confident_mistakes(joints["test"][best], labels["test"], methods[best].temperature)
    confused = confusions(most_confused(np.array(methods[best].confusion)), joints["test"][best], labels["test"])
    ClassifierMetrics(
        model=snakemake.wildcards.model,
        dataset=record.dataset,
        seed=model.spec.seed,
        latent_dim=model.latent_dim,
        settings=model.spec.settings,
        methods=methods,
        best=best,
        mistakes=mistakes,
        confusions=confused,
        samples=None if grid else params.samples,
        quadrature_error=error,
    ).write(outputs.metrics)
    arrays = {f"{split}_{method}": values for split, joint in joints.items() for method, values in joint.items()}
    write_npz(outputs.joints, arrays)
    indices = [mistake.index for mistake in mistakes] or [0]
    write_png(outputs.mistakes, tile_images(images["test"][indices] / 255, len(indices)))
    indices = [index for confusion in confused for index in confusion.indices] or [0]
    write_png(outputs.confusions, tile_images(images["test"][indices] / 255, len(indices)))
