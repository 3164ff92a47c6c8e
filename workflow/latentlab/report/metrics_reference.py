"""The metrics that a discussion can quote, as a Markdown page: `python -m latentlab.report.metrics_reference`.

It is generated from the records of `latentlab.records.metrics`: their fields, and the strings below these.
"""

import ast
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

from latentlab.records import metrics as records
from latentlab.records.base import Record
from latentlab.report.metrics_context import TOP_LEVEL_FILES

HEAD = """# Metrics that a discussion can quote

`{{ vae.test.kl }}` in a student's Markdown is replaced by that metric, here of the model that the assignment calls vae
(`assignment.yaml` lists its names). Items of a list are numbered from 0: `{{ vae.latents.std.0 }}`. Losses and
likelihoods are in nats per image, shares and accuracies run from 0 to 1, squared errors are per pixel.
"""


def metrics_reference() -> str:
    """The page: for each metrics file a table of names and meanings."""
    tables = [HEAD]
    for file, record in records.METRICS_FILES.items():
        prefix = "" if file in TOP_LEVEL_FILES else f"{Path(file).stem}."
        rows = [f"| `{prefix}{name}` | {meaning} |" for name, meaning in _fields(record)]
        summary = " ".join((inspect.getdoc(record) or "").split())
        tables.append("\n".join([f"## {file}\n\n{summary}\n", "| name | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(tables)


def _fields(record: type[Record], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and meanings of the numbers and texts in a record and the records inside it."""
    meanings = _meanings(record)
    for name, annotation in typing.get_type_hints(record).items():
        path = f"{prefix}{name}"
        nested = _record_in(annotation)
        if nested is None:
            yield path, meanings.get(name, "")
        else:
            item = {tuple: ".0", dict: ".quadrature"}.get(_container(annotation), "")
            yield from _fields(nested, f"{path}{item}.")


def _container(annotation: object) -> object:
    """The type of the container in an annotation such as `tuple[Failure, ...] | None`, if there is one."""
    origin = typing.get_origin(annotation)
    return origin if origin in (tuple, dict) else None


def _record_in(annotation: object) -> type[Record] | None:
    """The record that an annotation refers to, if any; the settings of a model are listed in config.yaml."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _record_in(part))), None)


def _meanings(record: type[Record]) -> dict[str, str]:
    """The strings below the fields of a record, its bases' included."""
    meanings: dict[str, str] = {}
    for base in reversed(record.__mro__):
        if not (isinstance(base, type) and issubclass(base, Record) and base is not Record):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
                meanings[field.target.id] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    return meanings


if __name__ == "__main__":
    print(metrics_reference(), end="")
