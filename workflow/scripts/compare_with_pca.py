from latentlab.data.splits import load_split
from latentlab.metrics.pca import PCAReference, compare_models_with_pca, principal_directions
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inputs import to_pixels
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_npz
from latentlab.runtime.jobs import job

with job(snakemake):
    record = DataRecord.read(snakemake.input.data)
    train, test = (to_pixels(load_split(record, split)[0]).numpy() for split in ("train", "test"))
    models = [load_checkpoint(path) for path in snakemake.input.weights]
    reference = PCAReference(train)
    comparison = compare_models_with_pca(snakemake.wildcards.model, models, reference, test)
    comparison.write(snakemake.output.metrics)
    write_npz(snakemake.output.directions, principal_directions(reference, models))
