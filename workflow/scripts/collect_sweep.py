import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import stack_strips
from latentlab.metrics.neighbours import flat_pixels
from latentlab.metrics.pca import pca_errors
from latentlab.metrics.sweep import summarise_sweep
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import reconstructions_and_samples
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.records.metrics import SweepPoint
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

with job(snakemake.log):
    inputs = snakemake.input
    record = DataRecord.read(inputs.data)
    train, test = (load_split(record, split) for split in ("train", "test"))
    images, labels = to_tensors(*test)
    pixels = [reconstructions_and_samples(load_checkpoint(weights), images, labels) for weights in inputs.weights]
    write_png(snakemake.output.strips, stack_strips(pixels, record.declaration.image_shape))
    errors = pca_errors(flat_pixels(train[0]), flat_pixels(test[0]), snakemake.params.dims)
    points = [SweepPoint.read(path) for path in inputs.points]
    summarise_sweep(points, errors, dict(np.load(inputs.moments))).write(snakemake.output.metrics)
