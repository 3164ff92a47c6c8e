"""The configuration: checked, and resolved to the settings of each model."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

import msgspec

from latentlab.records.declarations import model_families
from latentlab.records.settings import OWN_TEXTS, ModelSettings, Settings, settings_schema
from latentlab.records.validation import first_mistake, short_repr, suggestion
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

TEXT_SETTINGS = ("title", "course", "authors")
PATH_SETTINGS = (*OWN_TEXTS, "data_dir")
YAML_CONSTANTS = {"true": True, "false": False, "null": None}
# Top-level settings that override every model's own.
OVERRIDES = ("epochs", "batch_size", "learning_rate", "seed", "precision")


def read_as_typed(paths: Sequence[str | Path], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings that mean something else than what Snakemake reads.

    A relative path in a configuration file starts from the folder of that file. Printed settings are text, whatever
    they look like: the ID 0123456 is not an octal number. On the command line it is the other way round: Snakemake
    reads false, null and the numbers of the list [2, 4] as texts.

    Args:
        paths: configuration files; later ones take precedence.
        overrides: settings from the command line, which take precedence over all files.

    Raises:
        UserError: a file cannot be read (`safe_yaml.read_yaml`).
    """
    settings: dict[str, Any] = {}
    for path in paths:
        values = read_yaml(path, as_text=True)
        settings |= {key: values[key] for key in TEXT_SETTINGS if key in values}
        settings |= {key: _relative_to(Path(path).parent, values[key]) for key in PATH_SETTINGS if key in values}
    for key, value in (overrides or {}).items():
        if key in TEXT_SETTINGS:
            settings[key] = str(value) if isinstance(value, int | float) else None if value == "null" else value
        elif isinstance(value, list):
            settings[key] = [int(item) if str(item).isdecimal() else item for item in value]
        elif isinstance(value, str):
            settings[key] = YAML_CONSTANTS.get(value, value)
    return settings


def load_config(path: str | Path) -> dict[str, Any]:
    """The contents of a config.yaml that holds every setting, as the workflow reads them.

    Raises:
        UserError: the file cannot be read.
    """
    return read_yaml(path) | read_as_typed([path])


def _relative_to(folder: Path, path: Any) -> Any:
    """`path` from the working directory, if it starts from `folder`; other values are left to the checks."""
    if not isinstance(path, str) or not path or path.startswith("~") or os.path.isabs(path):
        return path
    return os.path.relpath(folder / path)


def check_config(config: dict[str, Any]) -> None:
    """Check what Snakemake read from config.yaml.

    Raises:
        UserError: a key is unknown or missing, or a value does not fit.
    """
    missing = [key for key in Settings.__struct_fields__ if key not in config]
    sentence = first_mistake(config, _schema())
    if missing and sentence == f"{missing[0]} is missing in the top level":
        raise UserError(
            f"config: {missing[0]} is missing: config.yaml has to hold every setting; a file that holds only what "
            "differs belongs into a folder of its own, which --directory names"
        )
    if sentence:
        raise UserError(f"config: {sentence}")
    for name, model in config["models"].items():
        _check_model(name, model)
    if config["grid_min"] >= config["grid_max"]:
        raise UserError(
            f"config: grid_min ({config['grid_min']:g}) must be below grid_max ({config['grid_max']:g}): the range of "
            "the decoder grid is empty"
        )


def resolve_model(config: dict[str, Any], name: str) -> ModelSettings:
    """The settings of `models.{name}`: its own values, defaults for the others, and the top-level overrides.

    Raises:
        UserError: there is no such model config.
    """
    if name not in config["models"]:
        known = sorted(config["models"])
        raise UserError(f"config: models.{name} does not exist; {suggestion(name, known)}")
    overrides = {key: config[key] for key in OVERRIDES if config.get(key) is not None}
    if config["models"][name].get("notebook"):
        overrides.pop("precision", None)  # that of its cells
    return msgspec.convert(dict(config["models"][name]) | overrides, ModelSettings)


def setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two configurations, by dotted keys: `epochs 5 → null`."""
    old, new = (dict(_flatten(config)) for config in (before, after))
    return [
        f"{key} {_as_typed(old.get(key))} → {_as_typed(new.get(key))}"
        for key in [*old, *(key for key in new if key not in old)]
        if old.get(key) != new.get(key)
    ]


def _as_typed(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 60, placeholder=" …")


def _flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@cache
def _schema() -> dict[str, Any]:
    return settings_schema()


def _check_model(name: str, model: dict[str, Any]) -> None:
    if model["family"] not in model_families():
        known = ", ".join(sorted(model_families()))
        raise UserError(f"config: models.{name}.family: must be one of {known}, not {short_repr(model['family'])}")
    if model["family"] == "exact" and model.get("latent_dim", 2) > 2:
        raise UserError(
            f"config: models.{name}.latent_dim: family: exact integrates over the latent space, so it needs one or two "
            f"dimensions, not {model['latent_dim']}; choose them, or family: vae"
        )
    if model["family"] == "iwae" and model.get("beta", 1) != 1:
        raise UserError(
            f"config: models.{name}.beta: the objective of family: iwae has no KL term to weight; leave beta out, or "
            "choose family: vae"
        )
    defaults = {field.name: field.default for field in msgspec.structs.fields(ModelSettings)}
    for key, value in model.items():
        owners = [family.name for family in model_families().values() if key in family.own_settings]
        if owners and model["family"] not in owners and value != defaults[key]:  # a report's config.yaml has all keys
            raise UserError(
                f"config: models.{name}.{key}: only family: {' and '.join(owners)} has this setting; leave it out"
            )
    if model.get("output") == "linear" and model.get("likelihood") != "gaussian":
        raise UserError(
            f"config: models.{name}.output: linear needs likelihood: gaussian, because only a Gaussian's mean may be "
            "any number"
        )
