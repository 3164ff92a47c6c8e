from latentlab import analysis, data, grids, pca, quality, training
from latentlab.files import read_json, read_png, write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    given, params = snakemake.input, snakemake.params
    images = {split: data.load(given.data, split)[0] for split in ("train", "validation", "test")}
    judge, runs = quality.load_judge(given.judge), []
    for weights, metrics in zip(given.weights, given.metrics, strict=True):
        model, described = training.load(weights)
        samples = quality.measure_samples(judge, model, described["settings"], images["test"], images["validation"])
        runs.append(read_json(metrics) | {"samples": samples})
    write_png(snakemake.output.strips, grids.strips([read_png(path) for path in given.pictures]))
    beside = pca.errors(images["train"], images["test"], params.dims)
    write_json(snakemake.output.sweep, analysis.collect(runs, beside))
