import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import grid_axis, grid_points, tile_images
from latentlab.metrics.latent_plane import PRIOR_LIMIT, find_failures
from latentlab.metrics.neighbours import ReferenceImages
from latentlab.metrics.reference_classifier import class_probabilities, load_reference_classifier
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import decode_latents
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

POSITIONS = 41  # per side of the grid on which failures are searched

with job(snakemake.log):
    record, model = DataRecord.read(snakemake.input.data), load_checkpoint(snakemake.input.weights)
    dataset = record.declaration
    images, labels = load_split(record, "train")
    reference = ReferenceImages(images, labels, load_split(record, "validation")[0])

    axis = grid_axis(-PRIOR_LIMIT, PRIOR_LIMIT, POSITIONS)
    positions = grid_points(axis, axis)
    pixels = decode_latents(model, positions)
    distance, nearest = reference.nearest(pixels)
    classifier = load_reference_classifier(snakemake.input.reference_classifier, dataset)
    probabilities = class_probabilities(classifier, pixels)
    metrics = find_failures(positions, distance, reference.distance_scale, probabilities)
    metrics.write(snakemake.output.metrics)

    indices = [failure.index for failure in metrics.failures] or [0]
    rows = np.concatenate([pixels[indices], images[nearest[indices]].reshape(-1, dataset.n_pixels) / 255])
    write_png(snakemake.output.images, tile_images(rows.reshape(-1, *dataset.image_shape), len(indices)))
