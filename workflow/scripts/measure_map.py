import numpy as np

from latentlab import analysis, data, grids, training
from latentlab.files import read_png, write_json
from latentlab.jobs import job

with job(snakemake.log):
    record, params = snakemake.input.data, snakemake.params
    model, described = training.load(snakemake.input.weights)
    images, labels = data.load(record, "train", params.validation_size)
    held_out, _ = data.load(record, "validation", params.validation_size)
    known = analysis.Data(images, labels, held_out)
    figures = {"scale": known.scale}
    for name in ("grid", "occupied"):
        picture = read_png(snakemake.input[name])
        figures[name] = analysis.coverage(known, grids.untile(picture, params.samples))
    lines = analysis.lines(np.load(snakemake.input.codes)["test_mean"])
    decoded = training.decode(model, described["settings"], lines.reshape(-1, 2))
    figures["lines"] = analysis.smoothness(known, decoded.reshape(*lines.shape[:2], -1))
    write_json(snakemake.output.metrics, figures)
