import numpy as np
import torch

from latentlab import analysis, data, likelihood, provenance, training
from latentlab.files import read_json, write_json
from latentlab.jobs import job

with job(snakemake.log):
    params = snakemake.params
    model, described = training.load(snakemake.input.weights)
    figures = {
        split: likelihood.evaluate(
            model,
            described["settings"],
            torch.tensor(data.load(snakemake.input.data, split, params.validation_size)[0]),
        )
        for split in ("validation", "test")
    }
    codes = np.load(snakemake.input.codes)
    figures["code"] = analysis.extent(codes["test_mean"], params.low, params.high) | {
        "neighbour_accuracy": analysis.neighbour_accuracy(
            codes["train_mean"], codes["train_labels"], codes["test_mean"], codes["test_labels"]
        )
    }
    write_json(
        snakemake.output.metrics,
        described
        | figures
        | {
            "model": snakemake.wildcards.model,
            "dataset": snakemake.wildcards.dataset,
            "data": data.digest(read_json(snakemake.input.data)),
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "versions": provenance.versions("torch", "numpy", "scikit-learn"),
        },
    )
