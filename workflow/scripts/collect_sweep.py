from latentlab import analysis
from latentlab.files import read_json, write_json
from latentlab.jobs import job

with job(snakemake.log):
    points = zip(snakemake.input.metrics, snakemake.input.likelihoods, snakemake.input.samples, strict=True)
    runs = [
        read_json(metrics) | {"likelihood": read_json(likelihood), "samples": read_json(samples)}
        for metrics, likelihood, samples in points
    ]
    write_json(snakemake.output.sweep, analysis.collect(runs, read_json(snakemake.input.pca)))
