import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import grid_axis, grid_points, occupied_range, tile_images
from latentlab.metrics.latent_plane import coverage, interpolation_paths, interpolation_smoothness
from latentlab.metrics.latents import share_within
from latentlab.metrics.neighbours import ReferenceImages
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import decode_latents
from latentlab.records.data import DataRecord
from latentlab.records.metrics import Axes, Grids, PlaneMetrics
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

with job(snakemake.log):
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    record, model = DataRecord.read(inputs.data), load_checkpoint(inputs.weights)
    dataset, codes = record.declaration, np.load(inputs.codes)
    low, high = occupied_range(codes["train_mean"])
    axis = grid_axis(params.low, params.high, params.samples, params.spacing)
    quantiles = grid_axis(params.low, params.high, params.samples, "quantiles")
    axes = {
        "grid": (axis, axis),
        "quantiles": (quantiles, quantiles),
        "occupied": tuple(grid_axis(low[i], high[i], params.samples) for i in range(2)),
    }
    decoded = {name: decode_latents(model, grid_points(x, y)) for name, (x, y) in axes.items()}
    for name, pixels in decoded.items():
        write_png(outputs[name], tile_images(pixels.reshape(-1, *dataset.image_shape), params.samples))
    grids = Grids(**{name: Axes(x=tuple(x.tolist()), y=tuple(y.tolist())) for name, (x, y) in axes.items()})
    grids.write(outputs.axes)

    reference = ReferenceImages(*load_split(record, "train"), load_split(record, "validation")[0])
    paths = interpolation_paths(codes["test_mean"])
    path_pixels = decode_latents(model, paths.reshape(-1, 2)).reshape(*paths.shape[:2], -1)
    PlaneMetrics(
        grid=coverage(reference, decoded["grid"], dataset.n_classes),
        occupied=coverage(reference, decoded["occupied"], dataset.n_classes),
        within_grid=share_within(codes["test_mean"], axis),
        interpolations=interpolation_smoothness(reference, path_pixels),
        distance_scale=reference.distance_scale,
    ).write(outputs.metrics)
