"""A new assignment: `./run new NAME` writes its folder of templates/, from which a page can be made at once."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, NoReturn

from jinja2 import Environment, FileSystemLoader
from PIL import Image

from latentlab.data.pictures import find_images, read_image
from latentlab.records.assignment_file import ASSIGNMENT_FILE, check_file_name
from latentlab.records.assignments import Assignment, load_assignment
from latentlab.records.config import check_config
from latentlab.records.data import ImageFolder
from latentlab.records.datasets import DATASETS, Dataset
from latentlab.records.validation import short_repr
from latentlab.report.template_check import PAGE, check_templates
from latentlab.runtime.errors import UserError, exit_on_user_error
from latentlab.runtime.files import write_text
from latentlab.runtime.safe_yaml import read_yaml

ROOT = Path(__file__).parents[3]
SCAFFOLD = "new"  # the folder of templates/ with the files that are filled in
IMAGES = "images"  # the folder of an assignment's own images, unless another is named
MODELS = ("lab8-ae-hidden", "lab8-vae")  # that are compared, unless others are named
MODELS_OF_FEW_IMAGES = ("small-ae", "small-vae")
LONGEST_SIDE, SHORTEST_SIDE = 32, 12  # pixels, that are proposed for images of one's own
LEGEND_WIDTH = 26  # characters beside each other in the legend of the codes that leave room for these
MAP_WIDTH, MAP_HEIGHT = 85, 62  # millimetres, of a decoder grid at most


class OwnImages(NamedTuple):
    """What is said of images of one's own."""

    folder: Path
    size: tuple[int, int]
    colour: bool
    classes: tuple[str, ...]
    count: int


class Answers(NamedTuple):
    """What a new assignment is made from."""

    name: str
    title: str
    dataset: str
    models: tuple[str, ...]
    images: OwnImages | None


def create_assignment(templates: Path, answers: Answers, config: dict[str, Any]) -> Assignment:
    """Write the files of an assignment and check them as every run does; if they have a mistake, they are removed.

    Args:
        templates: the folder of all assignments.
        config: the contents of config.yaml.

    Raises:
        UserError: the answers do not fit together.
    """
    with TemporaryDirectory() as elsewhere:  # without figures, to learn what there is to draw of its models
        file = Path(elsewhere, answers.name, ASSIGNMENT_FILE)
        write_text(file, _render(templates, ASSIGNMENT_FILE, answers, {}))
        try:
            context = _page_context(load_assignment(elsewhere, answers.name, config))
        except UserError as error:  # the user knows nothing of this file
            raise UserError(str(error).replace(str(file), "./run new")) from error
    folder = templates / answers.name
    files = [folder / PAGE, folder / ASSIGNMENT_FILE]  # the second makes the folder an assignment
    try:
        for file in files:
            write_text(file, _render(templates, file.name, answers, context))
        assignment = load_assignment(templates, answers.name, config)
        check_templates(templates, [assignment])
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()
        raise
    return assignment


def check_name(root: Path, name: str) -> None:
    """Raise UserError unless a new assignment can have this name."""
    folder = root / "templates" / name
    check_file_name(folder)
    if not re.fullmatch(r"[^\W\d_][\w .-]*", name):  # of a target, and a text for YAML
        raise UserError(
            f"{short_repr(name)}: not the name of an assignment; begin it with a letter, and use only letters, digits, "
            "spaces and . _ -"
        )
    if folder.exists() and not folder.is_dir():
        raise UserError(f"templates/{name}: a file has this name already; choose another")
    if (folder / ASSIGNMENT_FILE).exists() or (folder / PAGE).exists():
        raise UserError(f"templates/{name}: there is an assignment of this name already; choose another")
    sources = [root / "Snakefile", *(root / "workflow/rules").glob("*.smk")]
    rules = {rule for path in sources for rule in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.M)}
    if name in rules:
        raise UserError(f"{name}: not the name of an assignment; choose one that no stage and no rule has")


def describe_images(folder: Path, name: str, size: Sequence[int] | None, colour: bool | None) -> OwnImages:
    """What the images in a folder are, and how models are to see them: as proposed, unless `size` and `colour` are
    given.

    Raises:
        UserError: there are not enough images of at least two classes.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: neither a folder nor one of {', '.join(DATASETS)}; name one of them")
    classes = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"))
    for name_of_class in classes:
        if not name_of_class.isprintable():
            raise UserError(f"{folder}/{short_repr(name_of_class)[1:-1]}: its name cannot be printed; rename it")
    if len(classes) < 2:
        raise UserError(
            f"{folder}: {'one folder' if classes else 'no folders'}; put the images of each class into a folder of its "
            "own"
        )
    dataset = Dataset(name=name, title=name, image_shape=(3, LONGEST_SIDE, LONGEST_SIDE), classes=classes, reader="npy")
    paths, _ = find_images(dataset, folder)
    first = paths[0]
    pixels = read_image(first, dataset, "stretch").astype(int)  # checks that it can be read
    with Image.open(first) as image:
        columns, rows = image.size
    scale = min(1.0, LONGEST_SIDE / max(rows, columns))
    if size is None:
        size = [max(SHORTEST_SIDE, round(scale * side)) for side in (rows, columns)]
    is_grey = bool((pixels == pixels[0]).all())
    return OwnImages(folder, (size[0], size[1]), not is_grey if colour is None else colour, classes, len(paths))


def _render(templates: Path, name: str, answers: Answers, context: dict[str, Any]) -> str:
    """A file of the scaffold, filled in. Its own statements stand between << >> and <% %>, those of the page between
    the usual braces."""
    environment = Environment(
        loader=FileSystemLoader(templates / SCAFFOLD),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # of texts for YAML, which `yaml` quotes; the page holds none that was typed
    )
    environment.filters["yaml"] = lambda value: json.dumps(value, ensure_ascii=False)  # which YAML reads as it is
    images = answers.images
    values: dict[str, Any] = {"title": answers.title, "dataset": answers.dataset, "images": images}
    if images:
        own = templates / answers.name
        is_own = images.folder.resolve().is_relative_to(own.resolve())
        n_test = round(ImageFolder(folder="").test_share * images.count)
        values |= {"n_test": n_test, "margin": round(2 * (0.5 / n_test) ** 0.5, 3)}
        values["folder"] = str(
            images.folder.resolve().relative_to(own.resolve()) if is_own else images.folder.resolve()
        )
    entries = zip(("first", "second"), answers.models, strict=True)
    values["models"] = [{"name": name, "config": config} for name, config in entries]
    return environment.get_template(f"{name}.j2").render(values | context)


def _page_context(assignment: Assignment) -> dict[str, Any]:
    """What the page can show of its two models."""
    from latentlab.figures.embeddings import LEGEND_ROWS  # slow to import

    dataset = assignment.spec.get_dataset(assignment.spec.dataset)
    rows, columns = dataset.size
    legend_width = -(-dataset.n_classes // LEGEND_ROWS) * (4 + max(map(len, dataset.classes)))
    properties = {name: assignment.properties(name) for name in assignment.entries}
    return {
        "maps": [name for name, has in properties.items() if {"plane", "unconditional"} <= has],
        "vaes": [name for name, has in properties.items() if {"generative", "encoder"} <= has],
        "denoising": [name for name, has in properties.items() if "denoising" in has],
        "shows_codes": all("plane" in has for has in properties.values()) and legend_width <= LEGEND_WIDTH,
        "map_width": round(min(MAP_WIDTH, MAP_HEIGHT * columns / rows)),
    }


def ask(question: str, default: str) -> str:
    """What the user types, or the default; also where nobody can be asked."""
    if not sys.stdin.isatty():
        return default
    try:
        return input(f"{question} [{default}]: ").strip() or default
    except EOFError:
        return default


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"./run new: {message}; {' '.join(self.format_usage().split())}")


def read_answers(arguments: Sequence[str], root: Path, config: dict[str, Any]) -> Answers:
    """The answers that options give, and for all others those that the user types.

    Raises:
        UserError: an answer is not possible.
    """
    parser = _Parser(prog="./run new", add_help=False, allow_abbrev=False)
    parser.add_argument("name")
    parser.add_argument("--title")
    parser.add_argument("--data", help="a data set, or a folder of your own images")
    parser.add_argument("--size", type=int, nargs=2, metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--colour", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--models", nargs=2, metavar=("CONFIG", "CONFIG"))
    options = parser.parse_args(arguments)
    for text in arguments:
        if not text.isprintable():
            raise UserError(f"./run new: {short_repr(text)}: holds a character that cannot be printed; leave it out")
    check_name(root, options.name)
    own = root / "templates" / options.name / IMAGES
    title = options.title or ask("Title of the report", options.name)
    data = options.data or ask(
        f"Data: {', '.join(DATASETS)}, or a folder of your own images",
        str(own) if own.is_dir() else next(iter(DATASETS)),
    )
    images, dataset = None, data
    if data not in DATASETS:
        dataset = re.sub("[^A-Za-z0-9]", "", options.name)[:30].capitalize() or "Images"
        images = describe_images(Path(os.path.expanduser(data)), dataset, options.size, options.colour)
        if options.size is None:
            size = ask("Rows and columns, to which all images are resized", " ".join(map(str, images.size)))
            images = images._replace(size=_parse_size(size))
        if options.colour is None:
            images = images._replace(colour=ask("In colour", "yes" if images.colour else "no").lower().startswith("y"))
    elif options.size or options.colour is not None:
        raise UserError(
            f"./run new: the images of {data} have a size and colours of their own; leave these options out"
        )
    proposed = " ".join(MODELS_OF_FEW_IMAGES if images else MODELS)
    models = tuple(
        options.models or ask(f"Two of the models in config.yaml ({', '.join(config['models'])})", proposed).split()
    )
    if len(models) != 2:
        raise UserError(f"./run new: models: two names are needed, not {len(models)}")
    return Answers(options.name, title, dataset, models, images)


def _parse_size(text: str) -> tuple[int, int]:
    numbers = re.fullmatch(r"(\d+)[ ,×x]+(\d+)", text)
    if not numbers:
        raise UserError(f"./run new: size: two numbers are needed, rows and columns, not {text!r}")
    return int(numbers[1]), int(numbers[2])


def main() -> None:
    with exit_on_user_error():
        config = read_yaml(ROOT / "config.yaml")
        check_config(config)
        answers = read_answers(sys.argv[1:], ROOT, config)
        assignment = create_assignment(ROOT / "templates", answers, config)
    folder = f"templates/{assignment.name}"
    for line in (
        f"made {folder}/{ASSIGNMENT_FILE}: the title, the sections, the models and the figures; edit them",
        f"made {folder}/{PAGE}: the text, with the metrics that it quotes; docs/metrics.md lists all others",
        f"next: ./run report --config {quote(f'assignment={assignment.name}')}",
    ):
        print(f"latentlab: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
