"""An assignment whose data set is a folder of one's own images."""

import os

import msgspec
import pytest
import yaml
from projects import ROOT

from latentlab.records.assignments import load_assignment
from latentlab.records.data import ImageFolder
from latentlab.records.datasets import get_dataset
from latentlab.runtime.errors import UserError

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
IMAGES = {"folder": "pictures", "size": [20, 32], "colour": True, "classes": ["disc", "square", "bow"]}


def load(folder, images=IMAGES, dataset="Shapes", config="deep-vae", files=(), **changes):
    (folder / "mine").mkdir(exist_ok=True)
    for name in files:
        (folder / "mine" / name).write_text("")
    values = {"title": "T", "dataset": dataset, "images": images, "models": {"vae": {"config": config, "label": "VAE"}}}
    values |= {"figures": {"map": {"plot": "embeddings", "models": ["vae"], "width": 50}}} | changes
    (folder / "mine/assignment.yaml").write_text(yaml.safe_dump(values))
    return load_assignment(folder, "mine", CONFIG)


def test_the_declaration_follows_from_the_assignment(tmp_path):
    dataset = load(tmp_path).spec.get_dataset("Shapes")
    assert (dataset.name, dataset.image_shape, dataset.classes) == ("Shapes", (3, 20, 32), ("disc", "square", "bow"))
    assert dataset.ood_partner is None and dataset.reader == "npy"
    grey = load(tmp_path, IMAGES | {"colour": False}).spec.get_dataset("Shapes")
    assert grey == msgspec.structs.replace(dataset, image_shape=(20, 32))


def test_figures_runs_and_records_are_those_of_its_images(tmp_path):
    assignment = load(tmp_path)
    assert assignment.data_records() == ["results/data/Shapes.json"] and assignment.plane_models() == ["vae"]
    assert assignment.run("vae").file("codes.npz") == "results/models/Shapes/deep-vae/d2/seed0/codes.npz"
    assert assignment.figure_specs(CONFIG)[0].dataset == assignment.spec.get_dataset("Shapes")


def test_a_model_may_still_be_trained_on_a_published_data_set(tmp_path):
    models = {name: {"config": "deep-vae", "label": name} for name in ("vae", "other")}
    models["other"]["dataset"] = "MNIST"
    assignment = load(tmp_path, models=models)
    assert assignment.spec.get_dataset("MNIST") == get_dataset("MNIST")
    assert assignment.data_records() == ["results/data/Shapes.json", "results/data/MNIST.json"]


def test_a_notebook_trains_no_model_on_them(tmp_path):
    sentence = (
        r"mine/assignment.yaml: models.vae.config: a notebook trains exercise4-notebook-vae, and reads torchvision's"
    )
    with pytest.raises(UserError, match=sentence):
        load(tmp_path, config="exercise4-notebook-vae")


def test_a_model_is_refused_whose_images_have_sides_that_its_family_cannot_take(tmp_path):
    models = {"cnn": {"config": "lab10-cnn", "label": "CNN"}}
    options = {"models": models, "figures": {"all": {"plot": "reconstructions", "models": ["cnn"], "width": 50}}}
    assert load(tmp_path, **options).run("cnn").model == "lab10-cnn"
    sentence = (
        r"mine/assignment.yaml: models.cnn.config: lab10-cnn is of family: convolutional, which needs images whose "
        r"sides are multiples of 4 pixels, not 20×30; change images.size"
    )
    with pytest.raises(UserError, match=sentence):
        load(tmp_path, IMAGES | {"size": [20, 30]}, **options)


@pytest.mark.parametrize("folder", ["pictures", "../shared", "/data/pictures", "~/pictures", "~nobody-of-this-name/x"])
def test_a_relative_folder_starts_from_that_of_the_assignment(tmp_path, folder):
    images = load(tmp_path, IMAGES | {"folder": folder, "test_share": 0.3, "seed": 7, "resize": "pad"}).images
    expected = tmp_path / "mine" / os.path.expanduser(folder)
    assert images == ImageFolder(folder=str(expected), resize="pad", test_share=0.3, validation_share=0.1, seed=7)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": [20, 32, 3]}, "images.size: must have at most 2 items"),
        ({"size": [9, 32]}, "images.size.0: must be at least 10, not 9"),
        ({"size": [20, 129]}, "images.size.1: must be at most 128, not 129"),
        ({"colour": "yes"}, "images.colour: must be true or false, not 'yes'"),
        ({"classes": ["disc"]}, "images.classes: must have at least 2 items"),
        ({"classes": ["disc", "disc"]}, "images.classes: must have each item only once"),
        ({"classes": ["disc", "../up"]}, "images.classes.1: must be the name of a folder"),
        ({"resize": "fit"}, "images.resize: must be one of crop, pad, stretch, not 'fit'"),
        ({"test_share": 0}, "images.test_share: must be greater than 0, not 0"),
        ({"validation_share": 0.5}, "images.validation_share: must be at most 0.4, not 0.5"),
        ({"folders": "x"}, "folders is not a key in images; did you mean folder?"),
    ],
)
def test_a_mistake_in_the_declaration_is_one_sentence(tmp_path, changes, sentence):
    with pytest.raises(UserError) as error:
        load(tmp_path, IMAGES | changes)
    assert sentence in str(error.value) and "assignment.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_key_that_is_left_out_is_named(tmp_path):
    for key in ("folder", "size", "colour", "classes"):
        with pytest.raises(UserError, match=f"{key} is missing in images"):
            load(tmp_path, {name: value for name, value in IMAGES.items() if name != key})


@pytest.mark.parametrize("name", ["MNIST", "Mnist", "my shapes", "shapes_2", "", "s" * 31])
def test_images_need_a_name_of_their_own(tmp_path, name):
    with pytest.raises(
        UserError, match="dataset: your images need a name of at most 30 letters and digits that is not one of MNIST"
    ):
        load(tmp_path, dataset=name)


def test_what_does_not_apply_to_own_images_is_said_before_anything_runs(tmp_path):
    figures = {"ood": {"plot": "ood_likelihoods", "models": ["vae"], "width": 90}}
    with pytest.raises(
        UserError, match=r"which needs a data set with an ood_partner, which images of one's own have not"
    ):
        load(tmp_path, config="deep-cvae", figures=figures)
    with pytest.raises(
        UserError, match=r"images: a notebook reads torchvision's data sets only; take cells\.md\.j2 out"
    ):
        load(tmp_path, files=["cells.md.j2"])


def test_without_images_a_name_of_no_published_data_set_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"'Shapes' is not one of MNIST.*; or add images, with the folder of your own"):
        load(tmp_path, images=None)
