from latentlab.data.splits import load_split
from latentlab.metrics.grids import tile_images
from latentlab.metrics.reconstructions import restore_images
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.denoising import Denoising
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    record = DataRecord.read(inputs.data)
    dataset = record.declaration
    model = load_checkpoint(inputs.weights)
    assert isinstance(model, Denoising)
    metrics, pixels = restore_images(model, *to_tensors(*load_split(record, "test")))
    write_png(outputs.images, tile_images(pixels.numpy().reshape(-1, *dataset.image_shape), len(pixels) // 3))
    metrics.write(outputs.metrics)
