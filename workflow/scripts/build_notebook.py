from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import msgspec

from latentlab.figures.base import draw_figure, use_style
from latentlab.notebook.archive import pack_library
from latentlab.notebook.build import build_notebook, render_text, save_notebook_html
from latentlab.notebook.run import save_notebook
from latentlab.records.assignments import FigureSpec
from latentlab.records.data import DataRecord
from latentlab.records.settings import Author
from latentlab.report.metrics_context import gather_metrics
from latentlab.report.provenance import report_provenance, used_settings
from latentlab.report.render import Page
from latentlab.runtime.files import read_json, write_zip
from latentlab.runtime.jobs import job

SCALE, DPI = 1.5, 130  # figures are drawn larger than on the page, for a screen

with job(snakemake):
    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    records = [DataRecord.read(path) for path in inputs.records]
    files = {(name, file): path for (name, file), path in zip(params.parts, inputs.files, strict=True)}
    parts = [(name, file) for name, names in params.page_metrics.items() for file in names]
    metrics = gather_metrics(params.page_metrics, [files[part] for part in parts])
    settings = used_settings(metrics, params.settings)
    authors = [Author.from_dict(author) for author in params.authors]
    page = Page(params.title, params.course, authors, records[0].declaration.classes, preview=params.preview)
    provenance = report_provenance(metrics, records, settings)
    answers = inputs.answers[0] if inputs.answers else None
    text = render_text(inputs.template, page, metrics, provenance, answers)
    use_style(inputs.style)
    matplotlib.rcParams["savefig.dpi"] = DPI

    def draw(spec):
        size = {"width": SCALE * spec.width, "height": SCALE * spec.height if spec.height else None}
        with TemporaryDirectory() as folder:
            draw_figure(msgspec.structs.replace(spec, **size), path := Path(folder, "figure.png"))
            return path.read_bytes()

    figures = {spec.name: partial(draw, spec) for spec in map(FigureSpec.from_dict, params.figures)}
    save_notebook(outputs.notebook, build_notebook(text, read_json(inputs.cells), figures))
    html_template = Path(inputs.html_template).parent
    save_notebook_html(outputs.html, outputs.notebook, params.title, html_template)
    write_zip(outputs.archive, {Path(path).name: path for path in (outputs.notebook, outputs.html)})
    pack_library(outputs.library, files, settings)
