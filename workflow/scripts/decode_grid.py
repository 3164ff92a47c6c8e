import numpy as np

from latentlab import grids, training
from latentlab.files import write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    params = snakemake.params
    model, described = training.load(snakemake.input.weights)
    axis = grids.axis(params.low, params.high, params.samples, params.spacing)
    low, high = grids.occupied(np.load(snakemake.input.codes)["train_mean"])
    quantiles = grids.axis(None, None, params.samples, "quantiles")
    axes = {
        "grid": {"x": axis, "y": axis},
        "quantiles": {"x": quantiles, "y": quantiles},
        "occupied": {name: grids.axis(low[i], high[i], params.samples) for i, name in enumerate("xy")},
    }
    for name, ranges in axes.items():
        pixels = training.decode(model, described["settings"], grids.points(ranges["x"], ranges["y"]))
        write_png(snakemake.output[name], grids.tile(pixels.reshape(-1, 28, 28), params.samples))
    write_json(
        snakemake.output.axes,
        {name: {key: values.tolist() for key, values in ranges.items()} for name, ranges in axes.items()},
    )
