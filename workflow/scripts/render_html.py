from pathlib import Path

from latentlab.records.data import DataRecord
from latentlab.records.settings import Author
from latentlab.report.metrics_context import gather_metrics
from latentlab.report.provenance import report_provenance, used_settings
from latentlab.report.render import Page, render_page, text_warnings
from latentlab.runtime.files import write_text, write_yaml
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    records = [DataRecord.read(path) for path in inputs.data]
    authors = [Author.from_dict(author) for author in params.authors]
    discussion = inputs.discussion[0] if inputs.discussion else None
    metrics = gather_metrics(params.page_metrics, inputs.metrics)
    settings = used_settings(metrics, params.settings)
    provenance = report_provenance(metrics, records, settings)
    for warning in text_warnings(params.title, params.course, authors, discussion):
        log(warning, warning=True)
    page = Page(
        title=params.title,
        course=params.course,
        authors=authors,
        classes=records[0].declaration.classes,
        sections=params.sections,
        figures={Path(path).stem: path for path in inputs.figures},
        discussion=discussion,
        explorer=params.explorer,
        preview=params.preview,
    )
    template = next(
        path for path in inputs.templates if path.endswith(f"{snakemake.wildcards.assignment}/page.html.j2")
    )
    provenance.write(outputs.provenance)
    write_yaml(outputs.config, settings)
    write_text(outputs.html, render_page(template, page, metrics, provenance))
