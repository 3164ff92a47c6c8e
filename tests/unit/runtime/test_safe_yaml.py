import subprocess
import sys

import pytest

from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import MAX_BYTES, MAX_DEPTH, read_yaml


def write(folder, text):
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table_is_read_with_its_types(tmp_path):
    path = write(tmp_path, "a: 1\nb: {c: [1.5, null, true], d: 'text'}\nc: &x [1]\ne: *x\n")
    assert read_yaml(path) == {"a": 1, "b": {"c": [1.5, None, True], "d": "text"}, "c": [1], "e": [1]}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_is_an_empty_table(tmp_path, text):
    if text == "---\n":
        with pytest.raises(UserError, match="not a table of settings"):
            read_yaml(write(tmp_path, text))
    else:
        assert read_yaml(write(tmp_path, text)) == {}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{previous}'] * 10)}]\n" for previous, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1\n- 2\n", "line 1: not a table of settings"),
        ("just words", "line 1: not a table of settings"),
        ("a: 1\nb: [1, 2\nc: 3\n", "line 3: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "line 1: the key a occurs twice in one table"),
        ("m:\n  x: {p: 1, p: 2}\n", "line 2: the key p occurs twice"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not a value that a setting can have"),
        ("a: !mine 1\n", "!mine is not a value that a setting can have"),
        ("? [1, 2]\n: 3\n", "a key is not a plain word"),
        ("a: &a [*a]\n", "contains itself by an alias"),
        ("a: " + "[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5), f"nested more than {MAX_DEPTH} deep"),
        ("a: " + "[" * 50_000, f"nested more than {MAX_DEPTH} deep"),
        ("".join(f"{' ' * i}x:\n" for i in range(MAX_DEPTH + 3)), f"nested more than {MAX_DEPTH} deep"),
        (BOMB, "expand to far too many values"),
        ("a: 2024-99-99\n", "holds a value that YAML cannot read"),
        ("a: 1\nb: [0x" + "f" * 5000 + "]\n", "line 2: a number of more than 100 digits"),
        ("a: " + "9" * 5000, "line 1: a number of more than 100 digits"),
        (b"a: \xff\n", "not UTF-8 text"),
        ("a: b\x00\n", "not valid YAML"),
        ("#" * (MAX_BYTES + 1), "far too large"),
        ("__use_yte__: true\n", "__use_yte__ would let the file run programs"),
    ],
)
def test_what_is_not_a_plain_table_is_refused_in_one_sentence(tmp_path, text, sentence):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_yaml(path)
    assert str(error.value).startswith(f"{path}: ") and sentence in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: cannot be read \(No such file or directory\)"):
        read_yaml(tmp_path / "nowhere.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        read_yaml(tmp_path)


def test_every_value_but_null_can_be_read_as_the_text_that_was_typed(tmp_path):
    path = write(tmp_path, "a: 0123456\nb: {c: [1e3, yes, null, ~, 2024-01-31]}\nd:\n")
    assert read_yaml(path, as_text=True) == {
        "a": "0123456",
        "b": {"c": ["1e3", "yes", None, None, "2024-01-31"]},
        "d": None,
    }
    assert read_yaml(path)["a"] == 0o123456


def test_files_are_checked_on_the_command_line(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("a: 1\n")
    bad.write_text("- 1\n")
    command = [sys.executable, "-m", "latentlab.runtime.safe_yaml"]
    assert subprocess.run([*command, good]).returncode == 0
    process = subprocess.run([*command, good, bad], capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr.startswith(f"latentlab: {bad}: line 1: not a table of settings")
