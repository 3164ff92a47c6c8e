from pathlib import Path

import numpy as np

from latentlab.data.splits import load_split
from latentlab.explorer.export import describe_model, render_explorer
from latentlab.models.checkpoint import load_checkpoint
from latentlab.records.data import DataRecord
from latentlab.runtime.files import sha256, write_text
from latentlab.runtime.jobs import job
from latentlab.runtime.provenance import commit, versions

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    record = DataRecord.read(inputs.data)
    models = [
        describe_model(load_checkpoint(weights), label, np.load(codes), sha256(weights))
        for label, weights, codes in zip(params.labels, inputs.weights, inputs.codes, strict=True)
    ]
    about = {
        "title": params.title,
        "dataset": record.dataset,
        "synthetic": record.is_synthetic,
        "preview": params.preview,
        "data": record.digest,
        "version": versions("latentlab")["latentlab"],
        "commit": commit(),
    }
    templates, classes = Path(inputs.template).parent, record.declaration.classes
    images, labels = load_split(record, "test")
    page = render_explorer(templates, models, images, labels, classes, inputs.style, about)
    write_text(snakemake.output.page, page)
