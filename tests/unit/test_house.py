"""What is said twice says the same, and every rule and knob is told of."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
KNOBS = (ROOT / "config.yaml").read_text()
RULES = "\n\n\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))


def test_conda_s_versions_are_the_lock_s():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {one["name"]: one.get("version") for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    names = [re.split("[>\\[]", line)[0] for line in wanted]
    pins = yaml.safe_load((ROOT / "workflow/envs/latentlab.yaml").read_text())["dependencies"][-1]["pip"]
    assert sorted(re.sub(r"\[.*\]", "", pin) for pin in pins) == sorted(f"{name}=={locked[name]}" for name in names)


def test_every_knob_is_there_and_has_its_comment():
    assert set(yaml.safe_load(KNOBS)) == set(SCHEMA["properties"])
    for key in set(SCHEMA["properties"]) - {"models"}:
        line = re.search(rf"^{key}:.*", KNOBS, re.MULTILINE)[0]
        assert "#" in line, key
    for key in SCHEMA["$defs"]["model"]["properties"]:
        assert re.search(rf"^#   {key} ", KNOBS, re.MULTILINE), key


@pytest.mark.parametrize("rule", re.findall(r"^ *(rule\b.*?:\n.*?)(?=\n\n\n|\Z)", RULES, re.DOTALL | re.MULTILINE))
def test_every_rule_says_what_it_reads_writes_and_does(rule):
    for part in ("input", "log", "threads", "message", "script"):
        assert re.search(rf"^ *{part}:", rule, re.MULTILINE), part
    for part in re.findall(r"(?:input|output|params):\n(.*?)(?=\n *[a-z]+:)", rule, re.DOTALL):
        assert re.match(r" *\w+=", part), "by name"
