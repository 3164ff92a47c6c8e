import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.bounds import evaluate_likelihood
from latentlab.metrics.grids import tile_images
from latentlab.metrics.history import convergence
from latentlab.metrics.latents import infer_splits, measure_latents
from latentlab.metrics.reconstructions import worst_reconstructions
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import first_of_each_class, reconstruct, reconstructions_and_samples
from latentlab.models.inputs import to_pixels, to_tensors
from latentlab.models.networks import layer_table
from latentlab.records.data import DataRecord
from latentlab.records.metrics import ModelMetrics
from latentlab.runtime.files import read_csv, sha256, write_npz, write_png
from latentlab.runtime.jobs import job
from latentlab.runtime.provenance import versions

COLUMNS, ROWS = 16, 8  # of the test images in reconstructions.png

# One job, because each part takes less time than the start of a job.
with job(snakemake):
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    record = DataRecord.read(inputs.data)
    dataset, model = record.declaration, load_checkpoint(inputs.weights)
    splits = {split: to_tensors(*load_split(record, split)) for split in ("train", "test")}
    images, labels = splits["test"]
    codes, integrated = infer_splits(model, splits, params.tolerance)
    write_npz(outputs.codes, codes)
    reconstructions = reconstruct(model, codes["test_codes"], labels)

    first = first_of_each_class(labels, dataset.n_classes)
    pixels = reconstructions_and_samples(model, images[first], labels[first], codes["test_codes"][first])
    write_png(outputs.samples, tile_images(pixels.reshape(-1, *dataset.image_shape), len(first)))

    columns = min(COLUMNS, len(images))
    n_shown = columns * min(ROWS, len(images) // columns)
    halves = [to_pixels(images[:n_shown]), reconstructions[:n_shown].clamp(0, 1)]
    tiles = [tile_images(half.numpy().reshape(-1, *dataset.image_shape), columns) for half in halves]
    write_png(outputs.reconstructions, np.concatenate(tiles, axis=1))

    worst, pixels = worst_reconstructions(images, labels, reconstructions)
    write_png(outputs.worst, tile_images(pixels.numpy().reshape(-1, *dataset.image_shape), len(worst)))

    losses, likelihood = evaluate_likelihood(
        model, images, labels, reconstructions, params.tolerance, params.samples, integrated=integrated
    )
    latents, shape_correlations = measure_latents(codes, images.numpy(), dataset.classes)
    ModelMetrics(
        model=snakemake.wildcards.model,
        dataset=record.dataset,
        seed=model.spec.seed,
        latent_dim=model.latent_dim,
        settings=model.spec.settings,
        parameters=sum(weights.numel() for weights in model.parameters()),
        layers=layer_table(model),
        training=convergence(read_csv(inputs.history)),
        test=losses,
        likelihood=likelihood,
        latents=latents,
        worst=worst,
        shape_correlations=shape_correlations,
        data=record.digest,
        weights=sha256(inputs.weights),
        versions=versions("torch", "numpy", "scikit-learn"),
    ).write(outputs.metrics)
