from latentlab import analysis, grids
from latentlab.files import read_json, read_png, write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    points = zip(snakemake.input.metrics, snakemake.input.samples, strict=True)
    runs = [read_json(metrics) | {"samples": read_json(samples)} for metrics, samples in points]
    write_png(snakemake.output.strips, grids.strips([read_png(path) for path in snakemake.input.pictures]))
    write_json(snakemake.output.sweep, analysis.collect(runs, read_json(snakemake.input.pca)))
