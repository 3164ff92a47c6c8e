from pathlib import Path

import pytest
import yaml

from latentlab import handins
from latentlab.errors import UserError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/handin.schema.yaml"
SPEC = {
    "title": "T", "dataset": "MNIST", "models": {"vae": {"entry": "deep-vae", "label": "VAE"}},
    "figures": {"one": {"plot": "map", "models": ["vae"], "width": 50}},
}  # fmt: skip


def load(tmp_path, **changes):
    (tmp_path / "mine").mkdir(exist_ok=True)
    (tmp_path / "mine/handin.yaml").write_text(yaml.safe_dump(SPEC | changes))
    return handins.load(tmp_path, "mine", SCHEMA)


def test_those_that_are_shipped_are_valid_and_name_models_that_exist():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    names = handins.names(ROOT / "templates")
    assert {"summary", "lab8", "lab8-pca", "lab10", "exercise4"} == set(names)
    for name in names:
        spec = handins.load(ROOT / "templates", name, SCHEMA)
        assert {model["entry"] for model in (spec["models"] | spec["sweeps"]).values()} <= set(config["models"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"figures": {"one": {"plot": "map", "models": ["ae"], "width": 5}}},
            "'ae' is not one of this hand-in's models",
        ),
        ({"figures": {"one": {"plot": "pie", "models": ["vae"], "width": 5}}}, "figures.one.plot: 'pie' is not one of"),
        ({"dataset": "CIFAR"}, "dataset: 'CIFAR' is not one of"),
        ({"pages": 2}, "'pages' was unexpected"),
        ({"sections": ["What differs"]}, "sections.0: 'What differs' does not match"),
        ({"figures": {"one": {"plot": "map", "models": ["vae"], "width": 187}}}, "width: 187 is greater than"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path, changes, sentence):
    with pytest.raises(UserError) as error:
        load(tmp_path, **changes)
    assert sentence in str(error.value) and "mine/handin.yaml" in str(error.value)


def test_a_model_has_the_hand_in_s_data_unless_it_says_otherwise(tmp_path):
    models = {
        "here": {"entry": "deep-vae", "label": "A"},
        "there": {"entry": "deep-vae", "label": "B", "dataset": "FashionMNIST"},
    }
    spec = load(tmp_path, models=models, subspaces={"flat": {"entry": "linear-ae", "label": "C"}}, figures={})
    found = {name: model["dataset"] for name, model in handins.all_models(spec).items()}
    assert found == {"here": "MNIST", "there": "FashionMNIST", "flat": "MNIST"}


def test_sections_are_their_numbers_and_headings_in_order(tmp_path):
    spec = load(tmp_path, sections=["2.1 One of them", "1 Another"])
    assert list(spec["sections"].items()) == [("2.1", "One of them"), ("1", "Another")]


def test_a_hand_in_that_is_not_there_is_named(tmp_path):
    load(tmp_path)
    with pytest.raises(UserError, match=r"no hand-in 'yours'; templates/ has mine"):
        handins.load(tmp_path, "yours", SCHEMA)
