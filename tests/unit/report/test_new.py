"""`./run new`: an assignment that is complete at once."""

import shutil
import subprocess
import sys

import pytest
import yaml
from builders import COLOUR, draw_pictures
from PIL import Image
from projects import ROOT, snakemake_environment

from latentlab.records.assignments import load_assignment
from latentlab.report import new
from latentlab.report.new import create_assignment, read_answers
from latentlab.report.template_check import check_templates
from latentlab.runtime.errors import UserError

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def root(tmp_path):
    """The files of the repository that a new assignment is made from."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "workflow").mkdir()
    shutil.copytree(ROOT / "workflow/rules", tmp_path / "workflow/rules")
    shutil.copy(ROOT / "Snakefile", tmp_path)
    return tmp_path


def create(root, *arguments):
    return create_assignment(root / "templates", read_answers(arguments, root, CONFIG), CONFIG)


def test_without_options_it_compares_two_models_on_the_first_data_set(root):
    assignment = create(root, "mine")
    assert assignment.spec.title == "mine" and assignment.spec.dataset == "MNIST"
    assert [entry.config for entry in assignment.spec.models.values()] == ["lab8-ae-hidden", "lab8-vae"]
    assert {"pictures", "training", "first_map", "second_map", "codes"} == set(assignment.spec.figures)
    page = (root / "templates/mine/page.html.j2").read_text()
    assert page.count("negated ELBO") == 1 and "<<" not in page and "<%" not in page
    check_templates(root / "templates", [load_assignment(root / "templates", "mine", CONFIG)])


@pytest.mark.parametrize("models", [
    ("lab10-cnn", "best-cvae"), ("deep-vae", "deep-cvae"), ("plane-exact", "small-convolutional-vae"),
    ("deep-cvae", "deep-cvae"), ("small-denoising", "small-vae"),
])  # fmt: skip
def test_it_shows_of_its_models_what_they_have(root, models):
    assignment = create(root, "mine", "--models", *models, "--data", "KMNIST", "--title", 'Of "planes": {{ x }} & <b>')
    assert assignment.spec.title == 'Of "planes": {{ x }} & <b>' and assignment.spec.dataset == "KMNIST"
    maps = [name for name in ("first", "second") if {"plane", "unconditional"} <= assignment.properties(name)]
    assert [name for name in assignment.spec.figures if name.endswith("_map")] == [f"{name}_map" for name in maps]
    page = (root / "templates/mine/page.html.j2").read_text()
    denoising = [name for name in ("first", "second") if "denoising" in assignment.properties(name)]
    assert [name for name in assignment.spec.figures if name.endswith("_restored")] == [
        f"{name}_restored" for name in denoising
    ]
    vaes = [name for name in ("first", "second") if {"generative", "encoder"} <= assignment.properties(name)]
    assert page.count("negative_elbo") == len(vaes)


def test_own_images_are_described_as_they_are(root):
    draw_pictures(root / "templates/shapes/images", COLOUR, 20)
    assignment = create(root, "shapes")
    images = assignment.spec.images
    assert (images.folder, images.size, images.colour) == ("images", (20, 32), True)
    assert images.classes == ("bow", "disc", "square") and assignment.spec.dataset == "Shapes"
    assert [entry.config for entry in assignment.spec.models.values()] == ["small-ae", "small-vae"]


def test_a_name_that_yaml_reads_as_something_else_is_that_of_the_images(root):
    draw_pictures(root / "templates/null/images", COLOUR, 20)
    assert create(root, "null").spec.dataset == "Null"


@pytest.mark.parametrize(
    ("n_classes", "length", "shown"), [(11, 3, True), (30, 3, True), (100, 3, False), (2, 30, False)]
)
def test_codes_are_shown_where_their_legend_leaves_room(root, n_classes, length, shown):
    for label in range(n_classes):
        folder = root / f"pictures/{label:0{length}}"
        folder.mkdir(parents=True)
        for i in range(20):
            Image.new("L", (12, 12), i).save(folder / f"{i}.png")
    assert ("codes" in create(root, "mine", "--data", str(root / "pictures")).spec.figures) == shown


def test_options_say_otherwise_and_images_may_lie_elsewhere(root):
    draw_pictures(root / "pictures", COLOUR, 20)
    assignment = create(root, "my_shapes", "--data", str(root / "pictures"), "--size", "12", "14", "--no-colour")
    images = assignment.spec.images
    assert (images.folder, images.size, images.colour) == (str(root / "pictures"), (12, 14), False)
    assert assignment.spec.dataset == "Myshapes"


def test_what_is_not_given_is_asked_for_where_somebody_can_answer(root, monkeypatch):
    draw_pictures(root / "templates/shapes/images", COLOUR, 20)
    answers = {
        "Title": "Shapes in planes",
        "Data": "",
        "Rows": "16 x 24",
        "In colour": "no",
        "Two of": "deep-vae deep-ae",
    }
    asked = []

    def answer(question):
        asked.append(question)
        return next(text for start, text in answers.items() if question.startswith(start))

    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("builtins.input", answer)
    spec = create(root, "shapes").spec
    assert len(asked) == 5 and (spec.title, spec.images.size, spec.images.colour) == (
        "Shapes in planes",
        (16, 24),
        False,
    )
    assert [entry.config for entry in spec.models.values()] == ["deep-vae", "deep-ae"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "./run new: the following arguments are required: name; usage: ./run new"),
        (("lab8",), "templates/lab8: there is an assignment of this name already; choose another"),
        (("notebook",), "this folder holds what all assignments share; rename yours"),
        (("class",), "this folder holds what all assignments share; rename yours"),
        (("base.css",), "templates/base.css: a file has this name already; choose another"),
        (("a{b}",), "its name may not contain {"),
        (("",), "'': not the name of an assignment; begin it with a letter"),
        ((".hidden",), "'.hidden': not the name of an assignment; begin it with a letter"),
        (("1.0",), "'1.0': not the name of an assignment; begin it with a letter"),
        (("a/b",), "'a/b': not the name of an assignment; begin it with a letter"),
        (
            ("mine", "--title", "a\udcff"),
            "./run new: 'a\\udcff': holds a character that cannot be printed; leave it out",
        ),
        (("mine", "--title", "a" * 201), "./run new: title: must have at most 200 characters, not 'aaa"),
        (("train_model",), "train_model: not the name of an assignment"),
        (("report",), "report: not the name of an assignment"),
        (
            ("mine", "--data", "CIFAR"),
            "CIFAR: neither a folder nor one of MNIST, FashionMNIST, KMNIST; name one of them",
        ),
        (("mine", "--data", "MNIST", "--size", "20", "20"), "the images of MNIST have a size and colours of their own"),
        (("mine", "--models", "lab8-vea", "deep-vae"), "models.lab8-vea does not exist; did you mean lab8-vae?"),
        (("mine", "--size", "big", "20"), "argument --size: invalid int value: 'big'"),
        (("mine", "--colours"), "unrecognized arguments: --colours"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(root, arguments, sentence):
    before = sorted((root / "templates").rglob("*"))
    with pytest.raises(UserError) as error:
        create(root, *arguments)
    assert sentence in str(error.value) and "\n" not in str(error.value)
    assert sorted((root / "templates").rglob("*")) == before


def test_images_that_cannot_be_used_are_named_and_nothing_is_written(root):
    draw_pictures(root / "pictures", COLOUR, 19)
    before = sorted((root / "templates").rglob("*"))
    for arguments, sentence in (
        (("--data", str(root / "pictures")), "bow: 19 PNG or JPEG files; put at least 20 images of class bow there"),
        (("--data", str(root / "pictures/disc")), "disc: no folders; put the images of each class into a folder"),
    ):
        with pytest.raises(UserError, match=sentence):
            create(root, "mine", *arguments)
    shutil.rmtree(root / "pictures")
    draw_pictures(root / "pictures", COLOUR, 20)
    with pytest.raises(UserError, match=r"^\./run new: images\.size\.0: must be at least 10, not 4"):
        create(root, "mine", "--data", str(root / "pictures"), "--size", "4", "5")
    (root / "pictures/bow").rename(root / "pictures/b\now")
    with pytest.raises(UserError, match=r"pictures/b\\now: its name cannot be printed; rename it"):
        create(root, "mine", "--data", str(root / "pictures"))
    (root / "pictures/b\now").rename(root / "pictures/bow")
    assert sorted((root / "templates").rglob("*")) == before


def test_the_command_says_what_to_edit(root, monkeypatch, capsys):
    shutil.copy(ROOT / "config.yaml", root)
    monkeypatch.setattr(new, "ROOT", root)
    monkeypatch.setattr(sys, "argv", ["new", "mine", "--data", "KMNIST"])
    new.main()
    made = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in made] == [
        "made templates/mine/assignment.yaml", "made templates/mine/page.html.j2", "next",
    ]  # fmt: skip
    assert made[2].endswith("./run report --config assignment=mine")
    command = [sys.executable, "-m", "latentlab.report.new", "lab8"]
    process = subprocess.run(command, env=snakemake_environment(ROOT), capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr.startswith("latentlab: templates/lab8: there is an assignment")
