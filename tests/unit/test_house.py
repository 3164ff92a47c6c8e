"""What is said twice says the same, and every rule and knob is told of."""

import ast
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


def test_nothing_runs_what_it_reads():
    """No text becomes code, no pickle is opened, and no shell sees a value of the configuration."""
    calls = {"eval", "exec", "compile", "__import__", "system", "popen", "check_output", "unsafe_load", "full_load"}
    for path in [*(ROOT / "workflow/latentlab").glob("*.py"), *(ROOT / "workflow/scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "marshal", "shelve", "joblib", "dill"}, path
            if isinstance(node, ast.Call):
                own = isinstance(node.func, ast.Name)
                name = node.func.id if own else getattr(node.func, "attr", None)
                safe = name in ("compile", "eval") and not own  # re.compile, model.eval
                assert safe or name not in calls, f"{path}: {name}"
                keys = {key.arg: key.value for key in node.keywords}
                assert "shell" not in keys and not (name == "load" and "allow_pickle" in keys), path
    for path in ROOT.rglob("*.smk"):
        if ".venv" not in path.parts:
            assert not re.search(r"^\s+(shell|run):", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_every_locked_package_comes_from_pypi_with_its_hash():
    for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        if one["name"] == "latentlab":
            continue
        assert one["source"] == {"registry": "https://pypi.org/simple"}, one["name"]
        files = [*one.get("wheels", []), *([one["sdist"]] if "sdist" in one else [])]
        assert files and all(file["hash"].startswith("sha256:") for file in files), one["name"]
        assert all(file["url"].startswith("https://files.pythonhosted.org/") for file in files), one["name"]
