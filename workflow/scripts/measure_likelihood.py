from latentlab import data, likelihood, training
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log):
    model, described = training.load(snakemake.input.weights)
    test = training.tensors(*data.load(snakemake.input.data, "test", snakemake.params.validation_size))
    write_json(
        snakemake.output.metrics,
        likelihood.compare(model, described["settings"], *test, count=snakemake.params.positions),
    )
