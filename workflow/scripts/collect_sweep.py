import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import stack_strips
from latentlab.metrics.neighbours import flat_pixels
from latentlab.metrics.pca import pca_errors
from latentlab.metrics.sweep import summarise_sweep
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import encode_images, first_of_each_class, reconstructions_and_samples
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.records.metrics import SweepPoint
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs = snakemake.input
    record = DataRecord.read(inputs.data)
    train, test = (load_split(record, split) for split in ("train", "test"))
    images, labels = to_tensors(*test)
    first = first_of_each_class(labels, record.declaration.n_classes)
    images, labels, pixels = images[first], labels[first], []
    for model in map(load_checkpoint, inputs.weights):
        codes = encode_images(model, images, labels)["codes"]
        pixels.append(reconstructions_and_samples(model, images, labels, codes))
    write_png(snakemake.output.strips, stack_strips(pixels, record.declaration.image_shape))
    errors = pca_errors(flat_pixels(train[0]), flat_pixels(test[0]), snakemake.params.dims)
    points = [SweepPoint.read(path) for path in inputs.points]
    summarise_sweep(points, errors, dict(np.load(inputs.moments))).write(snakemake.output.metrics)
