import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import grid_axis, grid_points, tile_images
from latentlab.metrics.latent_plane import PRIOR_LIMIT, failure_shares, find_failures
from latentlab.metrics.realism import RealImages
from latentlab.metrics.reference_classifier import class_probabilities, load_reference_classifier
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import decode_latents
from latentlab.models.inputs import to_pixels
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

POSITIONS = 41  # per side of the grid on which failures are searched

with job(snakemake):
    record, model = DataRecord.read(snakemake.input.data), load_checkpoint(snakemake.input.weights)
    dataset = record.declaration
    classifier = load_reference_classifier(snakemake.input.reference_classifier, dataset)
    real, test = RealImages(classifier, *load_split(record, "train")), to_pixels(load_split(record, "test")[0])
    real_shares = failure_shares(real.compare(test).realism, class_probabilities(classifier, test))

    axis = grid_axis(-PRIOR_LIMIT, PRIOR_LIMIT, POSITIONS)
    positions = grid_points(axis, axis)
    pixels = decode_latents(model, positions)
    realism, nearest, _ = real.compare(pixels)
    metrics = find_failures(positions, realism, class_probabilities(classifier, pixels), real_shares)
    metrics.write(snakemake.output.metrics)

    indices = [failure.index for failure in metrics.failures] or [0]
    rows = np.concatenate([pixels[indices], to_pixels(real.images[nearest[indices]])])
    write_png(snakemake.output.images, tile_images(rows.reshape(-1, *dataset.image_shape), len(indices)))
