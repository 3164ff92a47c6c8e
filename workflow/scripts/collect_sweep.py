from latentlab import analysis
from latentlab.files import read_json, write_json
from latentlab.jobs import job

with job(snakemake.log):
    runs = [
        read_json(metrics) | {"likelihood": read_json(likelihood)}
        for metrics, likelihood in zip(snakemake.input.metrics, snakemake.input.likelihoods, strict=True)
    ]
    write_json(snakemake.output.sweep, analysis.collect(runs, read_json(snakemake.input.pca)))
