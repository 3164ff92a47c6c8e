from typing import Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentlab.records.base import Record
from latentlab.records.metrics import METRICS_FILES, MeanStd, NeighbourBaseline
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
st.register_type_strategy(  # settings have limits, which a record from a file obeys
    ModelSettings,
    st.builds(
        ModelSettings,
        latent_dim=st.integers(1, 4096),
        hidden=st.lists(st.integers(1, 16384)).map(tuple),
        sigma=st.floats(0.01, 100),
        beta=st.floats(0, 100),
        epochs=st.integers(1, 1000),
        batch_size=st.integers(1, 1000),
        learning_rate=st.floats(1e-6, 1),
        weight_decay=st.floats(0, 1),
        seed=st.integers(0, 2**32 - 1),
    ),
)


@pytest.mark.parametrize("file", METRICS_FILES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_metrics_record_is_the_same_when_it_is_read_again(file, data, tmp_path):
    record = data.draw(st.from_type(METRICS_FILES[file]))
    record.write(tmp_path / file)
    assert METRICS_FILES[file].read(tmp_path / file) == record


def test_equal_records_give_equal_bytes(tmp_path):
    class Versions(Record, frozen=True):
        of: dict[str, str]

    Versions(of={"torch": "2", "numpy": "1"}).write(tmp_path / "a.json")
    Versions(of={"numpy": "1", "torch": "2"}).write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


class Shape(Record, frozen=True):
    sides: tuple[int, ...]
    kind: Literal["plain", "fancy"] = "plain"
    note: str | None = None


def test_fields_with_their_default_are_left_out_of_files(tmp_path):
    Shape(sides=(1, 2)).write(tmp_path / "shape.json")
    assert (tmp_path / "shape.json").read_text() == '{\n  "sides": [\n    1,\n    2\n  ]\n}\n'
    assert Shape.read(tmp_path / "shape.json") == Shape(sides=(1, 2), kind="plain", note=None)
    assert Shape(sides=(), kind="fancy").to_dict() == {"sides": (), "kind": "fancy"}


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError):
        Shape(sides=(1,)).sides = (2,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Expecting value"),
        (b'{"sides": [1, 2]', "delimiter"),
        (b"\0" * 100, "Expecting value"),
        (b"\xff\xfe{}", "codec can't decode"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"{}", "missing required field `sides`"),
        (b'{"sides": [1], "corners": 4}', "unknown field `corners`"),
        (b'{"sides": [1, "2"]}', "Expected `int`, got `str` - at `$.sides[1]`"),
        (b'{"sides": [1.5]}', "Expected `int`, got `float` - at `$.sides[0]`"),
        (b'{"sides": [1], "kind": "odd"}', "Invalid enum value 'odd' - at `$.kind`"),
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(text, reason, tmp_path):
    path = tmp_path / "shape.json"
    path.write_bytes(text)
    with pytest.raises(UserError) as error:
        Shape.read(path)
    message = str(error.value)
    assert message.startswith(f"{path}: damaged or made by another version (") and reason in message
    assert message.endswith("; delete it and run again") and "\n" not in message


@pytest.mark.parametrize("file", METRICS_FILES)
def test_a_metrics_file_of_another_version_is_named(file, tmp_path):
    (tmp_path / file).write_text('{"of": "another version"}')
    with pytest.raises(UserError, match=f"{file}: damaged or made by another version"):
        METRICS_FILES[file].read(tmp_path / file)


def test_values_of_the_wrong_type_make_no_record():
    with pytest.raises(msgspec.ValidationError):
        NeighbourBaseline.from_dict({"accuracy": "high", "k": 5})
    with pytest.raises(msgspec.ValidationError):
        NeighbourBaseline.from_dict({"accuracy": 0.9})
    assert MeanStd.from_dict({"mean": [1, 2], "std": [0, 0]}) == MeanStd(mean=(1.0, 2.0), std=(0.0, 0.0))
