import numpy as np

from latentlab.metrics.grids import grid_axis, grid_points, tile_images
from latentlab.metrics.latents import share_within
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.inference import decode_latents
from latentlab.records.metrics import ConditionGrids
from latentlab.runtime.files import write_png
from latentlab.runtime.jobs import job

with job(snakemake):
    params, model = snakemake.params, load_checkpoint(snakemake.input.weights)
    axis = grid_axis(params.low, params.high, params.samples, params.spacing)
    positions = grid_points(axis, axis)
    grids = [
        tile_images(decode_latents(model, positions, label).reshape(-1, *model.spec.image_shape), params.samples)
        for label in params.conditions
    ]
    write_png(snakemake.output.grids, np.concatenate(grids, axis=1))
    ConditionGrids(
        labels=tuple(params.conditions),
        x=tuple(axis.tolist()),
        y=tuple(axis.tolist()),
        within_grid=share_within(np.load(snakemake.input.codes)["test_codes"], axis),
    ).write(snakemake.output.metrics)
