from pathlib import Path

from latentlab import data, report
from latentlab.files import read_json, write_json, write_text
from latentlab.jobs import job

with job(snakemake.log) as say:
    params, handin = snakemake.params, snakemake.wildcards.handin
    metrics = report.gather(params.parts, snakemake.input.metrics)
    records = [read_json(path) for path in snakemake.input.data]
    provenance = report.provenance_of(metrics, records)
    page = report.Page(
        title=params.title,
        course=params.course,
        authors=params.authors,
        classes=data.CLASSES[records[0]["dataset"]],
        figures={Path(path).stem: path for path in snakemake.input.figures},
        discussion=snakemake.input.get("discussion"),
    )
    template = next(Path(path) for path in snakemake.input.templates if path.endswith(f"{handin}/page.html.j2"))
    write_json(snakemake.output.provenance, provenance)
    write_text(snakemake.output.html, report.render(template, page, metrics, provenance))
