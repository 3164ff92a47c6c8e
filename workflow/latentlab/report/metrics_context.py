"""The metrics that a page shows, by the names that its template and a student's discussion use."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from latentlab.records.base import Record
from latentlab.records.metrics import METRICS_FILES

TOP_LEVEL_FILES = ("metrics.json", "sweep.json", "pca_comparison.json")

Metrics = Mapping[str, SimpleNamespace]  # the name of a model, a sweep or a comparison with PCA → its metrics


def gather_metrics(
    page_metrics: Mapping[str, Sequence[str]], paths: Iterable[str | Path]
) -> dict[str, SimpleNamespace]:
    """Read the metrics files of a page.

    Args:
        page_metrics: name of a model → its metrics files (`Assignment.page_metrics`).
        paths: where these files are: one path for each, in the same order (`Assignment.page_metric_parts`), even if
            two models share a file.

    Returns:
        For each name a namespace. The fields of metrics.json, sweep.json or pca_comparison.json are its attributes; the
        record of any other file is the attribute named like the file: `vae.test.kl`, `vae.plane.within_grid`. Fields
        that do not apply to a model are left out.
    """
    parts = [(name, file) for name, files in page_metrics.items() for file in files]
    metrics = {name: SimpleNamespace() for name in page_metrics}
    for (name, file), path in zip(parts, paths, strict=True):
        record = METRICS_FILES[file].read(path)
        attributes = present_fields(record) if file in TOP_LEVEL_FILES else {Path(file).stem: record}
        vars(metrics[name]).update(attributes)
    return metrics


def present_fields(record: Record) -> dict[str, Any]:
    """The fields of a record that are not None."""
    fields = {field: getattr(record, field) for field in record.__struct_fields__}
    return {field: value for field, value in fields.items() if value is not None}


def quotable_metrics(metrics: Metrics) -> dict[str, str | float]:
    """Every metric that a discussion can quote: its name → its value. A name is the path to the metric, joined by dots;
    items of a sequence are numbered from 0: `vae.test.kl`, `sweep.squared_error.mean.0`."""
    return _flatten(metrics)


def _flatten(value: Any, prefix: str = "") -> dict[str, str | float]:
    match value:
        case Record():
            items = present_fields(value).items()
        case SimpleNamespace():
            items = vars(value).items()
        case Mapping():
            items = value.items()
        case list() | tuple():
            items = enumerate(value)
        case None:
            return {}
        case _:
            return {prefix.removesuffix("."): value}
    return {name: leaf for key, item in items for name, leaf in _flatten(item, f"{prefix}{key}.").items()}
