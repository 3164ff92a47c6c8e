"""What an archive of a notebook contains: contents.json."""

from collections.abc import Sequence
from typing import Any, Self

import msgspec

from latentlab.records.assignments import Assignment, FigureSpec
from latentlab.records.base import Record
from latentlab.records.data import DataRecord


class ArchivedModel(Record, frozen=True, omit_defaults=False):
    """A model, a sweep or a comparison with PCA in an archive."""

    label: str
    """Its name in figures."""
    stochastic: bool
    """Whether the model has a prior."""


class ArchiveContents(Record, frozen=True, omit_defaults=False):
    """contents.json. Paths are relative to the archive's folder."""

    dataset: str
    """The assignment's."""
    models: dict[str, ArchivedModel]
    """By the names in assignment.yaml."""
    figures: dict[str, FigureSpec]
    """By the names in assignment.yaml."""
    data: dict[str, DataRecord]
    """Data set → its record."""

    @classmethod
    def of(cls, assignment: Assignment, config: dict[str, Any], data: Sequence[DataRecord] = ()) -> Self:
        """The contents of an assignment's archive.

        Args:
            config: the contents of config.yaml.
            data: the records of all its data.
        """
        return cls(
            dataset=assignment.spec.dataset,
            models={
                name: ArchivedModel(label=entry.label, stochastic="stochastic" in assignment.properties(name))
                for name, entry in assignment.entries.items()
            },
            figures={
                figure.name: _archived_figure(figure, assignment.spec.figures[figure.name].models)
                for figure in assignment.figure_specs(config)
            },
            data={record.dataset: record for record in data},
        )


def archive_path(name: str, file: str) -> str:
    """The path of a results file of a model, a sweep or a comparison with PCA in an archive."""
    return f"runs/{name}/{file}"


def _archived_figure(figure: FigureSpec, models: tuple[str, ...]) -> FigureSpec:
    """The figure with the paths of its files in the archive."""
    panels = tuple(
        msgspec.structs.replace(panel, files={file: archive_path(name, file) for file in panel.files})
        for name, panel in zip(models, figure.panels, strict=True)
    )
    return msgspec.structs.replace(figure, panels=panels)
