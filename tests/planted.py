"""Plausible metrics for pages; a test changes those that a claim depends on."""

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import yaml

from latentlab.records.assignments import Assignment, load_assignment
from latentlab.records.base import Record
from latentlab.records.data import DataRecord
from latentlab.records.datasets import get_dataset
from latentlab.records.metrics import (
    METRICS_FILES,
    AugmentationMetrics,
    AxisCorrelations,
    BaselineMetrics,
    ByClass,
    ClassifierMetrics,
    ConditionGrids,
    Convergence,
    Coverage,
    FailingShares,
    Failure,
    FailureMetrics,
    FailureShares,
    InterpolationSmoothness,
    Landmark,
    LatentMetrics,
    LayerSummary,
    Likelihoods,
    Losses,
    MeanStd,
    MethodPredictions,
    ModelMetrics,
    NeighbourBaseline,
    NotebookClassifier,
    NotebookFailures,
    NotebookMetrics,
    OODMetrics,
    PCAComparison,
    PlaneMetrics,
    Predictions,
    Projection,
    ProjectionMetrics,
    RestorationMetrics,
    Separation,
    ShapeCorrelations,
    SweepMetrics,
    WorstReconstruction,
)
from latentlab.records.provenance import Provenance
from latentlab.records.settings import Author, ModelSettings
from latentlab.report.metrics_context import gather_metrics
from latentlab.report.provenance import report_provenance
from latentlab.report.render import Page, render_page

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "templates"
ASSIGNMENTS = ["exercise4", "lab10", "lab8", "lab8-pca", "plane", "summary"]
AUTHORS = [Author(name="Ada Example")]
CLASS_SHARE = (0.19, 0.14, 0.13, 0.12, 0.11, 0.1, 0.08, 0.06, 0.04, 0.03)
SETTINGS = ModelSettings(family="vae", hidden=(512,), precision="bfloat16", instruction_set="AMX_BF16")

by_class = ByClass(mean=0.3, classes=tuple(0.1 * i - 0.2 for i in range(10)))
separation = Separation(silhouette=by_class, neighbour_accuracy=by_class)
losses = Losses(
    reconstruction_floor=189.9,
    reconstruction=260.1,
    kl=6.7,
    negative_elbo=266.8,
    squared_error=0.0412,
    root_squared_error=0.203,
    background_error=0.0101,
    ink_error=0.0812,
)
predictions = Predictions(accuracy=0.8, nll=0.5, ece=0.02, bins=())
method = MethodPredictions(
    accuracy=0.8,
    nll=0.7,
    ece=0.15,
    bins=(),
    temperature=3.0,
    temperature_scaled=predictions,
    confusion=((8, 2), (2, 8)),
)
projection = Projection(explained=(0.3, 0.2), dimensions=576, between_classes=0.4, plane=separation, full=separation)


def landmark(nearest: int, realism: float) -> Landmark:
    return Landmark(row=nearest, column=0, nearest=nearest, realism=realism)


def load(name: str) -> Assignment:
    """An assignment of templates/ with the models of config.yaml."""
    return load_assignment(TEMPLATES, name, yaml.safe_load((ROOT / "config.yaml").read_text()))


def model(settings: ModelSettings) -> dict[str, Record]:
    """The metrics files of a model."""
    generative, has_elbo = settings.family in ("vae", "exact"), settings.family == "vae"
    plane = Coverage(
        precision=0.62 if generative else 0.05,
        class_share=CLASS_SHARE,
        typical=tuple(landmark(nearest, 1.3) for nearest in range(3)),
        unrealistic=tuple(landmark(nearest, 0.4) for nearest in range(3)),
        inner=0.7,
        outer=0.5,
    )
    model_losses = msgspec.structs.replace(
        losses, kl=losses.kl if generative else None, negative_elbo=losses.negative_elbo if has_elbo else None
    )
    identity = {"model": "planted", "dataset": "FashionMNIST", "seed": 0, "latent_dim": 2, "settings": settings}
    return {
        "metrics.json": ModelMetrics(
            **identity,
            parameters=1000,
            layers=(
                LayerSummary(
                    part="encoder", layer="Conv2d", shape=(64, 3, 3), parameters=900, kernel_size=5, stride=1, padding=2
                ),
                LayerSummary(part="encoder", layer="Unflatten", shape=(1, 28, 28), parameters=0),
                LayerSummary(part="encoder", layer="Flatten", shape=(576,), parameters=0, activation="ReLU"),
                LayerSummary(part="decoder", layer="Linear", shape=(784,), parameters=100),
            ),
            training=Convergence(
                best_epoch=8,
                converged_epoch=6,
                kl=(3.0, 6.0) if has_elbo else None,
                reconstruction=(280.0, 260.0) if has_elbo else None,
            ),
            test=model_losses,
            latents=LatentMetrics(
                std=(1.1, 0.9),
                low=(-3.5, -3.25),
                high=(3.75, 3.0),
                neighbour_accuracy=0.65,
                mutual_information=1.2,
                active_units=2,
                separation=separation,
                overlaps=(("shirt", "coat", 0.31), ("sandal", "sneaker", 0.22), ("dress", "coat", 0.11)),
                centres=(*((0.3 * i - 1.0, 1.0 - 0.2 * i) for i in range(9)), None),
            ),
            worst=tuple(WorstReconstruction(index=i, label=i, squared_error=0.1 - 0.01 * i) for i in range(5)),
            data="d" * 64,
            weights="0" * 64,
            versions={"torch": "2"},
            likelihood=Likelihoods(
                normalised=False,
                log_likelihood=-260.0,
                gap=6.8 if has_elbo else None,
                median_gap=5.1 if has_elbo else None,
                quadrature_error=0.0012,
            )
            if generative
            else None,
            shape_correlations=ShapeCorrelations(
                slant=(0.8, -0.7), thickness=(0.1, 0.2), width=(0.1, 0.2), ink=(0.1, 0.2)
            ),
        ),
        "plane.json": PlaneMetrics(
            grid=plane,
            occupied=plane,
            low=-4.0,
            high=4.0,
            samples=0.61 if generative else None,
            change_per_unit=4.2 if generative else None,
            within_grid=0.97 if generative else 0.31,
            interpolations=InterpolationSmoothness(
                steps=10, max_step_ratio=1.29, max_step_ratio_interval=(1.2, 1.4), precision=0.6, ends_precision=0.7
            ),
            reconstructions=0.71,
            real=0.89,
        ),
        "conditions.json": ConditionGrids(labels=(2, 4, 8), x=(-1.0, 1.0), y=(-1.0, 1.0), within_grid=0.97),
        "failures.json": FailureMetrics(
            failures=(Failure(index=0, z=(0.0, 0.0), kind="unrealistic", realism=0.5, confidence=0.5),) * 6,
            share=FailureShares(unrealistic=0.4, ambiguous=0.1),
            real=FailureShares(unrealistic=0.11, ambiguous=0.05),
            confidence_limit=0.6,
        ),
        "classifier.json": ClassifierMetrics(
            **identity,
            methods={"quadrature": method},
            best="quadrature",
            mistakes=(),
            confusions=(),
        ),
        "ood.json": OODMetrics(dataset="MNIST", synthetic=False, method="quadrature", auroc=0.9),
        "baselines.json": BaselineMetrics(
            dataset="FashionMNIST",
            data="d" * 64,
            neighbours=NeighbourBaseline(accuracy=0.85, k=5),
            logistic=Predictions(accuracy=0.84, nll=0.44, ece=0.02, bins=()),
            logistic_steps=100,
            cnn=Predictions(accuracy=0.9, nll=0.3, ece=0.02, bins=()),
            cnn_epochs=5,
        ),
        "projections.json": ProjectionMetrics(codes=projection, pixels=projection),
        "notebook.json": notebook(settings.conditional),
        "restorations.json": RestorationMetrics(corrupted=0.04, restored=0.02),
        "augmentation.json": AugmentationMetrics(
            model="planted",
            settings=settings,
            latent_dim=2,
            seed=0,
            sizes=(100, 1000),
            draws=30000,
            seeds=3,
            real=mean_std(0.7, 0.8),
            samples=mean_std(0.74, 0.81),
            gain=mean_std(0.04, 0.01),
        ),
    }


def notebook(conditional: bool) -> NotebookMetrics:
    """What a notebook measured of the VAE, or of the CVAE."""
    slant, weak = (AxisCorrelations(mean=rho, classes=(rho,) * 10) for rho in ((0.1, 0.8), (0.1, -0.2)))
    few, many = FailingShares(ambiguous=0.015, blurred=0.01), FailingShares(ambiguous=0.08, blurred=0.99)
    failures = NotebookFailures(
        classifier_accuracy=0.98,
        decoded=many,
        reconstructions=many,
        real=few,
        purity_ambiguous=0.6,
        purity_certain=0.8,
    )
    classifier = NotebookClassifier(
        accuracy=0.933, integration_error=0.0017, confusion=((8, 2), (2, 8)), most_confused=((4, 9, 0.11), (7, 9, 0.04))
    )
    return NotebookMetrics(
        reconstruction=734.4 if conditional else 736.4,
        reconstruction_constant=720.45,
        kl=2.6 if conditional else 4.0,
        negative_elbo=737.0 if conditional else 740.4,
        squared_error=0.035,
        mean_image_error=0.067,
        reconstructions_recognised=0.97 if conditional else 0.82,
        neighbour_accuracy=0.12 if conditional else 0.79,
        class_accuracy=(0.94, 0.98, 0.88, 0.78, 0.63, 0.65, 0.93, 0.87, 0.71, 0.54),
        chance=0.1135,
        overlaps=((4, 9, 0.3), (3, 5, 0.12), (7, 9, 0.1)),
        centres=((0.1, 0.1),) * 10 if conditional else ((0.1, -1.8), (1.9, 0.2)) + ((-0.3, 0.4),) * 8,
        centre_distance=0.2 if conditional else 1.9,
        std=(1.0, 1.0),
        samples=few if conditional else many,
        slant=slant,
        width=weak,
        thickness=weak,
        failures=None if conditional else failures,
        samples_recognised=0.98 if conditional else None,
        grids_recognised=0.97 if conditional else None,
        classifier=classifier if conditional else None,
    )


def mean_std(*mean: float) -> MeanStd:
    return MeanStd(mean=mean, std=(0.0,) * len(mean))


def sweep() -> SweepMetrics:
    return SweepMetrics(
        model="planted",
        settings=SETTINGS,
        dims=(2, 4, 8),
        seeds=3,
        weights=("1" * 64,),
        squared_error=mean_std(0.041, 0.033, 0.031),
        negative_elbo=mean_std(266.0, 255.0, 254.0),
        reconstruction=mean_std(260.0, 240.0, 239.0),
        kl=mean_std(6.0, 15.0, 15.0),
        active_units=mean_std(2, 4, 6),
        informative_units=mean_std(2, 4, 5),
        validation_loss=mean_std(266.0, 254.2, 254.0),
        importance_weighted=mean_std(-262.0, -251.0, -250.7),
        frechet=mean_std(30.0, 20.0, 21.0),
        frechet_real=2.0,
        pca=(0.046, 0.034, 0.021),
        best_dim=8,
        saturation_dim=4,
        saturation_interval=(-0.1, 0.5),
    )


def pca_comparison() -> PCAComparison:
    return PCAComparison(
        model="planted",
        settings=SETTINGS,
        dims=(2, 32, 1024),
        rank=784,
        error=(0.0461, 0.0162, 0.0001),
        pca=(0.046, 0.016, 0.0),
        noise=(0.99, 0.9, 0.05),
        noise_pca=(0.99, 0.9, 0.0),
        angle=(1.5, 30.0, None),
        median_angle=(1.0, 4.0, None),
        next_variance=(0.5, 0.95, None),
    )


def metrics(
    assignment: Assignment, folder: Path, changes: Mapping[str, Any] | None = None
) -> dict[str, SimpleNamespace]:
    """The metrics of an assignment's page, written to `folder` and read from there.

    Args:
        changes: dotted name of a metric → its value in place of the planted one.
    """
    parts = assignment.page_metrics()
    values = {name: _values(assignment, name, files) for name, files in parts.items()}
    for path, value in (changes or {}).items():
        name, *keys = path.split(".")
        file = f"{keys[0]}.json" if f"{keys[0]}.json" in parts[name] else parts[name][0]
        _change(values[name][file], keys[f"{keys[0]}.json" == file :], value)
    paths = []
    for name, files in parts.items():
        for file in files:
            paths.append(folder / name / file)
            METRICS_FILES[file].from_dict(values[name][file]).write(paths[-1])
    return gather_metrics(parts, paths)


def _values(assignment: Assignment, name: str, files: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The planted metrics files as dictionaries."""
    records = {"sweep.json": sweep(), "pca_comparison.json": pca_comparison()}
    records |= model(msgspec.structs.replace(SETTINGS, **_planted_settings(assignment, name)))
    return {file: msgspec.json.decode(msgspec.json.encode(records[file])) for file in files}  # tuples become lists


def _planted_settings(assignment: Assignment, name: str) -> dict[str, Any]:
    settings = assignment.settings_of(name)
    return {"family": settings.family, "hidden": settings.hidden, "conditional": settings.conditional}


def _change(values: Any, keys: list[str], value: Any) -> None:
    *path, last = [int(key) if key.isdigit() else key for key in keys]
    for key in path:
        values = values[key]
    assert isinstance(values, list) or last in values, f"{'.'.join(keys)} is not measured"
    values[last] = value


def page(assignment: Assignment, folder: Path, **changes: Any) -> Page:
    """The page of an assignment, with empty figures of the right size in `folder`."""
    figures = {}
    for name, figure in assignment.spec.figures.items():
        width, height = figure.width, figure.height or figure.width
        figures[name] = folder / f"{name}.svg"
        figures[name].write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * 72 / 25.4}pt" height="{height * 72 / 25.4}pt"/>',
            encoding="utf-8",
        )
    arguments = {
        "title": assignment.spec.title,
        "course": None,
        "authors": AUTHORS,
        "classes": get_dataset(assignment.spec.dataset).classes,
        "sections": assignment.sections,
        "figures": figures,
    }
    return Page(**arguments | changes)


def provenance(page_metrics: Mapping[str, SimpleNamespace], source: str = "published") -> Provenance:
    """The provenance of a page on planted metrics of Fashion-MNIST."""
    record = DataRecord(
        dataset="FashionMNIST",
        source=source,
        folder="resources",
        sha256=dict.fromkeys(get_dataset("FashionMNIST").sha256, "ab"),
        validation_size=5000,
    )
    return report_provenance(page_metrics, [record], {"planted": True})


def html(
    name: str,
    folder: Path,
    changes: Mapping[str, Any] | None = None,
    source: str = "published",
    **page_changes: Any,
) -> str:
    """The page of an assignment on planted metrics, some of them changed."""
    assignment = load(name)
    page_metrics = metrics(assignment, folder, changes)
    template = TEMPLATES / name / "page.html.j2"
    return render_page(
        template, page(assignment, folder, **page_changes), page_metrics, provenance(page_metrics, source)
    )


def plain_text(text: str) -> str:
    """The text of HTML without tags, on one line."""
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)).split())
