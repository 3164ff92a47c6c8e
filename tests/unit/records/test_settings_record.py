"""The records of the settings: which values they allow, and what follows from them."""

import msgspec
import pytest

from latentlab.records.settings import ModelSettings, Settings, settings_schema


def test_the_schema_knows_every_setting_and_no_other_key():
    schema = settings_schema()
    definitions = schema["$defs"]
    assert set(definitions["Settings"]["properties"]) == set(Settings.__struct_fields__)
    assert set(definitions["Settings"]["required"]) == set(Settings.__struct_fields__)
    assert set(definitions["ModelSettings"]["properties"]) == set(ModelSettings.__struct_fields__)
    assert definitions["ModelSettings"]["required"] == ["family"]
    assert all(definitions[name]["additionalProperties"] is False for name in ("Settings", "ModelSettings", "Author"))


def test_settings_are_stored_with_their_defaults():
    assert set(ModelSettings(family="vae").to_dict()) == set(ModelSettings.__struct_fields__)


@pytest.mark.parametrize(
    ("settings", "normalised"),
    [
        ({}, False),
        ({"binarise": "training"}, False),
        ({"binarise": True}, True),
        ({"likelihood": "gaussian"}, True),
    ],
)
def test_cross_entropy_on_grey_pixels_is_not_a_normalised_likelihood(settings, normalised):
    assert ModelSettings(family="vae", **settings).normalised_likelihood is normalised


@pytest.mark.parametrize(
    "values",
    [{"latent_dim": 0}, {"sigma": 0}, {"hidden": [0]}, {"beta": -1}, {"binarise": "yes"}, {"seed": 2**32}, {"x": 1}],
)
def test_values_beyond_the_limits_make_no_record(values):
    with pytest.raises(msgspec.ValidationError):
        ModelSettings.from_dict({"family": "vae"} | values)
