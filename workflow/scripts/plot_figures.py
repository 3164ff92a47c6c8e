from latentlab import data, plots
from latentlab.jobs import job

with job(snakemake.log):
    plots.use_style(snakemake.input.style)
    for path, figure in zip(snakemake.output.figures, snakemake.params.figures, strict=True):
        plots.draw(
            figure["plot"],
            path,
            [plots.Panel(**panel) for panel in figure["panels"]],
            data.CLASSES[figure["dataset"]],
            figure["width"],
            figure.get("height"),
            **figure["options"],
        )
