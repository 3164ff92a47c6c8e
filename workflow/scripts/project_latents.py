import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.pca import project
from latentlab.models.inputs import to_pixels
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ProjectionMetrics
from latentlab.runtime.files import write_npz
from latentlab.runtime.jobs import job

with job(snakemake):
    record = DataRecord.read(snakemake.input.data)
    images, labels = load_split(record, "test")
    points = {"codes": np.load(snakemake.input.codes)["test_codes"], "pixels": to_pixels(images).numpy()}
    projections = {name: project(values, labels, record.declaration.n_classes) for name, values in points.items()}
    positions = {name: positions for name, (positions, _) in projections.items()}
    write_npz(snakemake.output.positions, positions | {"labels": labels})
    ProjectionMetrics(**{name: projection for name, (_, projection) in projections.items()}).write(
        snakemake.output.metrics
    )
