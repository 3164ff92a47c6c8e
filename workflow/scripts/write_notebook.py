from pathlib import Path
from tempfile import TemporaryDirectory

from latentlab import archive, data, notebook, report
from latentlab.files import PARTIAL, copy, read_json
from latentlab.jobs import job

with job(snakemake.log):
    params, given, made = snakemake.params, snakemake.input, snakemake.output
    names = [(name, file) for name, files in params.parts.items() for file in files]
    records = {record["dataset"]: record for record in map(read_json, given.records)}
    contents = params.contents | {"data": records}
    with TemporaryDirectory(prefix=PARTIAL, dir=Path(made.archive).parent) as folder:
        folder = Path(folder)
        archive.fill(folder, contents, dict(zip(names, given.files, strict=True)), given.style)
        (folder / "resources").symlink_to(Path("resources").resolve())
        paths = [folder / "runs" / name / file for name, files in params.measured.items() for file in files]
        metrics = report.gather(params.measured, paths)
        context = metrics | {
            "provenance": report.provenance_of(metrics, list(records.values()), params.settings),
            "source": notebook.source,
            "knobs": params.settings,
            "page": report.Page(params.title, params.course, params.authors, data.CLASSES[contents["dataset"]]),
            "stand_in": data.is_stand_in(records[contents["dataset"]]),
        }
        cells = notebook.build(report.fill_in(Path(given.template), context))
        notebook.run(cells, folder)
        (folder / "resources").unlink()
        notebook.save(folder / Path(made.notebook).name, cells)
        notebook.save_html(folder / Path(made.html).name, cells, params.title, Path(given.page[0]).parent)
        for path in (made.notebook, made.html):
            copy(folder / Path(path).name, path)
        archive.pack(folder, made.archive)
