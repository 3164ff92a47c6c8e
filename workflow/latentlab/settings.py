"""The configuration: checked against the schema in sentences, and resolved to what a training job needs."""

import ast
import math
import reprlib
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from latentlab.errors import UserError

MOST_BYTES, MOST_NODES, MOST_DEEP = 200_000, 10_000, 20  # of a configuration file; ours has a tenth of that
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SHORT = reprlib.Repr()  # of a value in a sentence, however large it is
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 60
SHORT.maxlevel, SHORT.maxdict, SHORT.maxlist = 2, 3, 3
OVERRIDES = ("epochs", "batch_size", "learning_rate", "seed")  # top-level knobs that beat every model's own


def look_through(path):
    """Whether the configuration file at `path` says anything: Snakemake is to read it only if it does.

    Raises:
        UserError: it is no YAML, not a table, far too large (or would be, once its aliases are replaced by what they
            stand for), or says a key twice, of which YAML would keep the last without a word.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        top = yaml.compose(raw.decode(), LOADER) if len(raw) <= MOST_BYTES else None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text in UTF-8; save it as one") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}:" if where else ""
        reason = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise UserError(f"{path}:{line} not YAML ({reason}); compare it with the config.yaml that comes") from error
    if len(raw) > MOST_BYTES:
        raise UserError(f"{path}: more than {MOST_BYTES:,} bytes is far more than there are knobs; is it another file?")
    if top is None:
        return False
    if not isinstance(top, yaml.MappingNode):
        raise UserError(f"{path}: line 1: not a table of knobs; write `key: value`, a knob a line")
    if _nodes(top, path, {}, ()) > MOST_NODES:
        raise UserError(
            f"{path}: its aliases (`*name`) stand for far more than there are knobs; write out what you need"
        )
    try:
        loaded = yaml.load(raw, LOADER)
    except (yaml.YAMLError, ValueError, KeyError) as error:
        raise UserError(f"{path}: holds a value that YAML cannot read ({str(error).splitlines()[0]})") from error
    if "__use_yte__" in loaded:  # which Snakemake takes for a program and runs
        raise UserError(f"{path}: __use_yte__ would let the file run programs; take it out")
    return bool(loaded)


def _nodes(node, path, known, above):
    """How many values a YAML node holds, once aliases are replaced by what they stand for; `known` are those of nodes
    counted before, `above` the nodes that hold this one."""
    line = node.start_mark.line + 1
    if len(above) > MOST_DEEP:
        raise UserError(f"{path}: line {line}: tables within tables within tables; no knob is that deep")
    if id(node) in above:
        raise UserError(f"{path}: line {line}: holds itself by an alias; write out what you need")
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise UserError(f"{path}: line {line}: {node.tag} is not a value that a knob can have")
    if id(node) in known or isinstance(node, yaml.ScalarNode):
        return known.get(id(node), 1)
    held = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((name for name in names if names.count(name) > 1), None) if len(names) <= MOST_NODES else None
        if twice is not None:
            raise UserError(f"{path}: line {line}: {twice} stands there twice in one table; keep one of them")
        if len(names) < len(node.value):
            raise UserError(f"{path}: line {line}: a key is not a plain word")
    known[id(node)] = 1 + sum(_nodes(part, path, known, (*above, id(node))) for part in held)
    return known[id(node)]


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
            raise UserError(
                f"config: models.{name}.family: must be one of {known}, not {reprlib.repr(model['family'])}"
            )
        if model.get("output") == "linear" and model.get("likelihood") != "gaussian":
            raise UserError(
                f"config: models.{name}.output: linear needs likelihood: gaussian, for only its mean may be any number"
            )
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
    key = ".".join(map(_word, error.absolute_path)) or "the top level"
    shown = SHORT.repr(error.instance)
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = sorted(_word(name) for name in error.instance if name not in known)
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
    return f"{key}: {wanted(error.validator_value)}, not {shown}{_hint(error)}"


def _hint(error):
    """YAML's traps."""
    if error.validator == "type" and isinstance(error.instance, str):
        try:
            float(error.instance)
            return ", which YAML reads as text: a number with an exponent needs a point, as in 1.0e-3"
        except ValueError:
            pass
    return ""


def _word(key):
    """A key as it can stand in a sentence."""
    word = str(key)
    return word if word.isprintable() and 0 < len(word) <= 60 else SHORT.repr(key)


def _types(types):
    words = {"null": "null", "integer": "a whole number", "number": "a number", "string": "a text", "array": "a list",
             "object": "a table", "boolean": "true or false"}  # fmt: skip
    types = [types] if isinstance(types, str) else types
    return " or ".join(words[name] for name in types)


def _nearest(word, known):
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"the keys are {', '.join(known)}"
