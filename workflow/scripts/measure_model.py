import numpy as np

from latentlab import analysis, atlas, data, likelihood, models, pca, provenance, quality, style, training
from latentlab.files import read_csv, read_json, sha256, write_json
from latentlab.jobs import job

with job(snakemake.log):
    record, params = read_json(snakemake.input.data), snakemake.params
    model, described = training.load(snakemake.input.weights)
    splits = {split: data.load(record, split, params.validation_size) for split in ("validation", "test")}
    metrics = described | {
        split: likelihood.evaluate(model, described["settings"], *training.tensors(*arrays))
        for split, arrays in splits.items()
    }
    codes = np.load(snakemake.input.codes)
    train, train_labels, test, test_labels = (
        codes[f"{split}_{name}"] for split in ("train", "test") for name in ("mean", "labels")
    )
    metrics["code"] = analysis.extent(test, params.low, params.high) | {
        "neighbour_accuracy": analysis.neighbour_accuracy(train, train_labels, test, test_labels),
        "class_information": style.class_information(test, test_labels),
        "active_units": quality.active_units(test),
        "separation": pca.separation(test, test_labels),
    }
    metrics["training"] = analysis.convergence(read_csv(snakemake.input.history))
    if model.latent_dim == 2:
        classes = data.CLASSES[record["dataset"]]
        metrics["code"]["overlaps"] = atlas.overlaps(atlas.neighbours(test, test_labels), classes)
        metrics["code"]["empty_mass"] = atlas.empty_mass(train)
        metrics["style"] = style.correlations(test, style.measure(splits["test"][0]))
    metrics |= {
        "model": snakemake.wildcards.model,
        "dataset": record["dataset"],
        "data": data.digest(record),
        "weights": sha256(snakemake.input.weights),
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "layers": models.layers(model),
        "versions": provenance.versions("torch", "numpy", "scikit-learn"),
    }
    write_json(snakemake.output.metrics, metrics)
