"""Configurations that nobody would write: what is accepted can be planned; what is refused is refused quickly, in one
sentence that names the key."""

import copy
import random
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import ROOT, user_messages

from latentlab.records.assignment_file import assignment_names
from latentlab.records.assignments import load_assignment
from latentlab.records.config import check_config
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

CONFIG = read_yaml(ROOT / "config.yaml")
UNUSUAL_VALUES = [
    *(None, True, -1, 0, 1, 2, 10**30, 0.5, -0.0, 1e-320, float("inf"), float("nan")),
    *("", "; rm -rf /", "../..", "1e-3", "ünï🦆", "x" * 5000, "{{ 1 }}", "lab8", "vae", "gaussian"),
    *([], {}, [[]], {"a": {}}, [1, "a"], [2, 2], [10**6]),
]
any_value = st.sampled_from(UNUSUAL_VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
checked = {"configurations": 0}


def paths_in(config, parents=()):
    """The path of every value in a configuration: the keys of tables and positions in lists that lead to it."""
    for key, value in config.items() if isinstance(config, dict) else enumerate(config):
        yield (*parents, key)
        if isinstance(value, dict | list):
            yield from paths_in(value, (*parents, key))


def container_of(config, path):
    """The table or list that holds the value at `path`."""
    for key in path[:-1]:
        config = config[key]
    return config


@st.composite
def mutated_configurations(draw):
    """The shipped configuration with one to three values changed, added or removed."""
    config = copy.deepcopy(CONFIG)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths_in(config))))
        container = container_of(config, path)
        mutation = draw(st.sampled_from(["change", "change", "add", "remove"]))
        if mutation == "change":
            container[path[-1]] = copy.deepcopy(draw(any_value))
        elif mutation == "add" and isinstance(path[-1], str):
            container[draw(st.text(max_size=12))] = copy.deepcopy(draw(any_value))
        elif mutation == "remove" and isinstance(path[-1], str):
            container.pop(path[-1], None)
    return config


def plan(config):
    """All that the workflow requires of a configuration before it plans jobs."""
    check_config(config)
    for name in assignment_names(ROOT / "templates"):
        load_assignment(ROOT / "templates", name, config)


def refusal(config):
    """The sentence with which a configuration is refused, or None. It has to come quickly, be short and name a key."""
    checked["configurations"] += 1
    start = time.process_time()
    try:
        plan(config)
    except UserError as error:
        message = str(error)
        assert "\n" not in message and len(message) < 1000 and message.startswith("config: "), message
        return message
    finally:
        assert time.process_time() - start < 2
    return None


@given(mutated_configurations())
@settings(max_examples=2000, deadline=None, database=None)
def test_mutated_configurations_are_planned_or_refused(config):
    refusal(config)


@given(any_value)
@settings(max_examples=300, deadline=None, database=None)
def test_random_configurations_are_refused(config):
    if isinstance(config, dict):  # Snakemake itself refuses anything else
        assert refusal(config)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=500, deadline=None, database=None)
def test_random_files_are_read_or_refused(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "random.yaml"
    path.write_bytes(raw)
    try:
        assert isinstance(read_yaml(path), dict)
    except UserError as error:
        assert "\n" not in str(error) and str(path) in str(error)


YAML_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(f'*{previous}' for _ in range(9))}]\n"
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = {  # kind → contents, and a part of the message; None: an empty configuration
    "empty": (b"", None),
    "only a comment": (b"# nothing\n", None),
    "a list": (b"- 1\n", "line 1: not a table of settings"),
    "half a table": (b"a: [1,\n", "not valid YAML"),
    "tabs": (b"\tepochs: 3\n", "line 1: not valid YAML"),
    "a key twice": (b"epochs: 3\nmodels: {a: {family: vae}, a: {family: vae}}\n", "line 2: the key a occurs twice"),
    "a YAML bomb": (YAML_BOMB.encode(), "expand to far too many values"),
    "a table that contains itself": (b"a: &a {b: *a}\n", "contains itself"),
    "ten megabytes": (b"title: " + b"x" * 10_000_000, "larger than 200,000 bytes"),
    "Latin-1": ("title: Übung".encode("latin1"), "not UTF-8 text"),
    "a NUL": (b"title: a\0b", "not valid YAML"),
    "a Python object": (b"title: !!python/object/apply:os.system [touch pwned]", "is not a value"),
    "a program for Snakemake": (
        b"<<: {__use_yte__: true}\ntitle: ?open('pwned', 'w').close() or 'x'\n",
        "__use_yte__ would",
    ),
    "a date that does not exist": (b"title: 2024-02-30\n", "a value that YAML cannot read"),
    "five hundred nested lists": (b"title: " + b"[" * 500 + b"]" * 500, "nested more than 20 deep"),
    "a list as a key": (b"? [a]\n: 3\n", "not a plain word"),
    "a folder": (None, "cannot be read (Is a directory)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_configuration_is_refused(kind, tmp_path, record_fault):
    raw, expected = FILES[kind]
    path = tmp_path / "config.yaml"
    path.mkdir() if raw is None else path.write_bytes(raw)
    if expected is None:
        assert read_yaml(path) == {}
        return
    with pytest.raises(UserError) as error:
        read_yaml(path)
    message = str(error.value)
    assert expected in message and str(path) in message
    record_fault(f"config.yaml: {kind}", 1, message.replace(str(path), "config.yaml"))


@pytest.mark.long
def test_configurations_on_the_command_line_are_planned_or_refused(working_directory, record_fault):
    """All files of the test above, and twenty configurations of a fixed random choice."""
    config_path = working_directory.folder / "config.yaml"
    contents = {kind: raw for kind, (raw, _) in FILES.items() if raw is not None}
    for kind, raw in contents.items():
        config_path.write_bytes(raw)
        process = working_directory.snakemake("-n")
        assert not (working_directory.folder / "pwned").exists(), kind
        assert bool(process.returncode) == bool(user_messages(process)), (kind, process.stdout[-2000:])
    rng, planned, refusals = random.Random(0), 0, []
    paths = list(paths_in(CONFIG))
    while planned + len(refusals) < 20:
        path = rng.choice(paths)
        if any(isinstance(key, int) for key in path):
            continue
        config = rng.choice(UNUSUAL_VALUES[1:])
        for key in reversed(path):
            config = {key: config}
        config_path.write_text(yaml.safe_dump(config, allow_unicode=True))
        start = time.monotonic()
        process = working_directory.snakemake("-n")
        assert time.monotonic() - start < 60
        messages = user_messages(process)
        assert bool(process.returncode) == bool(messages), (config, process.stdout[-3000:])
        planned += process.returncode == 0
        refusals += messages
    assert planned and refusals
    record_fault(
        f"random and mutated configurations ({checked['configurations']} in process)",
        20 + len(contents),
        f"{planned} were planned; a refusal, for example: {min(refusals, key=len)}",
    )
