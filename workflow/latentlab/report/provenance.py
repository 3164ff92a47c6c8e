"""What a report says of where its numbers come from."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from latentlab.records.data import DataRecord
from latentlab.records.provenance import DataProvenance, Digest, ModelProvenance, Provenance
from latentlab.report.metrics_context import Metrics
from latentlab.runtime.provenance import commit, digest, versions


def report_provenance(metrics: Metrics, records: Sequence[DataRecord], settings: dict[str, Any]) -> Provenance:
    """The provenance of a report.

    Args:
        metrics: of the page (`gather_metrics`).
        records: of all data that it depends on, its own first.
        settings: the configuration that it depends on (`Assignment.page_settings`).
    """
    revision = commit()
    models = {name: _model_provenance(namespace) for name, namespace in metrics.items()}
    return Provenance(
        commit=revision,
        clean=None if revision == "unknown" else not revision.endswith("+"),
        versions=versions("latentlab", "torch", "numpy", "matplotlib", "weasyprint"),
        config=Digest(sha256=digest(settings)),
        data=tuple(
            DataProvenance(
                dataset=record.dataset,
                source=record.source,
                training_size=record.training_size,
                sha256=record.digest,
                originals=record.originals,
            )
            for record in records
        ),
        models=models,
        weights=Digest(sha256=digest([models[name].weights for name in sorted(models)])),
    )


def used_settings(metrics: Metrics, settings: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a report with the precision and the instruction set that its models were trained with, so
    that a run with it uses the same.

    Args:
        metrics, settings: as in `report_provenance`.
    """
    models = dict(settings["models"])
    for model in map(_model_provenance, metrics.values()):
        if model.settings and model.model in models:
            models[model.model] = model.settings.to_dict()
    return settings | {"models": models}


def _model_provenance(namespace: SimpleNamespace) -> ModelProvenance:
    """From the top of the namespace, or from the first of its records that has the settings of the model."""
    sources = [namespace, *vars(namespace).values()]
    source = next((source for source in sources if hasattr(source, "settings")), namespace)
    fields = ModelProvenance.__struct_fields__
    return ModelProvenance(**{field: getattr(source, field) for field in fields if hasattr(source, field)})
