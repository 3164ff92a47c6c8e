import pytest

from latentlab.records.validation import first_mistake, short_repr, suggestion

SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "rate": {"type": "number", "exclusiveMinimum": 0},
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]*$"},
        "items": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        "code": {"type": "string", "pattern": "^[0-9]+$", "description": "made of digits"},
        "distinct": {"type": "array", "uniqueItems": True},
        "table": {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False},
        "choice": {"anyOf": [{"type": "integer"}, {"enum": ["all"]}, {"type": "null"}]},
        "optional": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Pair"}]},
    },
    "$defs": {
        "Pair": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "sides": {"items": {"type": "integer"}}},
            "required": ["a", "b"],
        }
    },
    "required": ["count"],
    "additionalProperties": False,
}


def test_valid_values_have_no_mistake():
    values = {
        "count": 3,
        "rate": 0.5,
        "name": "a",
        "items": [True],
        "table": {"x": 1},
        "choice": "all",
        "optional": None,
    }
    assert first_mistake(values, SCHEMA) is None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "count is missing in the top level"),
        ([], "the top level: must be a table, not []"),
        ({"count": 0}, "count: must be at least 1, not 0"),
        ({"count": 10}, "count: must be at most 9, not 10"),
        ({"count": 3.0}, "count: must be a whole number, not 3.0"),
        ({"count": True}, "count: must be a whole number, not True"),
        ({"count": 1, "rate": 0}, "rate: must be greater than 0, not 0"),
        ({"count": 1, "rate": float("inf")}, "rate: must be a number, not inf"),
        (
            {"count": 1, "rate": "1e-3"},
            "rate: must be a number, not '1e-3', which YAML reads as text: a number with an exponent needs a decimal "
            "point, as in 1.0e-3",
        ),
        ({"count": 1, "name": ""}, "name: must have at least 1 character, not ''"),
        ({"count": 1, "name": "abcdef"}, "name: must have at most 5 characters, not 'abcdef'"),
        ({"count": 1, "name": "A"}, "name: must be text that matches ^[a-z]*$, not 'A'"),
        ({"count": 1, "code": "x"}, "code: must be made of digits, not 'x'"),
        ({"count": 1, "distinct": [1, 2, 1]}, "distinct: must have each item only once, not [1, 2, 1]"),
        ({"count": 1, "items": []}, "items: must have at least 1 item, not []"),
        ({"count": 1, "items": [True] * 3}, "items: must have at most 2 items, not [True, True, True]"),
        ({"count": 1, "items": [1]}, "items.0: must be true or false, not 1"),
        ({"count": 1, "table": {"y": 1}}, "y is not a key in table; the keys are x"),
        ({"count": 1, "cuont": 1}, "cuont is not a key; did you mean count?"),
        ({"count": 1, "choice": "some"}, "choice: must be a whole number or all or null, not 'some'"),
        ({"count": "3"}, "count: must be a whole number, not '3', which is text because of its quotes; leave them out"),
        (
            {"count": 1, "name": False},
            "name: must be text, not False, which YAML does not read as text; put it in quotes",
        ),
        ({"count": 1, "optional": 3}, "optional: must be a table, not 3"),
        ({"count": 1, "optional": {}}, "a is missing in optional"),
        (
            {"count": 1, "optional": {"a": 1, "b": "c", "sides": [0.5, 0.5]}},
            "optional.sides.0: must be a whole number, not 0.5",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_key_requirement_and_value(values, sentence):
    assert first_mistake(values, SCHEMA) == sentence


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000, [[1] * 100] * 100, 10**400, [10**400], {str(i): i for i in range(1000)}],
    ids=["text", "lists", "number", "number in a list", "table"],
)
def test_a_sentence_stays_short_however_large_the_value_is(value):
    assert len(short_repr(value)) < 400
    assert len(first_mistake({"count": value}, SCHEMA)) < 500


def test_a_key_that_cannot_be_printed_is_quoted():
    assert first_mistake({"count": 1, "a\nb": 1}, SCHEMA).startswith("'a\\nb' is not a key")


def test_a_suggestion_is_the_closest_name_or_all_of_them():
    assert suggestion("epoch", ["epochs", "seed"]) == "did you mean epochs?"
    assert suggestion("xyz", ["epochs", "seed"]) == "the keys are epochs, seed"
