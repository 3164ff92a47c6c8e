"""The model configs that a notebook trains, and the settings that its cells are given."""

import copy
from pathlib import Path

import pytest
import yaml

from latentlab.records.assignments import load_assignment
from latentlab.records.notebooks import check_notebook_models, notebook_settings, with_settings
from latentlab.runtime.errors import UserError

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
VAE, CVAE = "exercise4-notebook-vae", "exercise4-notebook-cvae"
NOTEBOOK = "exercise4/cvae"


def changed(model, **settings):
    """config.yaml with other settings of a model."""
    config = copy.deepcopy(CONFIG)
    config["models"][model] |= settings
    return config


def refusal(config, models=(VAE, CVAE)):
    """The sentence with which the model configs are refused."""
    with pytest.raises(UserError) as error:
        check_notebook_models(config, models, [NOTEBOOK])
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_models_of_config_yaml_can_be_trained_by_their_notebook():
    check_notebook_models(CONFIG, CONFIG["models"], [NOTEBOOK])


@pytest.mark.parametrize(
    ("key", "value", "only"),
    [
        ("family", "autoencoder", "vae"),
        ("latent_dim", 3, "2"),
        ("likelihood", "bernoulli", "gaussian"),
        ("output", "linear", "sigmoid"),
        ("binarise", True, "false"),
        ("augment", True, "false"),
        ("precision", "bfloat16", "float32"),
        ("beta", 0.5, "1.0"),
        ("schedule", "cosine", "constant"),
        ("weight_decay", 0.1, "0.0"),
        ("instruction_set", "AVX2", "null"),
    ],
)
def test_a_setting_that_the_cells_do_not_implement_is_named(key, value, only):
    assert refusal(changed(CVAE, **{key: value}), [CVAE]) == (
        f"config: models.{CVAE}.{key}: the cells of notebook {NOTEBOOK} train with {key}: {only} only; change it to "
        f"that, or take notebook out of models.{CVAE}"
    )


def test_both_models_are_trained_with_the_same_settings():
    assert refusal(changed(CVAE, epochs=3)) == (
        f"config: models.{VAE}.epochs: must be that of models.{CVAE}, because notebook {NOTEBOOK} trains both with the "
        "same settings"
    )


def test_a_notebook_trains_one_model_of_each_kind():
    assert refusal(changed(CVAE, conditional=False)).startswith(
        f"config: models.{VAE}.notebook: notebook {NOTEBOOK} trains one model that is conditional and one that is not, "
        f"and models.{CVAE} is the latter already"
    )


def test_a_notebook_that_does_not_exist_is_named_if_an_assignment_shows_its_models():
    config = changed(CVAE, notebook="exercise4/other")
    assert refusal(config) == (
        f"config: models.{CVAE}.notebook: there is no notebook 'exercise4/other'; templates/ has {NOTEBOOK}"
    )
    check_notebook_models(config, [VAE], [NOTEBOOK])


@pytest.mark.parametrize("section", ["sweeps", "pca_comparisons"])
def test_a_model_of_a_notebook_cannot_be_swept(section, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/assignment.yaml").write_text(
        f"title: T\ndataset: MNIST\nmodels: {{}}\nfigures: {{}}\n{section}: {{s: {{config: {VAE}, label: S}}}}\n"
    )
    with pytest.raises(UserError, match=rf"{section}\.s\.config: a notebook trains {VAE}, once; name a model config"):
        load_assignment(tmp_path, "mine", CONFIG)


# --- the cell of settings ---------------------------------------------------------------------------------------------


def test_overrides_reach_the_cells_but_not_the_precision():
    settings = notebook_settings(CONFIG | {"epochs": 2, "precision": "bfloat16"}, NOTEBOOK, "MNIST")
    assert settings["epochs"] == 2 and settings["hidden"] == (512, 256) and settings["dataset"] == "MNIST"
    assert settings["conditions"] == (2, 4, 8) and settings["training_size"] is None
    check_notebook_models(CONFIG | {"precision": "bfloat16"}, [VAE, CVAE], [NOTEBOOK])


def test_only_the_values_of_the_cell_of_settings_are_replaced():
    code = "# %% settings\na = 1  # the first\nlow, high = 0, 1  # both\nkept = (1, 2)\n\n# %% b\na = 5\n"
    assert with_settings(code, {"a": "x", "low": -2.5, "high": None, "other": 3}) == (
        "# %% settings\na = 'x'  # the first\nlow, high = -2.5, None  # both\nkept = (1, 2)\n\n# %% b\na = 5\n"
    )
    assert with_settings("# %% a\nb = 1\n", {"b": 2}) == "# %% a\nb = 1\n"
