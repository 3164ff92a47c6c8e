import copy
import json
from pathlib import Path

import pytest
import yaml

from latentlab.records.config import OVERRIDES, check_config, load_config, read_as_typed, resolve_model, setting_changes
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text(encoding="utf-8"))


def changed(key, value):
    """config.yaml with another value at `key`, which may lie within other keys: a.b.c."""
    config = copy.deepcopy(CONFIG)
    *path, last = key.split(".")
    table = config
    for part in path:
        table = table[part]
    table[last] = value
    return config


def test_the_config_of_the_repository_is_valid():
    check_config(CONFIG)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("epoch", 5, "epoch is not a key; did you mean epochs?"),
        ("models.lab8-vae.hiden", [3], "hiden is not a key in models.lab8-vae; did you mean hidden?"),
        ("epochs", "five", "epochs: must be a whole number or null, not 'five'"),
        ("epochs", True, "epochs: must be a whole number or null, not True"),
        ("epochs", 2.5, "epochs: must be a whole number or null, not 2.5"),
        ("learning_rate", float("nan"), "learning_rate: must be a number or null, not nan"),
        ("learning_rate", "1e-3", "which YAML reads as text: a number with an exponent needs a decimal point"),
        ("batch_size", 0, "batch_size: must be at least 1, not 0"),
        ("models.lab8-vae.latent_dim", 0, "models.lab8-vae.latent_dim: must be at least 1, not 0"),
        ("models.lab8-vae.likelihood", "poisson", "likelihood: must be one of bernoulli, gaussian, not 'poisson'"),
        (
            "models.lab8-vae.family",
            "va",
            "family: must be one of autoencoder, convolutional, convolutionalvae, "
            "denoising, exact, iwae, vae, not 'va'",
        ),
        (
            "models.lab8-vae.masked_share",
            0.5,
            "models.lab8-vae.masked_share: only family: denoising has this setting; leave it out",
        ),
        ("models.lab8-vae.importance_samples", 5, "importance_samples: only family: iwae has this setting"),
        (
            "models.lab8-vae",
            {"family": "iwae", "beta": 4},
            "beta: the objective of family: iwae has no KL term to weight",
        ),
        ("models.lab8-vae", {"hidden": []}, "family is missing in models.lab8-vae"),
        ("models.lab8-vae.output", "linear", "models.lab8-vae.output: linear needs likelihood: gaussian"),
        ("models.lab8-vae.binarise", "always", "models.lab8-vae.binarise: must be true or false or training"),
        ("models.a b", {"family": "vae"}, "models: must be made of letters, digits, '-' and '_', not 'a b'"),
        ("grid_min", 4, "grid_min (4) must be below grid_max (4)"),
        ("authors", [{"id": 3}], "name is missing in authors.0"),
        ("data_source", "web", "data_source: must be one of auto, download, local, synthetic, not 'web'"),
        ("sweep_dims", [], "sweep_dims: must have at least 1 item, not []"),
        ("sweep_dims", [2, 4, 2], "sweep_dims: must have each item only once, not [2, 4, 2]"),
        ("course", "x" * 201, "course: must have at most 200 characters"),
        ("data_dir", "a\x00b", "data_dir: must be a path without NUL characters"),
        ("authors", [{"name": "Ada", "id": 3}], "authors.0.id: must be text or null, not 3"),
        ("sweep_dims", [2, 0], "sweep_dims.1: must be at least 1, not 0"),
        ("models", {}, "models: must have at least 1 item, not {}"),
        ("models", None, "models: must be a table, not None"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(key, value, sentence):
    with pytest.raises(UserError) as error:
        check_config(changed(key, value))
    assert str(error.value).startswith("config: ") and sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("key", CONFIG)
def test_a_setting_that_is_left_out_is_named(key):
    with pytest.raises(UserError, match=rf"config: {key} is missing: .* --directory"):
        check_config({name: value for name, value in CONFIG.items() if name != key})


def test_a_model_has_its_own_values_and_defaults_for_the_others():
    config = changed("models.lab8-vae.epochs", 7)
    assert resolve_model(config, "lab8-vae").epochs == 7
    assert resolve_model(config, "lab8-ae").epochs == 10
    assert resolve_model(config, "lab8-vae") == ModelSettings(family="vae", hidden=(512,), epochs=7)


def test_the_resolved_settings_of_every_model_are_valid_and_resolve_to_themselves():
    """As the config.yaml of a report has them, which it is made again from."""
    models = {name: json.loads(json.dumps(resolve_model(CONFIG, name).to_dict())) for name in CONFIG["models"]}
    resolved = CONFIG | {"models": models}
    assert len(resolved["models"]) > 20
    check_config(resolved)
    for name in CONFIG["models"]:
        assert resolve_model(resolved, name) == resolve_model(CONFIG, name)


def test_top_level_settings_override_those_of_every_model():
    config = changed("models.lab8-vae.epochs", 7) | {"epochs": 3}
    assert {resolve_model(config, name).epochs for name in config["models"]} == {3}
    values = {"epochs": 3, "batch_size": 5, "learning_rate": 0.5, "seed": 8, "precision": "float32"}
    assert set(values) == set(OVERRIDES)
    resolved = resolve_model(CONFIG | values, "lab8-vae")
    assert {key: getattr(resolved, key) for key in OVERRIDES} == values


def test_changes_are_named_by_their_keys_as_they_are_typed():
    before = {"epochs": 5, "title": "Mine", "sweep_dims": [2, 4], "models": {"a": {"hidden": [8]}, "b": {"beta": 1.0}}}
    after = {"epochs": None, "title": "Mine", "sweep_dims": [2], "preview": True, "models": {"a": {"hidden": [8, 4]}}}
    assert setting_changes(before, before) == []
    assert setting_changes(before, after) == [
        "epochs 5 → null",
        "sweep_dims [2, 4] → [2]",
        "models.a.hidden [8] → [8, 4]",
        "models.b.beta 1.0 → null",
        "preview null → true",
    ]
    (change,) = setting_changes({"title": "x y " * 100}, {"title": None})
    assert len(change) < 100


def test_an_unknown_model_is_named_with_the_closest_one():
    with pytest.raises(UserError, match=r"config: models\.lab8-vea does not exist; did you mean lab8-vae\?"):
        resolve_model(CONFIG, "lab8-vea")
    with pytest.raises(UserError, match=r"config: models\.nope does not exist; .*lab8-ae"):
        resolve_model(CONFIG, "nope")


def test_printed_settings_are_text_whatever_they_look_like(tmp_path):
    shared, local = tmp_path / "shared.yaml", tmp_path / "local.yaml"
    shared.write_text("title: 2024-01-31\nepochs: 5\nauthors: [{name: Ada, id: 0123456}, {name: On, email: null}]\n")
    local.write_text("course: 1e3\n")
    settings = read_as_typed([shared, local])
    assert settings == {
        "title": "2024-01-31",
        "course": "1e3",
        "authors": [{"name": "Ada", "id": "0123456"}, {"name": "On", "email": None}],
    }
    check_config(CONFIG | settings)
    local.write_text("title: null\n")
    assert read_as_typed([shared, local])["title"] is None, "later files take precedence"


def test_a_relative_path_starts_from_the_folder_of_its_file(tmp_path, monkeypatch):
    (tmp_path / "results/preview").mkdir(parents=True)
    (tmp_path / "config.yaml").write_text("discussion: mine.md\nnotebook_answers: null\ndata_dir: /data\n")
    (tmp_path / "results/preview/settings.yaml").write_text("data_dir: ~/data\n")
    monkeypatch.chdir(tmp_path)
    paths = [tmp_path / "config.yaml", tmp_path / "results/preview/settings.yaml"]
    expected = {"discussion": "mine.md", "notebook_answers": None, "data_dir": "~/data"}
    assert read_as_typed(paths) == expected
    monkeypatch.chdir(tmp_path / "results/preview")
    assert read_as_typed(paths) == expected | {"discussion": "../../mine.md"}


def test_values_on_the_command_line_are_what_they_would_be_in_a_file(tmp_path):
    (tmp_path / "config.yaml").write_text("title: 5\n")
    overrides = {"title": 7, "course": "null", "sweep_dims": ["2", "4"], "pca_dims": ["2", "x"], "epochs": "null"}
    settings = read_as_typed([tmp_path / "config.yaml"], overrides | {"preview": "false", "data_source": "local"})
    expected = {"title": "7", "course": None, "sweep_dims": [2, 4], "pca_dims": [2, "x"], "epochs": None}
    assert settings == expected | {"preview": False, "data_source": "local"}


def test_a_configuration_is_loaded_as_the_workflow_reads_it(tmp_path):
    text = yaml.safe_dump({key: value for key, value in CONFIG.items() if key != "authors"})
    (tmp_path / "config.yaml").write_text(f"{text}\nauthors: [{{name: Ada, id: 0123}}]\n")
    config = load_config(tmp_path / "config.yaml")
    assert config == CONFIG | {"authors": [{"name": "Ada", "id": "0123"}]}
    check_config(config)
