from pathlib import Path

from latentlab import data, report
from latentlab.files import read_json, write_json, write_text, write_yaml
from latentlab.jobs import job

with job(snakemake.log) as say:
    params, given, made = snakemake.params, snakemake.input, snakemake.output
    metrics, records = report.gather(params.parts, given.metrics), [read_json(path) for path in given.data]
    provenance = report.provenance_of(metrics, records, params.settings)
    for sentence in report.complaints(params.title, params.course, params.authors, given.get("discussion")):
        say(sentence, warning=True)
    page = report.Page(
        title=params.title,
        course=params.course,
        authors=params.authors,
        classes=data.CLASSES[records[0]["dataset"]],
        sections=params.sections,
        figures={Path(path).stem: path for path in given.figures},
        discussion=given.get("discussion"),
        explorer=params.explorer,
    )
    template = next(
        Path(path) for path in given.templates if path.endswith(f"{snakemake.wildcards.handin}/page.html.j2")
    )
    write_json(made.provenance, provenance)
    write_yaml(made.config, params.settings)
    write_text(made.html, report.render(template, page, metrics, provenance))
