from latentlab.data.splits import load_split
from latentlab.metrics.pca import compare_models_with_pca
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inputs import to_pixels
from latentlab.records.data import DataRecord
from latentlab.runtime.jobs import job

with job(snakemake.log):
    record = DataRecord.read(snakemake.input.data)
    train, test = (to_pixels(load_split(record, split)[0]).numpy() for split in ("train", "test"))
    models = [load_checkpoint(path) for path in snakemake.input.weights]
    comparison = compare_models_with_pca(snakemake.wildcards.model, models, train, test)
    comparison.write(snakemake.output.metrics)
