import numpy as np

from latentlab.data.splits import load_split
from latentlab.metrics.grids import grid_axis, grid_points, occupied_range, tile_images
from latentlab.metrics.latent_plane import coverage, interpolation_paths, interpolation_smoothness
from latentlab.metrics.latents import share_within
from latentlab.metrics.realism import RealImages
from latentlab.metrics.reference_classifier import load_reference_classifier
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import axis_effects, decode_latents, decoder_slopes
from latentlab.models.inputs import to_pixels
from latentlab.records.data import DataRecord
from latentlab.records.metrics import Axes, Grids, PlaneMetrics
from latentlab.runtime.files import write_npz, write_png
from latentlab.runtime.jobs import job

N_SAMPLES = 5000  # draws of the prior

with job(snakemake):
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    record, model = DataRecord.read(inputs.data), load_checkpoint(inputs.weights)
    dataset, codes = record.declaration, np.load(inputs.codes)
    low, high = occupied_range(codes["train_codes"])
    axis = grid_axis(params.low, params.high, params.samples, params.spacing)
    quantiles = grid_axis(params.low, params.high, params.samples, "quantiles")
    axes = {
        "grid": (axis, axis),
        "quantiles": (quantiles, quantiles),
        "occupied": tuple(grid_axis(low[i], high[i], params.samples) for i in range(2)),
    }
    positions = {name: grid_points(x, y) for name, (x, y) in axes.items()}
    decoded = {name: decode_latents(model, points) for name, points in positions.items()}
    for name, pixels in decoded.items():
        write_png(outputs[name], tile_images(pixels.reshape(-1, *dataset.image_shape), params.samples))
    grids = Grids(**{name: Axes(x=tuple(x.tolist()), y=tuple(y.tolist())) for name, (x, y) in axes.items()})
    grids.write(outputs.axes)
    write_npz(outputs.effects, axis_effects(model))

    classifier = load_reference_classifier(inputs.reference_classifier, dataset)
    real = RealImages(classifier, *load_split(record, "train"))
    paths = interpolation_paths(codes["test_codes"])
    path_pixels = decode_latents(model, paths.reshape(-1, 2)).reshape(*paths.shape[:2], -1)
    prior = np.random.default_rng(0).standard_normal((N_SAMPLES, 2), np.float32)
    coverages = {
        name: coverage(real, decoded[name], positions[name], params.samples, dataset.n_classes)
        for name in ("grid", "occupied")
    }
    PlaneMetrics(
        **coverages,
        low=float(axis[0]),
        high=float(axis[-1]),
        within_grid=share_within(codes["test_codes"], axis),
        interpolations=interpolation_smoothness(real, path_pixels),
        reconstructions=real.precision(decode_latents(model, codes["test_codes"])),
        samples=real.precision(decode_latents(model, prior)) if model.generative else None,
        change_per_unit=float(decoder_slopes(model, prior).mean()) if model.generative else None,
        real=real.precision(to_pixels(load_split(record, "test")[0])),
    ).write(outputs.metrics)
