from latentlab.figures.base import draw_figure, use_style
from latentlab.records.assignments import FigureSpec
from latentlab.runtime.jobs import job

with job(snakemake):
    use_style(snakemake.input.style)
    for path, values in zip(snakemake.output.figures, snakemake.params.figures, strict=True):
        draw_figure(FigureSpec.from_dict(values), path)
