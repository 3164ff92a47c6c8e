from latentlab.data.splits import load_split
from latentlab.metrics.augmentation import augmentation_gain
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.runtime.jobs import job

with job(snakemake):
    params, record = snakemake.params, DataRecord.read(snakemake.input.data)
    model = load_checkpoint(snakemake.input.weights)
    training, test = (to_tensors(*load_split(record, split)) for split in ("train", "test"))
    metrics = augmentation_gain(
        snakemake.wildcards.model,
        record.declaration,
        model,
        training,
        test,
        params.sizes,
        n_seeds=params.seeds,
        draws=params.draws,
    )
    metrics.write(snakemake.output.metrics)
