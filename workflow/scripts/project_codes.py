import numpy as np

from latentlab import data, pca, training
from latentlab.files import write_json, write_npz
from latentlab.jobs import job

with job(snakemake.log):
    images, labels = data.load(snakemake.input.data, "test")
    points = {
        "codes": np.load(snakemake.input.codes)["test_mean"],
        "pixels": training.to_pixels(images).numpy(),
    }
    found = {name: pca.projected(values, labels) for name, values in points.items()}
    write_npz(snakemake.output.planes, {name: plane for name, (plane, _) in found.items()} | {"labels": labels})
    write_json(snakemake.output.metrics, {name: figures for name, (_, figures) in found.items()})
