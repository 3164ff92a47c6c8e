import numpy as np

from latentlab import analysis, atlas, data, grids, quality, training
from latentlab.files import write_json, write_png
from latentlab.jobs import job

with job(snakemake.log):
    record, params = snakemake.input.data, snakemake.params
    model, described = training.load(snakemake.input.weights)
    images, labels = data.load(record, "train")
    held_out, _ = data.load(record, "validation")
    known = analysis.Data(images, labels, held_out)

    axis = grids.axis(-atlas.PRIOR_LIMIT, atlas.PRIOR_LIMIT, 41)
    plane = grids.points(axis, axis)
    pictures = training.decode(model, described["settings"], plane)
    distance, nearest = known.nearest(pictures)
    judged = quality.probabilities(quality.load_judge(snakemake.input.judge), pictures)
    found = atlas.failures(plane, distance, known.scale, judged)

    chosen = [failure["index"] for failure in found] or [0]
    rows = np.concatenate([pictures[chosen], images[nearest[chosen]].reshape(-1, 784) / 255])
    write_png(snakemake.output.pictures, grids.tile(rows.reshape(-1, 28, 28), len(chosen)))
    inside = np.linalg.norm(plane, axis=1) <= atlas.PRIOR_LIMIT
    shares = {
        "far": float((distance[inside] > known.scale).mean()),
        "ambiguous": float((judged[inside].max(axis=1) < atlas.UNSURE).mean()),
    }
    write_json(snakemake.output.failures, {"found": found, "scale": known.scale, "share": shares})
