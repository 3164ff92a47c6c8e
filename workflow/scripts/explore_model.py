import numpy as np

from latentlab import analysis, codes, data, grids, likelihood, models, provenance, training
from latentlab.files import read_csv, read_json, sha256, write_json, write_npz, write_png
from latentlab.jobs import job

SHEET = 16, 8  # columns and rows of reconstructed test images

# One job, for most of the time of each of its parts is the start.
with job(snakemake.log):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    record = read_json(given.data)
    model, described = training.load(given.weights)
    settings = described["settings"]
    splits = {split: training.tensors(*data.load(record, split)) for split in ("train", "validation", "test")}
    arrays = codes.encode(model, splits)
    write_npz(made.codes, arrays)

    images, labels = splits["test"]
    rows = training.show(model, settings, images, labels)
    write_png(made.pictures, grids.tile(rows.reshape(-1, 28, 28), models.CLASSES))

    columns, lines = SHEET
    x, y = training.to_pixels(images[: columns * lines]), labels[: columns * lines]
    found = training.reconstruct(model, settings, x, y).clamp(0, 1)
    sheets = [grids.tile(pixels.numpy().reshape(-1, 28, 28), columns) for pixels in (x, found)]
    write_png(made.sheet, np.concatenate(sheets, axis=1))

    metrics = described | {
        split: likelihood.evaluate(model, settings, *splits[split]) for split in ("validation", "test")
    }
    if isinstance(model, models.VAE):
        sizes = {"count": params.positions, "samples": params.samples}
        metrics["likelihood"] = likelihood.compare(model, settings, *splits["test"], **sizes)
    metrics |= codes.measure(arrays, images.numpy(), data.CLASSES[record["dataset"]])
    metrics |= {
        "training": analysis.convergence(read_csv(given.history)),
        "model": snakemake.wildcards.model,
        "dataset": record["dataset"],
        "data": data.digest(record),
        "weights": sha256(given.weights),
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "layers": models.layers(model),
        "versions": provenance.versions("torch", "numpy", "scikit-learn"),
    }
    write_json(made.metrics, metrics)
