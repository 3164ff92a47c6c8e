from latentlab import data, handins, plots
from latentlab.jobs import job

with job(snakemake.log):
    spec, models = snakemake.params.spec, snakemake.params.models
    needs = handins.NEEDS[spec["plot"]]
    paths = iter(snakemake.input.files)
    panels = [
        plots.Panel(models[name]["label"], models[name]["family"], {need: next(paths) for need in needs})
        for name in spec["models"]
    ]
    plots.use_style(snakemake.input.style)
    plots.draw(
        spec["plot"],
        snakemake.output.figure,
        panels,
        data.CLASSES[snakemake.params.dataset],
        spec["width"],
        spec.get("height"),
        **snakemake.params.options,
    )
