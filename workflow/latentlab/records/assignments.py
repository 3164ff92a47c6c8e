"""Assignments: the models that each shows, and the files that its figures, report, notebook and submission need."""

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from latentlab.records.assignment_file import (
    ASSIGNMENT_FILE,
    NOTEBOOK_SUFFIX,
    AssignmentFile,
    ModelEntry,
    assignment_names,
    notebook_names,
    read_assignment_file,
)
from latentlab.records.base import Record
from latentlab.records.config import OVERRIDES, resolve_model
from latentlab.records.data import ImageFolder
from latentlab.records.datasets import Dataset
from latentlab.records.declarations import figure_declarations, model_families
from latentlab.records.runs import (
    FILE_REQUIREMENTS,
    NOTEBOOK_FOLDER,
    PCA_FOLDER,
    REQUIREMENT_SETTINGS,
    SWEEP_FOLDER,
    Requirement,
    Run,
)
from latentlab.records.settings import OWN_TEXTS, Author, ModelSettings
from latentlab.runtime.errors import UserError

T = TypeVar("T")

ATTACHMENTS = ("config.yaml", "provenance.json")  # written beside the report and attached to its PDF
LIBRARY_SUFFIX = "-library.zip"  # of the archive that is not handed in, because it is large
# Where files lie and jobs run: not of the result.
LOCAL_SETTINGS = {"data_dir", "data_source", "device", "students", *OWN_TEXTS}


class Panel(Record, frozen=True, omit_defaults=False):
    """What a figure shows of one model."""

    label: str
    generative: bool
    """Whether the model has a prior, whose circles are then drawn."""
    files: dict[str, str]
    """Name → path of the results files that the figure reads."""


class FigureSpec(Record, frozen=True, omit_defaults=False):
    """One figure to draw."""

    name: str
    plot: str
    panels: tuple[Panel, ...]
    dataset: Dataset
    """Whose classes and image shape it shows."""
    width: float
    """Millimetres, like the height."""
    height: float | None
    options: dict[str, Any]


class Assignment(msgspec.Struct, frozen=True, dict=True):
    """An assignment with the settings of its models. Paths are relative to the working directory."""

    name: str
    spec: AssignmentFile
    templates: Path
    """The folder that its own lies in."""
    settings: dict[str, ModelSettings]
    """Model config → its settings, for every model that the assignment shows."""
    notebooks: tuple[str, ...]
    """Names of the notebooks that its folder has a template of."""
    student: str | None = None
    """The id of the student of a class whose report this is. Figures and explorer are those of the assignment."""

    # --- what it is made of ---

    @property
    def folder(self) -> str:
        return f"results/reports/{self.name}"

    @property
    def report_folder(self) -> str:
        """Of the page and of what its author writes."""
        return f"{self.folder}/students/{self.student}" if self.student else self.folder

    @property
    def plot_rule(self) -> str:
        """The name of the rule that draws its figures; Snakemake writes it into commands without quotes."""
        return "plot_" + re.sub(r"[^\w.-]", "_", self.name)

    @cached_property
    def sections(self) -> dict[str, str]:
        """Number → heading, in order."""
        return dict(line.split(" ", 1) for line in self.spec.sections)

    @cached_property
    def entries(self) -> dict[str, ModelEntry]:
        """Everything that figures can show, by the name that the page's template gives it."""
        return self.spec.models | self.spec.sweeps | self.spec.pca_comparisons

    def dataset_of(self, name: str) -> str:
        return self.entries[name].dataset or self.spec.dataset

    @property
    def images(self) -> ImageFolder | None:
        """Where its own images are, if it has any."""
        if self.spec.images is None:
            return None
        folder = self.templates / self.name / os.path.expanduser(self.spec.images.folder)
        values = {field: getattr(self.spec.images, field) for field in ImageFolder.__struct_fields__}
        return ImageFolder.from_dict(values | {"folder": str(folder)})

    def settings_of(self, name: str) -> ModelSettings:
        return self.settings[self.entries[name].config]

    def run(self, name: str) -> Run:
        """The run of a model, trained as its model config says."""
        settings = self.settings_of(name)
        return Run(
            dataset=self.dataset_of(name),
            model=self.entries[name].config,
            latent_dim=settings.latent_dim,
            seed=settings.seed,
        )

    def runs(self, *requirements: Requirement) -> list[Run]:
        """The runs of all models that meet the requirements."""
        return [self.run(name) for name in self.spec.models if set(requirements) <= self.properties(name)]

    def properties(self, name: str) -> set[Requirement]:
        """Which requirements a model meets."""
        settings = self.settings_of(name)
        properties: set[Requirement] = {"conditional" if settings.conditional else "unconditional"}
        if settings.latent_dim == 2:
            properties.add("plane")
        family = model_families()[settings.family]
        if family.generative:
            properties.add("generative")
        if family.has_encoder:
            properties.add("encoder")
        if family.denoising:
            properties.add("denoising")
        if settings.notebook:
            properties.add("notebook")
        if self.spec.get_dataset(self.dataset_of(name)).ood_partner:
            properties.add("ood")
        return properties

    def file(self, name: str, file: str) -> str:
        """The path of a results file of a model, a sweep or a comparison with PCA."""
        dataset, config = self.dataset_of(name), self.entries[name].config
        if file == "baselines.json":
            return f"results/baselines/{dataset}.json"
        if name in self.spec.sweeps:
            return f"{SWEEP_FOLDER}/{file}".format(dataset=dataset, model=config)
        if name in self.spec.pca_comparisons:
            return f"{PCA_FOLDER}/{file}".format(dataset=dataset, model=config)
        return self.run(name).file(file)

    def files(self, parts: Iterable[tuple[str, str]]) -> list[str]:
        """The paths of (name, results file) pairs, in order, each once."""
        return unique(self.file(name, file) for name, file in parts)

    def data_records(self) -> list[str]:
        """The records of all data that the assignment depends on, its own first."""
        datasets = unique([self.spec.dataset, *map(self.dataset_of, self.entries)])
        return [f"results/data/{dataset}.json" for dataset in datasets]

    # --- figures ---

    def figure_inputs(self) -> list[tuple[str, str]]:
        """Pairs of a model's name and a results file of it that some figure reads."""
        figures = self.spec.figures.values()
        return unique(
            (name, file)
            for figure in figures
            for name in figure.models
            for file in figure_declarations()[figure.plot].inputs
        )

    def figure_files(self) -> list[str]:
        return [f"{self.folder}/figures/{name}.svg" for name in self.spec.figures]

    def figure_specs(self, config: dict[str, Any]) -> list[FigureSpec]:
        """The figures to draw; options are read from `config`, the contents of config.yaml."""
        return [
            FigureSpec(
                name=name,
                plot=figure.plot,
                panels=tuple(self.panel(model, figure.plot) for model in figure.models),
                dataset=self.spec.get_dataset(self.dataset_of(figure.models[0])),
                width=figure.width,
                height=figure.height,
                options={
                    option: config[setting] for option, setting in figure_declarations()[figure.plot].options.items()
                },
            )
            for name, figure in self.spec.figures.items()
        ]

    def panel(self, name: str, plot: str) -> Panel:
        return Panel(
            label=self.entries[name].label,
            generative="generative" in self.properties(name),
            files={file: self.file(name, file) for file in figure_declarations()[plot].inputs},
        )

    # --- the page ---

    def plane_models(self) -> list[str]:
        """Names of the models that the explorer shows: those of the assignment's own data with a latent plane."""
        return [
            name
            for name in self.spec.models
            if "plane" in self.properties(name) and self.dataset_of(name) == self.spec.dataset
        ]

    def report_files(self) -> list[str]:
        """The report, and the explorer if there is a plane to explore."""
        files = [f"{self.report_folder}/{self.name}.{suffix}" for suffix in ("html", "pdf")]
        return files + [f"{self.folder}/explorer.html"] * bool(self.plane_models())

    def published_files(self) -> dict[str, str]:
        """What becomes results/report.html, .pdf and results/explorer.html if the assignment is the chosen one:
        the name there → the path."""
        names = {f"{self.name}.{suffix}": f"report.{suffix}" for suffix in ("html", "pdf")}
        return {names.get(Path(path).name, Path(path).name): path for path in self.report_files()}

    def page_metrics(self) -> dict[str, tuple[str, ...]]:
        """The metrics files that the page may quote, by the name of the model, sweep or comparison."""
        inputs = set(self.figure_inputs())
        metrics: dict[str, tuple[str, ...]] = dict.fromkeys(self.spec.sweeps, ("sweep.json",))
        metrics |= dict.fromkeys(self.spec.pca_comparisons, ("pca_comparison.json",))
        for name, entry in self.spec.models.items():
            files = ["metrics.json"] + ["plane.json"] * ({"plane", "unconditional"} <= self.properties(name))
            files += [file for file in ("failures.json", "conditions.json") if (name, file) in inputs]
            files += ["classifier.json", "baselines.json"] * ((name, "classifier.json") in inputs)
            files += ["ood.json"] * ((name, "ood.json") in inputs)
            files += ["notebook.json"] * ("notebook" in self.properties(name))
            metrics[name] = tuple(files) if entry.metrics is None else entry.metrics
        return metrics

    def page_metric_parts(self) -> list[tuple[str, str]]:
        """The same as pairs of a name and a metrics file."""
        return [(name, file) for name, files in self.page_metrics().items() for file in files]

    def page_title(self, config: dict[str, Any]) -> str:
        """A title in config.yaml is that of the chosen assignment."""
        own = config["title"] if self.name == config["assignment"] else None
        return own if own and own.strip() else self.spec.title

    def own_text(self, config: dict[str, Any], setting: str) -> list[str]:
        """The student's Markdown that a setting names, if there is one and this is the chosen assignment: it answers
        the questions of one assignment."""
        return [config[setting]] if config[setting] and self.name == config["assignment"] else []

    def attachments(self, config: dict[str, Any]) -> dict[str, str]:
        """The files that are attached to the PDF: name → path. In a folder of their own they make it again."""
        files = {name: f"{self.report_folder}/{name}" for name in ATTACHMENTS}
        return files | {name: path for setting, name in OWN_TEXTS.items() for path in self.own_text(config, setting)}

    def page_settings(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration that the report depends on: its models with all their settings, and every setting that is
        not part of them, except those that say where files lie and where jobs run. The student's own texts have the
        names under which they are attached."""
        settings = {key: config[key] for key in config.keys() - {"models", *LOCAL_SETTINGS, *OVERRIDES}}
        authors = [Author.from_dict(author).to_dict() for author in config["authors"]]  # whether or not nulls are typed
        settings |= {"assignment": self.name, "title": self.page_title(config), "authors": authors}
        settings |= {setting: name for setting, name in OWN_TEXTS.items() if self.own_text(config, setting)}
        models = {name: model.to_dict() for name, model in sorted(self.settings.items())}
        return dict(sorted((settings | {"models": models}).items()))  # Snakemake compares params in order

    # --- notebook and submission ---

    def notebook_files(self) -> list[str]:
        """Each notebook and its page, the archive with both, and that with what its results were made of."""
        suffixes = (".ipynb", ".html", ".zip", LIBRARY_SUFFIX)
        return [f"{self.report_folder}/notebook/{name}{suffix}" for name in self.notebooks for suffix in suffixes]

    def notebook_cells(self, notebook: str) -> str:
        """The executed cells of a notebook."""
        place = {"dataset": self.spec.dataset, "assignment": self.name, "notebook": notebook}
        return f"{NOTEBOOK_FOLDER}/cells.ipynb".format(**place)

    def archive_parts(self) -> list[tuple[str, str]]:
        """The results files that a notebook's second archive holds, as pairs of a name and a file."""
        weights = [(name, "weights.safetensors") for name in self.spec.models]
        return unique([*weights, *self.page_metric_parts(), *self.figure_inputs()])

    def submission_members(self, config: dict[str, Any]) -> dict[str, str]:
        """The files that are handed in: name in the archive → path."""
        members = {Path(path).name: path for path in self.report_files()} | self.attachments(config)
        notebooks = [path for path in self.notebook_files() if not path.endswith(LIBRARY_SUFFIX)]
        members |= {f"notebook/{Path(path).name}": path for path in notebooks}
        return members | {f"metrics/{name}/{file}": self.file(name, file) for name, file in self.page_metric_parts()}


def unique(values: Iterable[T]) -> list[T]:
    """`values` in order, each once."""
    return list(dict.fromkeys(values))


def load_assignment(templates: str | Path, name: str, config: dict[str, Any]) -> Assignment:
    """The assignment `name`, its models resolved from `config`, the contents of config.yaml.

    Raises:
        UserError: there is no such assignment, its folder cannot have that name, its file is not valid, or its models
            do not suit what it shows of them.
    """
    known = assignment_names(templates)
    if name not in known:
        raise UserError(f"config: assignment: there is no assignment {name!r}; templates/ has {', '.join(known)}")
    folder = Path(templates) / name
    spec = read_assignment_file(folder / ASSIGNMENT_FILE)
    entries = [*spec.models.values(), *spec.sweeps.values(), *spec.pca_comparisons.values()]
    assignment = Assignment(
        name=name,
        spec=spec,
        templates=Path(templates),
        settings={entry.config: resolve_model(config, entry.config) for entry in entries},
        notebooks=notebook_names(folder),
    )
    if spec.images and assignment.notebooks:
        raise UserError(
            f"{folder / ASSIGNMENT_FILE}: images: a notebook reads torchvision's data sets only; take "
            f"{assignment.notebooks[0]}{NOTEBOOK_SUFFIX} out of the folder, or images out of this file"
        )
    for section, trained in (("sweeps", spec.sweeps), ("pca_comparisons", spec.pca_comparisons)):
        for entry_name in trained:
            if assignment.settings_of(entry_name).notebook:
                raise UserError(
                    f"{folder / ASSIGNMENT_FILE}: {section}.{entry_name}.config: a notebook trains "
                    f"{trained[entry_name].config}, once; name a model config without the key notebook"
                )
    for entry_name in assignment.entries:
        _check_requirements(folder / ASSIGNMENT_FILE, assignment, entry_name)
        _check_data(assignment, entry_name, config)
    return assignment


def _check_requirements(path: Path, assignment: Assignment, name: str) -> None:
    """Raise UserError unless a model is such that all that is shown of it can be made."""
    for place, requirements in _requirements_of(assignment, name):
        lacking = [need for need in requirements if need not in assignment.properties(name)]
        if lacking:
            raise UserError(
                f"config: models.{assignment.entries[name].config}: assignment {assignment.name} shows it in {place}, "
                f"which needs {REQUIREMENT_SETTINGS[lacking[0]]}; change it back, or take that out of {path}"
            )


def _requirements_of(assignment: Assignment, name: str) -> Iterable[tuple[str, tuple[Requirement, ...]]]:
    """Where a model is shown, with what is required of it there."""
    if name in assignment.spec.sweeps:
        yield f"the sweep {name}", ("generative", "encoder")
    if name in assignment.spec.pca_comparisons:
        yield f"the comparison {name} with PCA", ("unconditional", "encoder")
    for figure_name, figure in assignment.spec.figures.items():
        if name in figure.models:
            declaration = figure_declarations()[figure.plot]
            yield f"figure {figure_name}", declaration.requires if name in assignment.spec.models else ()
            for file in declaration.inputs:
                yield f"figure {figure_name} ({file})", FILE_REQUIREMENTS.get(file, ())
    for file in assignment.entries[name].metrics or ():
        yield file, FILE_REQUIREMENTS.get(file, ())


def _check_data(assignment: Assignment, name: str, config: dict[str, Any]) -> None:
    """Raise UserError unless a model's data set suits what is shown of it."""
    dataset = assignment.spec.get_dataset(assignment.dataset_of(name))
    settings, config_name = assignment.settings_of(name), assignment.entries[name].config
    section = next(key for key in ("models", "sweeps", "pca_comparisons") if name in getattr(assignment.spec, key))
    key = f"{assignment.templates / assignment.name / ASSIGNMENT_FILE}: {section}.{name}.config"
    if settings.notebook and not dataset.torchvision:
        raise UserError(
            f"{key}: a notebook trains {config_name}, and reads torchvision's data sets only; name a model config "
            "without the key notebook"
        )
    multiple, (rows, columns) = model_families()[settings.family].side_multiple, dataset.size
    if rows % multiple or columns % multiple:
        raise UserError(
            f"{key}: {config_name} is of family: {settings.family}, which needs images whose sides are multiples of "
            f"{multiple} pixels, not {rows}×{columns}; change images.size, or name a model config of another family"
        )
    if _shows_conditions(assignment, name) and max(config["conditions"]) >= dataset.n_classes:
        raise UserError(
            f"config: conditions: {max(config['conditions'])} is not a label of {dataset.name}; its labels are 0 to "
            f"{dataset.n_classes - 1}"
        )
    is_classifier = name in assignment.spec.models and {"conditional", "generative"} <= assignment.properties(name)
    partner = assignment.spec.get_dataset(dataset.ood_partner) if dataset.ood_partner else None
    if is_classifier and partner and partner.image_shape != dataset.image_shape:
        raise UserError(
            f"dataset {dataset.name}: the images of its ood_partner {partner.name} have another shape; name a partner "
            "with images of the same shape"
        )


def _shows_conditions(assignment: Assignment, name: str) -> bool:
    """Whether a model is shown at each of the labels that the setting `conditions` names."""
    plots = [figure.plot for figure in assignment.spec.figures.values() if name in figure.models]
    declarations = [figure_declarations()[plot] for plot in plots]
    files = [file for declaration in declarations for file in declaration.inputs]
    files += assignment.entries[name].metrics or ()
    return "conditions.json" in files or any("conditions" in d.options.values() for d in declarations)
