import numpy as np

from latentlab import analysis, data, grids, training
from latentlab.files import write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    model, described = training.load(given.weights)
    codes = np.load(given.codes)
    low, high = grids.occupied(codes["train_mean"])
    axis = grids.axis(params.low, params.high, params.samples, params.spacing)
    quantiles = grids.axis(None, None, params.samples, "quantiles")
    axes = {
        "grid": {"x": axis, "y": axis},
        "quantiles": {"x": quantiles, "y": quantiles},
        "occupied": {name: grids.axis(low[i], high[i], params.samples) for i, name in enumerate("xy")},
    }
    pictures = {}
    for name, ranges in axes.items():
        pixels = training.decode(model, described["settings"], grids.points(ranges["x"], ranges["y"]))
        pictures[name] = pixels.reshape(-1, 28, 28)
        write_png(made[name], grids.tile(pictures[name], params.samples))
    write_json(
        made.axes, {name: {key: values.tolist() for key, values in ranges.items()} for name, ranges in axes.items()}
    )

    images, labels = data.load(given.data, "train")
    held_out, _ = data.load(given.data, "validation")
    known = analysis.Data(images, labels, held_out)
    lines = analysis.lines(codes["test_mean"])
    decoded = training.decode(model, described["settings"], lines.reshape(-1, 2))
    figures = {name: analysis.coverage(known, pictures[name]) for name in ("grid", "occupied")}
    figures |= {
        "scale": known.scale,
        "within_grid": analysis.within(codes["test_mean"], axis),
        "lines": analysis.smoothness(known, decoded.reshape(*lines.shape[:2], -1)),
    }
    write_json(made.metrics, figures)
