from latentlab import classify, data, grids, training
from latentlab.files import read_json, write_json, write_npz, write_png
from latentlab.jobs import job

with job(snakemake.log):
    record, foreign, params = read_json(snakemake.input.data), read_json(snakemake.input.foreign), snakemake.params
    model, described = training.load(snakemake.input.weights)
    _, known = data.load(record, "train")
    splits = {split: data.load(record, split) for split in ("validation", "test")}
    splits["foreign"] = data.load(foreign, "test")
    images, labels = ({split: pair[i] for split, pair in splits.items()} for i in (0, 1))

    knobs = {"samples": params.samples, "positions": params.positions}
    joints = {
        split: classify.log_joint(model, described["settings"], images[split], classify.log_prior(known), **knobs)
        for split in splits
    }
    figures = described | knobs | classify.evaluate(joints, labels)
    figures |= {
        "model": snakemake.wildcards.model,
        "dataset": record["dataset"],
        "foreign": {"dataset": foreign["dataset"], "stand_in": data.is_stand_in(foreign)},
        "grid_error": classify.grid_error(model, described["settings"], images["test"], params.positions),
    }
    chosen = [mistake["index"] for mistake in figures["mistakes"]] or [0]
    write_json(snakemake.output.figures, figures)
    write_npz(
        snakemake.output.joints, {f"{a}_{b}": values for a, found in joints.items() for b, values in found.items()}
    )
    write_png(snakemake.output.mistakes, grids.tile(images["test"][chosen] / 255, len(chosen)))
