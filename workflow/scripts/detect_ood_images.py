import numpy as np
from scipy.special import logsumexp

from latentlab.data.splits import load_split
from latentlab.metrics.classification import (
    choose_classifier_grid,
    class_log_prior,
    compute_log_joint,
    ood_auroc,
    ood_scores,
)
from latentlab.models.checkpoint import load_checkpoint
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ClassifierMetrics, OODMetrics
from latentlab.runtime.files import write_npz
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    records = {"test": DataRecord.read(inputs.data), "ood": DataRecord.read(inputs.ood)}
    model, method = load_checkpoint(inputs.weights), ClassifierMetrics.read(inputs.classifier).best
    images = {split: load_split(record, "test")[0] for split, record in records.items()}

    prior = class_log_prior(load_split(records["test"], "train")[1], records["test"].declaration.n_classes)
    grid, _ = choose_classifier_grid(model, images["test"], params.tolerance)
    joints = {
        "test": np.load(inputs.joints)[f"test_{method}"],
        "ood": compute_log_joint(model, images["ood"], prior, grid, params.samples)[method],
    }
    scores = {split: ood_scores(model, images[split], joint) for split, joint in joints.items()}
    OODMetrics(
        dataset=records["ood"].dataset,
        synthetic=records["ood"].is_synthetic,
        method=method,
        auroc=ood_auroc(scores["test"], scores["ood"]),
    ).write(outputs.metrics)
    write_npz(outputs.log_likelihoods, {split: logsumexp(joint, axis=1) for split, joint in joints.items()})
