from latentlab import data, likelihood, training
from latentlab.files import write_npz
from latentlab.jobs import job

with job(snakemake.log):
    model, described = training.load(snakemake.input.weights)
    test = training.tensors(*data.load(snakemake.input.data, "test"))
    write_npz(
        snakemake.output.posteriors,
        likelihood.posteriors(model, described["settings"], *test, count=snakemake.params.positions),
    )
