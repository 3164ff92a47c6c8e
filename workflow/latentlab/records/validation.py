"""Checks values from YAML files against a JSON schema, and describes the first mistake in one sentence."""

import math
import reprlib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

_SHORT = reprlib.Repr()  # values may be arbitrarily large; a sentence may not
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist = 2, 3, 3

_TYPE_NAMES = {
    "null": "null",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a table",
    "boolean": "true or false",
}


def first_mistake(values: Any, schema: dict[str, Any]) -> str | None:
    """One sentence that names the key of the most relevant mistake in `values` and the remedy; None if there is
    none."""
    errors = _validator(schema).iter_errors(values)
    error = best_match(errors, key=_relevance)
    return _describe(error) if error else None


def short_repr(value: Any) -> str:
    """`value` as it can stand in a sentence, however large it is."""
    return _SHORT.repr(value)


def suggestion(word: str, known: Iterable[str]) -> str:
    """ "did you mean epochs?", or the list of what is known."""
    known = list(known)
    close = get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"the keys are {', '.join(known)}"


def _relevance(error: ValidationError) -> tuple[int, str]:
    """The error with the smallest is reported: an outer key first. Where a value fits none of the alternatives of an
    `anyOf`, types and fixed values count alike, so that the sentence lists all of them."""
    return -len(error.path), "type" if error.validator == "enum" else str(error.validator)


def _validator(schema: dict[str, Any]) -> Any:
    def is_number(checker: Any, value: Any) -> bool:  # YAML reads .nan and .inf as numbers; no setting means them
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf

    def is_integer(checker: Any, value: Any) -> bool:
        return is_number(checker, value) and isinstance(value, int)

    def any_of(checker: Any, branches: list[dict[str, Any]], value: Any, schema: Any) -> Iterator[ValidationError]:
        tables = [branch for branch in branches if "$ref" in branch]
        if tables and value is not None:  # of a table that may be left out, what is wrong in it counts
            yield from checker.descend(value, tables[0])
        else:
            yield from Draft202012Validator.VALIDATORS["anyOf"](checker, branches, value, schema)

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"number": is_number, "integer": is_integer})
    return extend(Draft202012Validator, {"anyOf": any_of}, type_checker=types)(schema)


def _describe(error: ValidationError) -> str:
    """What is wrong, at which key, and what would be right."""
    key = ".".join(map(_printable, error.absolute_path)) or "the top level"
    if error.validator == "additionalProperties":
        known = error.schema["properties"]  # ty: ignore[not-subscriptable]  # a schema may be True; this one is not
        unknown = sorted(_printable(name) for name in error.instance if name not in known)[0]
        place = "" if key == "the top level" else f" in {key}"
        return f"{unknown} is not a key{place}; {suggestion(unknown, known)}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{missing} is missing in {key}"
    return f"{key}: must {_requirement(error)}, not {short_repr(error.instance)}{_hint(error)}"


def _requirement(error: ValidationError) -> str:
    """What a value has to be, as the end of a sentence that begins with "must"."""
    value = error.validator_value
    match error.validator:
        case "type":
            return f"be {_TYPE_NAMES[value]}"
        case "enum":
            return f"be one of {', '.join(map(str, value))}"
        case "minimum":
            return f"be at least {value}"
        case "exclusiveMinimum":
            return f"be greater than {value}"
        case "maximum":
            return f"be at most {value}"
        case "exclusiveMaximum":
            return f"be less than {value}"
        case "minItems" | "minProperties":
            return f"have at least {value} item{'s' * (value > 1)}"
        case "uniqueItems":
            return "have each item only once"
        case "items" if value is False and isinstance(error.schema, dict):
            return f"have at most {len(error.schema['prefixItems'])} items"
        case "maxItems":
            return f"have at most {value} items"
        case "minLength":
            return f"have at least {value} character{'s' * (value > 1)}"
        case "maxLength":
            return f"have at most {value} characters"
        case "pattern":
            description = error.schema.get("description") if isinstance(error.schema, dict) else None
            return f"be {description or f'text that matches {value}'}"
        case "anyOf":
            return f"be {_alternatives(value)}"
    return f"fit {error.validator}: {value}"


def _alternatives(branches: list[dict[str, Any]]) -> str:
    """The types and values that the branches of an `anyOf` allow."""
    words = [_TYPE_NAMES[branch["type"]] if "type" in branch else ", ".join(branch["enum"]) for branch in branches]
    return " or ".join(dict.fromkeys(words))


def _hint(error: ValidationError) -> str:
    """An explanation of a common trap of YAML."""
    value = error.instance
    if error.validator in ("type", "anyOf") and isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return ""
        if "e" in value.lower():
            return ", which YAML reads as text: a number with an exponent needs a decimal point, as in 1.0e-3"
        return ", which is text because of its quotes; leave them out"
    if error.validator == "type" and error.validator_value == "string" and not isinstance(value, list | dict):
        return ", which YAML does not read as text; put it in quotes"
    return ""


def _printable(key: Any) -> str:
    """A key as it can stand in a sentence."""
    word = str(key)
    return word if word.isprintable() and 0 < len(word) <= 60 else short_repr(key)
