from latentlab import data, pca
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log):
    train, test = (
        data.load(snakemake.input.data, split, snakemake.params.validation_size)[0] for split in ("train", "test")
    )
    write_json(snakemake.output.metrics, pca.errors(train, test, snakemake.params.dims))
