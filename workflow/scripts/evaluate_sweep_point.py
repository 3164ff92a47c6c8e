import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.reference_classifier import load_reference_classifier
from latentlab.metrics.sweep_point import measure_sweep_point
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inputs import to_tensors
from latentlab.models.networks import VAE
from latentlab.records.data import DataRecord
from latentlab.runtime.files import read_csv, sha256
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs = snakemake.input
    record, model = DataRecord.read(inputs.data), load_checkpoint(inputs.weights)
    assert isinstance(model, VAE), "only VAEs are swept"
    measure_sweep_point(
        snakemake.wildcards.model,
        model,
        sha256(inputs.weights),
        read_csv(inputs.history)["validation_loss"][-1],
        to_tensors(*load_split(record, "test")),
        load_reference_classifier(inputs.reference_classifier, record.declaration),
        dict(np.load(inputs.moments)),
        snakemake.params.samples,
    ).write(snakemake.output.point)
