"""Configurations that nobody meant: accepted ones can be planned, refused ones name the key, and none takes long."""

import copy
import random
import time

import pytest
import yaml
from elsewhere import ROOT, sentences
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from latentlab import handins, settings
from latentlab.errors import UserError

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
HANDINS = {
    name: handins.load(ROOT / "templates", name, ROOT / "workflow/schemas/handin.schema.yaml")
    for name in handins.names(ROOT / "templates")
}
ODD = [
    *(None, True, -1, 0, 1, 2, 10**30, 0.5, -0.0, 1e-320, float("inf"), float("nan")),
    *("", "; rm -rf /", "../..", "1e-3", "ünï🦆", "x" * 5000, "{{ 1 }}", "lab8", "vae", "gaussian"),
    *([], {}, [[]], {"a": {}}, [1, "a"], [2, 2], [10**6]),
]
anything = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def places(config, above=()):
    """Where something stands in a configuration: every table's keys and every list's positions."""
    for key, value in config.items() if isinstance(config, dict) else enumerate(config):
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from places(value, (*above, key))


def put(config, place, value):
    *path, last = place
    for key in path:
        config = config[key]
    config[last] = value


@st.composite
def mutated(draw):
    """The shipped configuration with one to three values, known or new, changed to anything or taken away."""
    config = copy.deepcopy(CONFIG)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(config))))
        kind = draw(st.sampled_from(["change", "change", "new", "gone"]))
        if kind == "change":
            put(config, place, copy.deepcopy(draw(anything)))
        elif kind == "new" and isinstance(place[-1], str):
            put(config, (*place[:-1], draw(st.text(max_size=12))), copy.deepcopy(draw(anything)))
        elif kind == "gone" and isinstance(place[-1], str):
            *path, last = place
            inner = config
            for key in path:
                inner = inner[key]
            inner.pop(last, None)
    return config


def plan(config):
    """All that is asked of a configuration before jobs are planned."""
    settings.check(config, SCHEMA)
    for name, spec in HANDINS.items():
        entries = {m["entry"]: settings.resolve(config, SCHEMA, m["entry"]) for m in handins.all_models(spec).values()}
        handins.check(name, spec, entries, settings.families())


def judge(config):
    """Whether it is accepted; what is refused is refused at once, in one short sentence that names a key."""
    start = time.process_time()
    try:
        plan(config)
    except UserError as error:
        sentence = str(error)
        assert "\n" not in sentence and len(sentence) < 1000 and sentence.startswith("config: "), sentence
        return sentence
    finally:
        assert time.process_time() - start < 2
    return None


COUNT = {"tried": 0}


@given(mutated())
@tries(max_examples=2000, deadline=None, database=None)
def test_mutated_configurations(config):
    COUNT["tried"] += 1
    judge(config)


@given(anything)
@tries(max_examples=300, deadline=None, database=None)
def test_random_configurations(config):
    if isinstance(config, dict):  # as Snakemake asks for itself
        COUNT["tried"] += 1
        assert judge(config)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@tries(max_examples=500, deadline=None, database=None)
def test_random_files(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "random.yaml"
    path.write_bytes(raw)
    try:
        settings.look_through(path)
    except UserError as error:
        assert "\n" not in str(error) and str(path) in str(error)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(9))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = {
    "empty": (b"", None),
    "only a comment": (b"# nothing\n", None),
    "a list": (b"- 1\n", "line 1: not a table of knobs"),
    "half a table": (b"a: [1,\n", "not YAML"),
    "tabs": (b"\tepochs: 3\n", "line 1: not YAML"),
    "a key twice": (b"epochs: 3\nmodels: {a: {family: vae}, a: {family: vae}}\n", "line 2: a stands there twice"),
    "a YAML bomb": (LAUGHS.encode(), "stand for far more"),
    "a table in itself": (b"a: &a {b: *a}\n", "holds itself"),
    "ten megabytes": (b"title: " + b"x" * 10_000_000, "200,000 bytes is far more"),
    "Latin-1": ("title: Übung".encode("latin1"), "not a text in UTF-8"),
    "a NUL": (b"title: a\0b", "not YAML"),
    "a Python object": (b"title: !!python/object/apply:os.system [touch pwned]", "is not a value"),
    "for Snakemake to run": (
        b"<<: {__use_yte__: true}\ntitle: ?open('pwned', 'w').close() or 'x'\n",
        "__use_yte__ would",
    ),
    "a day that there is not": (b"title: 2024-02-30\n", "a value that YAML cannot read"),
    "five hundred lists in each other": (b"title: " + b"[" * 500 + b"]" * 500, "within tables"),
    "a list as a key": (b"? [a]\n: 3\n", "not a plain word"),
    "a folder": (None, "cannot be read (Is a directory)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_configuration_file_of_another_kind(kind, tmp_path, told):
    raw, sentence = FILES[kind]
    path = tmp_path / "config.yaml"
    path.mkdir() if raw is None else path.write_bytes(raw)
    if sentence is None:
        assert settings.look_through(path) is False
        return
    with pytest.raises(UserError) as error:
        settings.look_through(path)
    assert sentence in str(error.value) and str(path) in str(error.value)
    told(f"config.yaml is {kind}" if kind.startswith(("a ", "half")) else f"config.yaml: {kind}", 1,
         str(error.value).replace(str(path), "config.yaml"))  # fmt: skip


@pytest.mark.long
def test_twenty_through_the_command_line(elsewhere, told):
    """A fixed choice of what the tests above try: it ends in a plan, or in a sentence."""
    chance, planned, refused = random.Random(0), 0, []
    all_places = list(places(CONFIG))
    written = {kind: raw for kind, (raw, _) in FILES.items() if raw is not None}
    for kind, raw in written.items():
        (elsewhere.folder / "config.yaml").write_bytes(raw)
        done = elsewhere.run("-n")
        assert not (elsewhere.folder / "pwned").exists(), kind
        assert bool(done.returncode) == bool(sentences(done)), (kind, done.stdout[-2000:])
    while planned + len(refused) < 20:
        own = {}
        place = chance.choice(all_places)
        if any(isinstance(key, int) for key in place):
            continue
        for depth in range(1, len(place)):
            put(own, place[:depth], {})
        put(own, place, chance.choice(ODD[1:]))
        (elsewhere.folder / "config.yaml").write_text(yaml.safe_dump(own, allow_unicode=True))
        start = time.monotonic()
        done = elsewhere.run("-n")
        assert time.monotonic() - start < 60
        said = sentences(done)
        assert bool(done.returncode) == bool(said), (own, done.stdout[-3000:])
        planned += done.returncode == 0
        refused += said
    assert planned and refused
    told(f"random and mutated configurations ({COUNT['tried']} in process)", 20 + len(written),
         f"{planned} were planned; of the others, for instance: {min(refused, key=len)}")  # fmt: skip
