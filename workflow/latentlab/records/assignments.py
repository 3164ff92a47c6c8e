"""Assignments: what each folder of templates/ asks for, and which files its report, notebook and submission need."""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from latentlab.records.base import Record
from latentlab.records.config import OVERRIDES, resolve_model
from latentlab.records.datasets import get_dataset
from latentlab.records.declarations import figure_declarations, model_families
from latentlab.records.metrics import METRICS_FILES
from latentlab.records.runs import (
    FILE_REQUIREMENTS,
    PCA_FOLDER,
    REQUIREMENT_SETTINGS,
    SWEEP_FOLDER,
    Requirement,
    Run,
)
from latentlab.records.settings import MAX_NAME, ModelSettings
from latentlab.records.validation import first_mistake, short_repr, suggestion
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

T = TypeVar("T")

ASSIGNMENT_FILE = "assignment.yaml"
NOTEBOOK_SUFFIX = ".md.j2"
ATTACHMENTS = ("config.yaml", "provenance.json")  # written beside the report and attached to its PDF
# What the templates of pages and notebooks have besides the models.
PAGE_VARIABLES = {"css", "fonts", "image", "models", "page", "provenance", "replaced"}
NOTEBOOK_VARIABLES = {"page", "provenance", "settings", "source", "synthetic"}
RESERVED_NAMES = PAGE_VARIABLES | NOTEBOOK_VARIABLES
SHARED_FOLDERS = {"explorer", "notebook"}  # of templates/
# Snakemake writes names into patterns, where braces mark wildcards, and into the commands of its jobs.
REFUSED_CHARACTERS = "{}\\,:='\"`$"
LOCAL_SETTINGS = {"data_dir", "data_source", "device", "discussion"}  # where files lie and jobs run: not of the result

Identifier = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
Label = Annotated[str, Meta(min_length=1, max_length=60)]


class ModelEntry(Record, frozen=True):
    """What an assignment says of a model, a sweep or a comparison with PCA."""

    config: str
    """The name of the model config."""
    label: Label
    """Its name in figures."""
    dataset: str | None = None
    """None: the assignment's."""
    metrics: tuple[str, ...] | None = None
    """The metrics files that the page quotes; None: all that such a model has."""


class FigureEntry(Record, frozen=True):
    """What an assignment says of a figure."""

    plot: str
    """The function of `latentlab.figures` that draws it."""
    models: Annotated[tuple[str, ...], Meta(min_length=1)]
    width: Annotated[float, Meta(gt=0, le=186)]
    """Millimetres, like the height, as printed."""
    height: Annotated[float, Meta(gt=0, le=270)] | None = None


class AssignmentFile(Record, frozen=True):
    """The contents of assignment.yaml."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    dataset: str
    models: dict[Identifier, ModelEntry]
    figures: dict[Identifier, FigureEntry]
    sections: tuple[Annotated[str, Meta(pattern="^([0-9]+([.][0-9]+)*|[A-Z]) .", max_length=200)], ...] = ()
    """The questions in order, each its number or letter and its heading."""
    sweeps: dict[Identifier, ModelEntry] = msgspec.field(default_factory=dict)
    """Models trained at every dimension of `sweep_dims`."""
    pca_comparisons: dict[Identifier, ModelEntry] = msgspec.field(default_factory=dict)
    """Models trained at every dimension of `pca_dims` and compared with PCA."""


class Panel(Record, frozen=True, omit_defaults=False):
    """What a figure shows of one model."""

    label: str
    stochastic: bool
    """Whether the model has a prior, so that the circles of the prior are drawn."""
    files: dict[str, str]
    """Name → path of the results files that the figure reads."""


class FigureSpec(Record, frozen=True, omit_defaults=False):
    """One figure to draw."""

    name: str
    plot: str
    panels: tuple[Panel, ...]
    dataset: str
    """Whose classes and image shape it shows."""
    width: float
    """Millimetres, like the height."""
    height: float | None
    options: dict[str, Any]


class Assignment(msgspec.Struct, frozen=True, dict=True):
    """An assignment with the settings of its models. Paths are relative to the working directory."""

    name: str
    spec: AssignmentFile
    settings: dict[str, ModelSettings]
    """Model config → its settings, for every model that the assignment shows."""
    notebooks: tuple[str, ...]
    """Names of the notebooks that its folder has a template of."""

    # --- what it is made of ---

    @property
    def folder(self) -> str:
        return f"results/reports/{self.name}"

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
        if model_families()[settings.family].stochastic:
            properties.add("stochastic")
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
        """The records of all data that the assignment rests on, its own first."""
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
                dataset=self.dataset_of(figure.models[0]),
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
            stochastic="stochastic" in self.properties(name),
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
        files = [f"{self.name}.html", f"{self.name}.pdf"] + ["explorer.html"] * bool(self.plane_models())
        return [f"{self.folder}/{file}" for file in files]

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
            metrics[name] = tuple(files) if entry.metrics is None else entry.metrics
        return metrics

    def page_metric_parts(self) -> list[tuple[str, str]]:
        """The same as pairs of a name and a metrics file."""
        return [(name, file) for name, files in self.page_metrics().items() for file in files]

    def page_title(self, config: dict[str, Any]) -> str:
        """A title in config.yaml is that of the chosen assignment."""
        own = config["title"] if self.name == config["assignment"] else None
        return own or self.spec.title

    def page_discussion(self, config: dict[str, Any]) -> list[str]:
        """The student's Markdown, if this is the chosen assignment: it answers the questions of one assignment."""
        return [config["discussion"]] if config["discussion"] and self.name == config["assignment"] else []

    def page_settings(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration that the report rests on: its models with all their settings, and every setting that is
        not part of them, except those that say where files lie and where jobs run."""
        settings = {key: config[key] for key in config.keys() - {"models", *LOCAL_SETTINGS, *OVERRIDES}}
        settings |= {"assignment": self.name, "title": self.page_title(config)}
        models = {name: model.to_dict() for name, model in sorted(self.settings.items())}
        return dict(sorted((settings | {"models": models}).items()))  # Snakemake compares params in order

    # --- notebook and submission ---

    def notebook_files(self) -> list[str]:
        return [
            f"{self.folder}/notebook/{name}.{suffix}" for name in self.notebooks for suffix in ("ipynb", "html", "zip")
        ]

    def archive_parts(self) -> list[tuple[str, str]]:
        """The results files that a notebook's archive holds, as pairs of a name and a file."""
        weights = [(name, "weights.safetensors") for name in self.spec.models]
        return unique([*weights, *self.page_metric_parts(), *self.figure_inputs()])

    def submission_members(self) -> dict[str, str]:
        """The files that are handed in: path → name in the archive."""
        members = {path: Path(path).name for path in self.report_files()}
        members |= {f"{self.folder}/{name}": name for name in ATTACHMENTS}
        members |= {path: f"notebook/{Path(path).name}" for path in self.notebook_files()}
        return members | {self.file(name, file): f"metrics/{name}/{file}" for name, file in self.page_metric_parts()}


def unique(values: Iterable[T]) -> list[T]:
    """`values` in order, each once."""
    return list(dict.fromkeys(values))


def assignment_names(templates: str | Path) -> list[str]:
    """The assignments that there are: folders of `templates` with an assignment.yaml, sorted. Hidden folders are none:
    programs make them."""
    folders = [path.parent.name for path in Path(templates).glob(f"*/{ASSIGNMENT_FILE}")]
    return sorted(name for name in folders if not name.startswith("."))


def load_assignment(templates: str | Path, name: str, config: dict[str, Any]) -> Assignment:
    """The assignment `name`, its models resolved from `config`, the contents of config.yaml.

    Raises:
        UserError: there is no such assignment, its folder cannot have that name, its file is not valid, or its models
            do not suit its figures.
    """
    path = Path(templates) / name / ASSIGNMENT_FILE
    known = assignment_names(templates)
    if name not in known:
        raise UserError(f"config: assignment: there is no assignment {name!r}; templates/ has {', '.join(known)}")
    notebooks = sorted(file for file in path.parent.glob(f"*{NOTEBOOK_SUFFIX}") if file.is_file())
    for file in (path.parent, *notebooks):
        _check_file_name(file)
    values = read_yaml(path)
    if mistake := first_mistake(values, msgspec.json.schema(AssignmentFile)):
        raise UserError(f"{path}: {mistake}")
    spec = AssignmentFile.from_dict(values)
    _check_names(path, spec)
    entries = [*spec.models.values(), *spec.sweeps.values(), *spec.pca_comparisons.values()]
    assignment = Assignment(
        name=name,
        spec=spec,
        settings={entry.config: resolve_model(config, entry.config) for entry in entries},
        notebooks=tuple(file.name.removesuffix(NOTEBOOK_SUFFIX) for file in notebooks),
    )
    _check_models(path, assignment, config)
    return assignment


def _check_file_name(path: Path) -> None:
    """Raise UserError if the folder of an assignment, or the template of a notebook, cannot have its name: results are
    named after it, and it is a target or a wildcard of Snakemake."""
    place = f"{path.parent}/{short_repr(path.name)[1:-1]}"
    if path.name in SHARED_FOLDERS:
        raise UserError(f"{place}: this folder holds what all assignments share; rename yours")
    if refused := [character for character in path.name if character in REFUSED_CHARACTERS]:
        raise UserError(
            f"{place}: its name may not contain {refused[0]}, because results are named after it; rename it"
        )
    if path.name.startswith("-") or not path.name.isprintable() or len(path.name) > MAX_NAME:
        raise UserError(
            f"{place}: its name may have at most {MAX_NAME} characters, all of them printable and the first no hyphen, "
            "because results are named after it; rename it"
        )


def _check_names(path: Path, spec: AssignmentFile) -> None:
    """Raise UserError for a name that is taken, or that names nothing."""
    sections = {"models": spec.models, "sweeps": spec.sweeps, "pca_comparisons": spec.pca_comparisons}
    seen: dict[str, str] = {}
    for section, entries in sections.items():
        for name, entry in entries.items():
            if name in RESERVED_NAMES:
                raise UserError(f"{path}: {section}.{name}: page templates use this name themselves; choose another")
            if name in seen:
                raise UserError(f"{path}: {section}.{name}: {seen[name]} has this name already; choose another")
            seen[name] = f"{section}.{name}"
            unknown = [file for file in entry.metrics or () if file not in METRICS_FILES]
            if unknown:
                raise UserError(
                    f"{path}: {section}.{name}.metrics: {unknown[0]!r} is not one of {', '.join(METRICS_FILES)}"
                )
    for name, figure in spec.figures.items():
        if figure.plot not in figure_declarations():
            known = sorted(figure_declarations())
            raise UserError(f"{path}: figures.{name}.plot: there is no figure {figure.plot!r}; "
                            f"{suggestion(figure.plot, known)}")  # fmt: skip
        unknown = sorted(set(figure.models) - seen.keys())
        if unknown:
            raise UserError(f"{path}: figures.{name}: {unknown[0]!r} is not one of this assignment's models")


def _check_models(path: Path, assignment: Assignment, config: dict[str, Any]) -> None:
    """Raise UserError unless the models are such that what the assignment shows of them can be made."""
    for dataset in unique([assignment.spec.dataset, *map(assignment.dataset_of, assignment.entries)]):
        try:
            get_dataset(dataset)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
    for name, entry in assignment.spec.models.items():
        for place, requirements in _requirements_of(assignment, name):
            lacking = [need for need in requirements if need not in assignment.properties(name)]
            if lacking:
                raise UserError(
                    f"config: models.{entry.config}: assignment {assignment.name} shows it in {place}, which needs "
                    f"{REQUIREMENT_SETTINGS[lacking[0]]}; change it back, or take that out of {path}"
                )
        n_classes = get_dataset(assignment.dataset_of(name)).n_classes
        if _shows_conditions(assignment, name) and max(config["conditions"]) >= n_classes:
            raise UserError(
                f"config: conditions: {max(config['conditions'])} is not a label of {assignment.dataset_of(name)}; its "
                f"labels are 0 to {n_classes - 1}"
            )


def _requirements_of(assignment: Assignment, name: str) -> Iterable[tuple[str, tuple[Requirement, ...]]]:
    """Where a model is shown, with what is required of it there."""
    for figure_name, figure in assignment.spec.figures.items():
        if name in figure.models:
            declaration = figure_declarations()[figure.plot]
            yield f"figure {figure_name}", declaration.requires
            for file in declaration.inputs:
                yield f"figure {figure_name} ({file})", FILE_REQUIREMENTS.get(file, ())
    for file in assignment.entries[name].metrics or ():
        yield file, FILE_REQUIREMENTS.get(file, ())


def _shows_conditions(assignment: Assignment, name: str) -> bool:
    """Whether a model is shown at each of the labels that the setting `conditions` names."""
    plots = [figure.plot for figure in assignment.spec.figures.values() if name in figure.models]
    declarations = [figure_declarations()[plot] for plot in plots]
    files = [file for declaration in declarations for file in declaration.inputs]
    files += assignment.entries[name].metrics or ()
    return "conditions.json" in files or any("conditions" in d.options.values() for d in declarations)
