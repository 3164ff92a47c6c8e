import numpy as np

from latentlab import data, grids, training
from latentlab.files import write_png
from latentlab.jobs import job

with job(snakemake.log):
    model, described = training.load(snakemake.input.weights)
    images, labels = training.tensors(*data.load(snakemake.input.data, "test", snakemake.params.validation_size))
    rows = training.show(model, described["settings"], images, labels)
    write_png(snakemake.output.pictures, grids.tile(rows.reshape(-1, 28, 28), 10))

    x, y = training.to_pixels(images[: 16 * 8]), labels[: 16 * 8]
    found = training.reconstruct(model, described["settings"], x, y).clamp(0, 1)
    sheets = [grids.tile(pixels.numpy().reshape(-1, 28, 28), 16) for pixels in (x, found)]
    write_png(snakemake.output.sheet, np.concatenate(sheets, axis=1))
