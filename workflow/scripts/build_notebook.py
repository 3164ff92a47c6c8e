from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from latentlab.notebook.archive import fill_archive, pack_archive
from latentlab.notebook.build import build_notebook, library_source, run_notebook, save_notebook, save_notebook_html
from latentlab.records.archive import ArchiveContents, archive_path
from latentlab.records.data import DataRecord
from latentlab.records.settings import Author
from latentlab.report.metrics_context import gather_metrics
from latentlab.report.provenance import report_provenance, used_settings
from latentlab.report.render import Page
from latentlab.report.templates import render_template
from latentlab.runtime.files import PARTIAL, copy
from latentlab.runtime.jobs import job

with job(snakemake.log):
    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    records = {record.dataset: record for record in map(DataRecord.read, inputs.records)}
    contents = msgspec.structs.replace(ArchiveContents.from_dict(params.contents), data=records)
    record = records[contents.dataset]
    with TemporaryDirectory(prefix=PARTIAL, dir=Path(outputs.archive).parent) as folder:
        folder = Path(folder)
        files = {(name, file): path for (name, file), path in zip(params.parts, inputs.files, strict=True)}
        fill_archive(folder, contents, files, inputs.style)
        (folder / "resources").symlink_to(Path("resources").resolve())
        parts = [(name, file) for name, names in params.page_metrics.items() for file in names]
        metrics = gather_metrics(params.page_metrics, [folder / archive_path(*part) for part in parts])
        settings = used_settings(metrics, params.settings)
        authors = [Author.from_dict(author) for author in params.authors]
        context = metrics | {
            "provenance": report_provenance(metrics, list(records.values()), settings),
            "source": library_source,
            "settings": settings,
            "page": Page(params.title, params.course, authors, record.declaration.classes),
            "synthetic": record.is_synthetic,
        }
        notebook = build_notebook(render_template(inputs.template, context))
        run_notebook(notebook, folder)
        (folder / "resources").unlink()
        save_notebook(folder / Path(outputs.notebook).name, notebook)
        save_notebook_html(folder / Path(outputs.html).name, notebook, params.title, Path(inputs.html_template).parent)
        for path in (outputs.notebook, outputs.html):
            copy(folder / Path(path).name, path)
        pack_archive(folder, outputs.archive)
