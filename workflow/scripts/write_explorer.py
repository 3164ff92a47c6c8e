from pathlib import Path

import numpy as np

from latentlab import data, explorer, provenance, training
from latentlab.files import read_json, sha256, write_text
from latentlab.jobs import job

with job(snakemake.log):
    params, given = snakemake.params, snakemake.input
    record = read_json(given.data)
    described = []
    for label, weights, codes in zip(params.labels, given.weights, given.codes, strict=True):
        model, its = training.load(weights)
        described.append(explorer.describe(model, its, label, np.load(codes)) | {"weights": sha256(weights)})
    about = {
        "title": params.title,
        "dataset": record["dataset"],
        "stand_in": data.is_stand_in(record),
        "data": data.digest(record),
        "version": provenance.versions("latentlab")["latentlab"],
        "commit": provenance.commit(),
    }
    classes, (images, labels) = data.CLASSES[record["dataset"]], data.load(record, "test")
    page = explorer.render(Path(given.templates[0]).parent, described, images, labels, classes, given.style, about)
    write_text(snakemake.output.page, page)
