"""The metrics that a discussion can quote, as a Markdown page: `python -m latentlab.report.metrics_reference`.

It is generated from the records of `latentlab.records.metrics`: their fields, and the strings below these.
"""

import ast
import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from latentlab.records.base import Record
from latentlab.records.metrics import METRICS_FILES
from latentlab.records.settings import ModelSettings
from latentlab.report.metrics_context import TOP_LEVEL_FILES

HEAD = """# Metrics that a discussion can quote

`{{ vae.test.kl }}` in a student's Markdown is replaced by that metric to four digits, here of the model that the
assignment calls vae: its `assignment.yaml`, in a folder of `templates/`, lists the names of models, sweeps and
comparisons with PCA. Where a table says vae, write the name of any model. `{{ vae.test.kl | number(1) }}` prints one
digit after the point, `{{ vae.latents.neighbour_accuracy | percent }}` a percentage. What does not apply to a model
cannot be quoted. Items of a list are numbered from 0: `{{ vae.latents.std.0 }}`, `{{ vae.latents.std.1 }}`.

Unless it says otherwise, losses and likelihoods are in nats per image; shares, accuracies and probabilities run from 0
to 1; squared errors are per pixel, pixels running from 0 to 1.

This page is generated: `python -m latentlab.report.metrics_reference > docs/metrics.md`.
"""
EXAMPLE_NAMES = {"classifier.json": "cvae", "ood.json": "cvae", "sweep.json": "sweep", "pca_comparison.json": "linear"}
SETTING = "A setting of the model config, as is every other key of an entry of `models:` in config.yaml."


def metrics_reference() -> str:
    """The page: for each metrics file a table of names and meanings."""
    parts = [HEAD]
    for file, record in METRICS_FILES.items():
        prefix = EXAMPLE_NAMES.get(file, "vae") + ("" if file in TOP_LEVEL_FILES else f".{Path(file).stem}")
        summary = " ".join((inspect.getdoc(record) or "").split()).partition(": ")[2]
        parts += [f"## {file}", "", summary[:1].upper() + summary[1:], "", "| name | meaning |", "|---|---|"]
        rows = [(name, meaning.replace("|", "\\|")) for name, meaning in _fields(record, prefix, "")]
        parts += [f"| `{name}` | {meaning} |" if meaning else f"| `{name}` | |" for name, meaning in rows]
        parts.append("")
    return "\n".join(parts)


def _fields(record: type[Record], path: str, context: str) -> Iterator[tuple[str, str]]:
    """Names and meanings of what a record holds. A field that explains nothing has the meaning of its context."""
    meanings = _meanings(record)
    for field, annotation in get_type_hints(record).items():
        yield from _leaves(annotation, f"{path}.{field}", meanings.get(field, context))


def _leaves(annotation: Any, path: str, meaning: str) -> Iterator[tuple[str, str]]:
    """Names and meanings of the numbers and texts in a value of this type, one for the items of a sequence."""
    arguments = get_args(annotation)
    if annotation is ModelSettings:
        yield f"{path}.beta", SETTING
    elif isinstance(annotation, type) and issubclass(annotation, Record):
        yield from _fields(annotation, path, meaning)
    elif get_origin(annotation) in (Union, types.UnionType):  # a field that is None where it does not apply
        yield from _leaves(arguments[0], path, meaning)
    elif get_origin(annotation) is tuple:
        yield from _leaves(arguments[0], f"{path}.0", meaning)
    elif get_origin(annotation) is dict:
        key, value = arguments
        example = get_args(key)[-1] if get_origin(key) is Literal else "torch"  # other keys are names of packages
        yield from _leaves(value, f"{path}.{example}", meaning)
    else:
        yield path, meaning


def _meanings(record: type[Record]) -> dict[str, str]:
    """The strings below the fields of a record, those of its bases included."""
    meanings: dict[str, str] = {}
    for base in reversed(record.__mro__):
        if issubclass(base, Record) and base is not Record:
            (definition,) = ast.parse(inspect.getsource(base)).body
            assert isinstance(definition, ast.ClassDef)
            for field, text in zip(definition.body, definition.body[1:], strict=False):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                        meanings[name] = " ".join(meaning.split())
    return meanings


if __name__ == "__main__":
    print(metrics_reference(), end="")
