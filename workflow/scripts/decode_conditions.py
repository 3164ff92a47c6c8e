import numpy as np

from latentlab import analysis, grids, training
from latentlab.files import write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    params = snakemake.params
    model, described = training.load(snakemake.input.weights)
    axis = grids.axis(params.low, params.high, params.samples, params.spacing)
    plane = grids.points(axis, axis)
    pictures = [
        grids.tile(training.decode(model, described["settings"], plane, label).reshape(-1, 28, 28), params.samples)
        for label in params.conditions
    ]
    write_png(snakemake.output.grids, np.concatenate(pictures, axis=1))
    described = {"labels": params.conditions, "x": axis.tolist(), "y": axis.tolist()}
    described["within_grid"] = analysis.within(np.load(snakemake.input.codes)["test_mean"], axis)
    write_json(snakemake.output.axes, described)
