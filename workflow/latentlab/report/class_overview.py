"""The overview of a class: a page and a table of who has which report, with its main measurements within the class."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdfium2
from markupsafe import Markup

from latentlab.records.metrics import ClassifierMetrics, ModelMetrics
from latentlab.report.fonts import data_uri
from latentlab.report.student_reports import StudentResult
from latentlab.report.templates import content_hash, render_template
from latentlab.runtime.files import write_csv, write_text
from latentlab.runtime.provenance import REPOSITORY

TEMPLATE = REPOSITORY / "templates/class/index.html.j2"
STUDENTS = "students"  # has a folder for each student
THUMBNAIL_SCALE = 0.3  # pixels per point
MEASUREMENTS = {  # name → heading; of the main model
    "loss": "loss, nats",
    "neighbour_accuracy": "5-neighbour accuracy",
    "bayes_accuracy": "accuracy by Bayes’ rule",
}


def main_model(result: StudentResult) -> str:
    """The name of the first model with a prior that a report shows, else of the first."""
    names = result.assignment.spec.models
    return next((name for name in names if "generative" in result.assignment.properties(name)), next(iter(names)))


def measurements_of(result: StudentResult) -> dict[str, float]:
    """Of the main model, as far as they apply; see `MEASUREMENTS`."""
    if result.error:
        return {}
    model, assignment = main_model(result), result.assignment
    metrics = ModelMetrics.read(result.folder / assignment.file(model, "metrics.json"))
    loss = metrics.test.reconstruction + (metrics.test.kl or 0.0)
    values = {"loss": loss, "neighbour_accuracy": metrics.latents.neighbour_accuracy}
    if "classifier.json" in assignment.page_metrics()[model]:
        classifier = ClassifierMetrics.read(result.folder / assignment.file(model, "classifier.json"))
        values["bayes_accuracy"] = classifier.methods[classifier.best].accuracy
    return values


def write_overview(results: Sequence[StudentResult], folder: Path) -> None:
    """Write index.html and class.csv into `folder`, which has the students' files."""
    measurements = [measurements_of(result) for result in results]
    measured = set().union(*measurements)
    rows = [_table_row(*pair) for pair in zip(results, measurements, strict=True)]
    write_csv(folder / "class.csv", rows)
    script = TEMPLATE.with_name("sort.js").read_text(encoding="utf-8")
    css = TEMPLATE.with_name("class.css").read_text(encoding="utf-8")
    context = {
        "rows": [
            row
            | {"thumbnail": _thumbnail(result, folder), "strips": _strips(result, results, measurements)}
            | {"label": result.assignment.entries[main_model(result)].label}
            | {"files": [] if result.error else [Path(file).name for file in result.files()]}
            for row, result in zip(rows, results, strict=True)
        ],
        "measurements": {name: heading for name, heading in MEASUREMENTS.items() if name in measured},
        "n_made": sum(not result.error for result in results),
        "students": STUDENTS,
        "script": Markup(script),
        "css": Markup(css),
        "hash": content_hash,
    }
    write_text(folder / "index.html", render_template(TEMPLATE, context))


def _table_row(result: StudentResult, measurements: dict[str, float]) -> dict[str, Any]:
    report = result.student.report
    (author,) = report.authors
    files = {"report": f"{STUDENTS}/{report.id}/{report.assignment}.pdf"} if not result.error else {"report": None}
    return {
        "id": report.id,
        "name": author.name,
        "e-mail": author.email,
        "assignment": report.assignment,
        "state": "made" if not result.error else "not made",
        "error": result.error,
        "settings": "; ".join(f"{key}: {value}" for key, value in result.student.settings.items()),
        "model": result.assignment.entries[main_model(result)].config,
        **{name: measurements.get(name) for name in MEASUREMENTS},
        **files,
    }


def _thumbnail(result: StudentResult, folder: Path) -> str | None:
    """The report as a small picture, as a data URI."""
    if result.error:
        return None
    report = result.student.report
    page = pypdfium2.PdfDocument(folder / STUDENTS / report.id / f"{report.assignment}.pdf")[0]
    file = io.BytesIO()
    page.render(scale=THUMBNAIL_SCALE).to_pil().save(file, "jpeg", quality=70)
    return data_uri(file.getvalue(), "image/jpeg")


def _strips(
    result: StudentResult, results: Sequence[StudentResult], measurements: Sequence[dict[str, float]]
) -> dict[str, Any]:
    """Where each measurement of a student lies among those of all with the same assignment, 0 to 1: its own position,
    and those of all."""
    own = measurements[results.index(result)]
    strips = {}
    for name, value in own.items():
        all_values = [
            values[name]
            for other, values in zip(results, measurements, strict=True)
            if name in values and other.assignment.name == result.assignment.name
        ]
        low, high = min(all_values), max(all_values)
        if high > low:
            positions = [(other - low) / (high - low) for other in all_values]
            strips[name] = {"own": (value - low) / (high - low), "all": sorted(set(positions))}
    return strips
