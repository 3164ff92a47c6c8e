import copy
from pathlib import Path

import pytest
import yaml

from latentlab import models, settings
from latentlab.errors import UserError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(key, value):
    config = copy.deepcopy(CONFIG)
    *path, last = key.split(".")
    inner = config
    for part in path:
        inner = inner[part]
    inner[last] = value
    return config


def test_the_shipped_config_is_accepted():
    settings.check(CONFIG, SCHEMA)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("epoch", 5, "epoch is not a key; did you mean epochs?"),
        ("models.lab8-vae.hiden", [3], "hiden is not a key in models.lab8-vae; did you mean hidden?"),
        ("epochs", "five", "epochs: must be a whole number or null, not 'five'"),
        ("epochs", True, "epochs: must be a whole number or null, not True"),
        ("epochs", 2.5, "epochs: must be a whole number or null, not 2.5"),
        ("learning_rate", float("nan"), "learning_rate: must be a number or null, not nan"),
        ("batch_size", 0, "batch_size: must be at least 1, not 0"),
        ("models.lab8-vae.latent_dim", 0, "models.lab8-vae.latent_dim: must be at least 1, not 0"),
        ("models.lab8-vae.likelihood", "poisson", "likelihood: must be one of bernoulli, gaussian, not 'poisson'"),
        ("models.lab8-vae.family", "va", "family: must be one of autoencoder, convolutional, vae, not 'va'"),
        ("models.lab8-vae", {"hidden": []}, "family is missing in models.lab8-vae"),
        ("grid_min", 4, "grid_min (4) must be below grid_max (4)"),
        ("authors", [{"id": 3}], "name is missing in authors.0"),
        ("data_source", "web", "data_source: must be one of auto, local, download, stand-in, not 'web'"),
        ("models", {}, "models"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(key, value, sentence):
    with pytest.raises(UserError) as error:
        settings.check(changed(key, value), SCHEMA)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_knob_that_is_left_out_is_named():
    with pytest.raises(UserError, match=r"config: discussion is missing: .* --directory"):
        settings.check({key: value for key, value in CONFIG.items() if key != "discussion"}, SCHEMA)


def test_families_are_the_classes_that_can_be_built():
    for family, random in settings.families().items():
        model = models.build({"family": family, "hidden": [4], "conditional": False}, 3)
        assert type(model).__name__.lower() == family and isinstance(model, models.VAE) is random


def test_own_values_beat_defaults_and_overrides_beat_both():
    config = changed("models.lab8-vae.epochs", 7)
    assert settings.resolve(config, SCHEMA, "lab8-vae")["epochs"] == 7
    assert settings.resolve(config, SCHEMA, "lab8-ae")["epochs"] == 10
    config["epochs"] = 3
    assert {settings.resolve(config, SCHEMA, name)["epochs"] for name in ("lab8-ae", "lab8-vae")} == {3}


def test_an_unknown_model_is_named():
    with pytest.raises(UserError, match=r"models has no entry 'nope'; it has .*lab8-ae"):
        settings.resolve(CONFIG, SCHEMA, "nope")
