"""The configuration: checked against the schema in sentences, and resolved to what a training job needs."""

import ast
import math
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from latentlab.errors import UserError

OVERRIDES = ("epochs", "batch_size", "learning_rate", "seed")  # top-level knobs that beat every model's own


def check(config, schema):
    """Raise UserError unless `config` fits `schema` and its values fit each other.

    Args:
        config: what Snakemake read.
        schema: path of the JSON schema (as YAML).
    """
    error = best_match(_validator(schema).iter_errors(config), key=lambda error: (-len(error.path), error.validator))
    if error:
        raise UserError(f"config: {_sentence(error)}")
    missing = [key for key in _load(schema)["properties"] if key not in config]
    if missing:
        raise UserError(
            f"config: {missing[0]} is missing: config.yaml has to hold every knob; one that holds only what differs "
            "belongs into a folder of its own, which --directory names"
        )
    for name, model in config["models"].items():
        if model["family"] not in families():
            known = ", ".join(sorted(families()))
            raise UserError(f"config: models.{name}.family: must be one of {known}, not {model['family']!r}")
    if config["grid_min"] >= config["grid_max"]:
        raise UserError(
            f"config: grid_min ({config['grid_min']:g}) must be below grid_max ({config['grid_max']:g}): the range of "
            "the decoder grid is empty"
        )


def resolve(config, schema, model):
    """The settings of `models.{model}`: its own entry, the schema's defaults, the top-level overrides.

    Raises:
        UserError: there is no such entry.
    """
    if model not in config["models"]:
        raise UserError(f"config: models has no entry {model!r}; it has {', '.join(sorted(config['models']))}")
    properties = _load(schema)["$defs"]["model"]["properties"]
    settings = {key: rule["default"] for key, rule in properties.items() if "default" in rule}
    settings |= config["models"][model]
    settings |= {key: config[key] for key in OVERRIDES if config.get(key) is not None}
    return dict(sorted(settings.items()))


@cache
def families():
    """What `family` may say: the classes of models.py in small letters, and whether their codes are random, as a VAE's.

    Read from its text, for to import torch takes longer than to plan all jobs.
    """
    classes = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for node in ast.parse((Path(__file__).parent / "models.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }

    def lineage(name):
        return {name}.union(*(lineage(base) for base in classes.get(name, [])))

    return {name.lower(): "VAE" in lineage(name) for name in classes if "Autoencoder" in lineage(name)}


def _validator(schema):
    def number(checker, value):  # YAML reads .nan and .inf as numbers; no knob means them
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value)

    def integer(checker, value):
        return number(checker, value) and isinstance(value, int)

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"number": number, "integer": integer})
    return extend(Draft202012Validator, type_checker=types)(_load(schema))


@cache  # read for every model of every job: parsing it each time was most of the time before the first job
def _load(schema):
    return yaml.safe_load(Path(schema).read_text(encoding="utf-8"))


def _sentence(error):
    """What is wrong, at which key, and what would be right."""
    key = ".".join(map(str, error.absolute_path)) or "the top level"
    shown = repr(error.instance)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = sorted(set(map(str, error.instance)) - set(known))
        within = "" if key == "the top level" else f" in {key}"
        return f"{unknown[0]} is not a key{within}; {_nearest(unknown[0], known)}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{missing} is missing in {key}"
    wanted = {
        "type": lambda value: f"must be {_types(value)}",
        "enum": lambda value: f"must be one of {', '.join(map(str, value))}",
        "minimum": lambda value: f"must be at least {value}",
        "exclusiveMinimum": lambda value: f"must be greater than {value}",
        "maximum": lambda value: f"must be at most {value}",
        "exclusiveMaximum": lambda value: f"must be less than {value}",
        "minItems": lambda value: f"must have at least {value} item{'s' * (value > 1)}",
        "pattern": lambda value: "must be made of letters, digits, '-' and '_'",
    }.get(error.validator, lambda value: f"does not fit {error.validator}: {value}")
    return f"{key}: {wanted(error.validator_value)}, not {shown}"


def _types(types):
    words = {"null": "null", "integer": "a whole number", "number": "a number", "string": "a text", "array": "a list",
             "object": "a table", "boolean": "true or false"}  # fmt: skip
    types = [types] if isinstance(types, str) else types
    return " or ".join(words[name] for name in types)


def _nearest(word, known):
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"the keys are {', '.join(known)}"
