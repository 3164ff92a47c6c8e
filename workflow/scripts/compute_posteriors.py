from latentlab.data.splits import load_split
from latentlab.metrics.posteriors import select_posteriors
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_npz
from latentlab.runtime.jobs import job

with job(snakemake):
    model = load_checkpoint(snakemake.input.weights)
    images, labels = to_tensors(*load_split(DataRecord.read(snakemake.input.data), "test"))
    write_npz(
        snakemake.output.posteriors, select_posteriors(model, images, labels, tolerance=snakemake.params.tolerance)
    )
