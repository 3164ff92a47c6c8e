"""assignment.yaml: its contents, read and checked."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from latentlab.records.base import Record
from latentlab.records.data import ImageFolder
from latentlab.records.datasets import DATASETS, Dataset, get_dataset
from latentlab.records.declarations import figure_declarations
from latentlab.records.metrics import METRICS_FILES
from latentlab.records.settings import MAX_NAME
from latentlab.records.validation import first_mistake, short_repr, suggestion
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

ASSIGNMENT_FILE = "assignment.yaml"
NOTEBOOK_SUFFIX = ".md.j2"
# What the templates of pages and notebooks have besides the models.
PAGE_VARIABLES = {"css", "fonts", "image", "image_width", "models", "page", "provenance", "replaced"}
NOTEBOOK_VARIABLES = {"answer", "cell", "figure", "page", "provenance", "synthetic"}
RESERVED_NAMES = PAGE_VARIABLES | NOTEBOOK_VARIABLES
SHARED_FOLDERS = {"class", "explorer", "new", "notebook"}  # of templates/
# Snakemake writes names into patterns, where braces mark wildcards, and into the commands of its jobs.
REFUSED_CHARACTERS = "{}\\,:='\"`$"
# The results files of what is not a single model, by the section of assignment.yaml.
SECTION_FILES = {
    "sweeps": {"sweep.json", "strips.png"},
    "pca_comparisons": {"pca_comparison.json", "principal_directions.npz"},
}

Identifier = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
Label = Annotated[str, Meta(min_length=1, max_length=60)]
ClassName = Annotated[
    str, Meta(pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$", max_length=30, description="the name of a folder")
]
UNIQUE = Meta(extra_json_schema={"uniqueItems": True})
Side = Annotated[int, Meta(ge=10, le=128)]  # the poolings of the reference classifier would leave nothing of less


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


class OwnImages(ImageFolder, frozen=True, kw_only=True):
    """What an assignment says of images of one's own: where they are, and how models see them."""

    size: tuple[Side, Side]
    """Rows and columns, to which all of them are resized."""
    colour: bool
    """Whether they keep their colours."""
    classes: Annotated[tuple[ClassName, ...], Meta(min_length=2, max_length=100), UNIQUE]
    """The names of the folders, in the order of the labels."""


class AssignmentFile(Record, frozen=True):
    """The contents of assignment.yaml."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    dataset: str
    """One of `records.datasets`, or the name of `images`."""
    models: dict[Identifier, ModelEntry]
    figures: dict[Identifier, FigureEntry]
    sections: tuple[Annotated[str, Meta(pattern="^([0-9]+([.][0-9]+)*|[A-Z]) .", max_length=200)], ...] = ()
    """The questions in order, each its number or letter and its heading."""
    sweeps: dict[Identifier, ModelEntry] = msgspec.field(default_factory=dict)
    """Models trained at every dimension of `sweep_dims`."""
    pca_comparisons: dict[Identifier, ModelEntry] = msgspec.field(default_factory=dict)
    """Models trained at every dimension of `pca_dims` and compared with PCA."""
    images: OwnImages | None = None
    """The data set, if it is one's own."""

    def get_dataset(self, name: str) -> Dataset:
        """The declaration of a data set that the assignment names.

        Raises:
            UserError: there is none.
        """
        if self.images is None or name != self.dataset:
            return get_dataset(name)
        return Dataset(
            name=name,
            title=name,
            image_shape=(3, *self.images.size) if self.images.colour else self.images.size,
            classes=self.images.classes,
            reader="npy",
        )


def assignment_names(templates: str | Path) -> list[str]:
    """The assignments that there are: folders of `templates` with an assignment.yaml, sorted. Hidden folders are none:
    programs make them."""
    folders = [path.parent.name for path in Path(templates).glob(f"*/{ASSIGNMENT_FILE}")]
    return sorted(name for name in folders if not name.startswith("."))


def notebook_names(folder: str | Path) -> tuple[str, ...]:
    """The notebooks that an assignment's folder has a template of, sorted."""
    files = [file for file in Path(folder).glob(f"*{NOTEBOOK_SUFFIX}") if file.is_file()]
    return tuple(sorted(file.name.removesuffix(NOTEBOOK_SUFFIX) for file in files))


def read_assignment_file(path: Path) -> AssignmentFile:
    """The contents of an assignment.yaml.

    Raises:
        UserError: its folder or a notebook cannot have its name, the file is not valid, or it names something that does
            not exist.
    """
    for file in (path.parent, *(path.parent / f"{name}{NOTEBOOK_SUFFIX}" for name in notebook_names(path.parent))):
        check_file_name(file)
    values = read_yaml(path)
    if mistake := first_mistake(values, msgspec.json.schema(AssignmentFile)):
        raise UserError(f"{path}: {mistake}")
    spec = AssignmentFile.from_dict(values)
    _check_names(path, spec)
    published = {name.casefold() for name in DATASETS}  # some file systems do not tell upper from lower case
    if spec.images and (spec.dataset.casefold() in published or not re.fullmatch("[A-Za-z0-9]{1,30}", spec.dataset)):
        raise UserError(
            f"{path}: dataset: your images need a name of at most 30 letters and digits that is not one of "
            f"{', '.join(DATASETS)}, not {short_repr(spec.dataset)}"
        )
    entries = [*spec.models.values(), *spec.sweeps.values(), *spec.pca_comparisons.values()]
    for dataset in {spec.dataset, *(entry.dataset or spec.dataset for entry in entries)}:
        try:
            spec.get_dataset(dataset)
        except UserError as error:
            raise UserError(f"{path}: {error}; or add images, with the folder of your own") from error
    return spec


def check_file_name(path: Path) -> None:
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
            if entry.metrics is not None and section != "models":
                raise UserError(f"{path}: {section}.{name}.metrics: only models have this key; remove it")
            unknown = [file for file in entry.metrics or () if file not in METRICS_FILES]
            if unknown:
                raise UserError(
                    f"{path}: {section}.{name}.metrics: {unknown[0]!r} is not one of {', '.join(METRICS_FILES)}"
                )
    for name in spec.figures:
        _check_figure(path, spec, name)


def _check_figure(path: Path, spec: AssignmentFile, name: str) -> None:
    """Raise UserError unless a figure exists and can show the models that it names."""
    figure = spec.figures[name]
    if figure.plot not in figure_declarations():
        hint = suggestion(figure.plot, sorted(figure_declarations()))
        raise UserError(f"{path}: figures.{name}.plot: there is no figure {figure.plot!r}; {hint}")
    declaration = figure_declarations()[figure.plot]
    if len(figure.models) > 1 and not declaration.several:
        raise UserError(f"{path}: figures.{name}.models: {figure.plot} shows one model, not {len(figure.models)}")
    for section, files in SECTION_FILES.items():
        if files & set(declaration.inputs):
            shown, what = getattr(spec, section), section
            break
    else:
        shown, what = spec.models, "models"
    unknown = [model for model in figure.models if model not in shown]
    if unknown:
        raise UserError(
            f"{path}: figures.{name}: {unknown[0]!r} is not one of this assignment's {what}, which {figure.plot} shows"
        )
