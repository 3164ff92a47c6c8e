"""What a trained model's codes, reconstructions and samples tell: one job, for most of its time is its start."""

import numpy as np

from latentlab import analysis, atlas, data, grids, likelihood, models, pca, provenance, quality, style, training
from latentlab.files import read_csv, read_json, sha256, write_json, write_npz, write_png
from latentlab.jobs import job

SHEET = 16, 8  # columns and rows of reconstructed test images


def codes_of(splits):
    """Codes and labels of training and test images, by the names of codes.npz."""
    codes = {}
    for split in ("train", "test"):
        found = training.encode(model, *splits[split])
        codes |= {f"{split}_{name}": array for name, array in found.items()}
        codes |= {f"{split}_labels": splits[split][1].numpy()}
    return codes


def figures_of(codes, test_images, classes):
    """What is measured of the codes alone: `code`, and for a plane `style`."""
    train, train_labels, test, test_labels = (
        codes[f"{split}_{name}"] for split in ("train", "test") for name in ("mean", "labels")
    )
    figures = analysis.extent(test) | {
        "neighbour_accuracy": analysis.neighbour_accuracy(train, train_labels, test, test_labels),
        "class_information": style.class_information(test, test_labels),
        "active_units": quality.active_units(test),
        "separation": pca.separation(test, test_labels),
    }
    if test.shape[1] != 2:
        return {"code": figures}
    figures["overlaps"] = atlas.overlaps(atlas.neighbours(test, test_labels), classes)
    figures["empty_mass"] = atlas.empty_mass(train)
    return {"code": figures, "style": style.correlations(test, style.measure(test_images))}


with job(snakemake.log):
    given, made, record = snakemake.input, snakemake.output, read_json(snakemake.input.data)
    model, described = training.load(given.weights)
    settings = described["settings"]
    splits = {
        split: training.tensors(*data.load(record, split, snakemake.params.validation_size))
        for split in ("train", "validation", "test")
    }
    codes = codes_of(splits)
    write_npz(made.codes, codes)

    test_images, test_labels = splits["test"]
    rows = training.show(model, settings, test_images, test_labels)
    write_png(made.pictures, grids.tile(rows.reshape(-1, 28, 28), models.CLASSES))

    columns, lines = SHEET
    x, y = training.to_pixels(test_images[: columns * lines]), test_labels[: columns * lines]
    found = training.reconstruct(model, settings, x, y).clamp(0, 1)
    sheets = [grids.tile(pixels.numpy().reshape(-1, 28, 28), columns) for pixels in (x, found)]
    write_png(made.sheet, np.concatenate(sheets, axis=1))

    metrics = described | {
        split: likelihood.evaluate(model, settings, *splits[split]) for split in ("validation", "test")
    }
    if settings["family"] == "vae":
        sizes = {"count": snakemake.params.positions, "samples": snakemake.params.samples}
        metrics["likelihood"] = likelihood.compare(model, settings, *splits["test"], **sizes)
    metrics |= figures_of(codes, test_images.numpy(), data.CLASSES[record["dataset"]])
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
