from latentlab.data.splits import load_split
from latentlab.metrics.grids import stack_strips
from latentlab.metrics.neighbours import flat_pixels
from latentlab.metrics.pca import pca_errors
from latentlab.metrics.reference_classifier import load_reference_classifier
from latentlab.metrics.samples import sample_quality
from latentlab.metrics.sweep import SweepPoint, summarise_sweep
from latentlab.models.checkpoint import load_checkpoint
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ModelMetrics
from latentlab.runtime.files import read_png, write_png
from latentlab.runtime.jobs import job

with job(snakemake.log):
    inputs, params = snakemake.input, snakemake.params
    record = DataRecord.read(inputs.data)
    dataset = record.declaration
    train, validation, test = (load_split(record, split)[0] for split in ("train", "validation", "test"))
    classifier = load_reference_classifier(inputs.reference_classifier, dataset)
    points = [
        SweepPoint(
            metrics=ModelMetrics.read(metrics),
            samples=sample_quality(classifier, load_checkpoint(weights), test, validation),
        )
        for weights, metrics in zip(inputs.weights, inputs.metrics, strict=True)
    ]
    strips = stack_strips([read_png(path) for path in inputs.samples], dataset.image_shape[0])
    write_png(snakemake.output.strips, strips)
    errors = pca_errors(flat_pixels(train), flat_pixels(test), params.dims)
    summarise_sweep(points, errors).write(snakemake.output.metrics)
