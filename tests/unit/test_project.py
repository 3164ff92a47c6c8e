"""Rules that hold all over the project: what is declared in two places agrees, and conventions are kept."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from latentlab.records.settings import ModelSettings, Settings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow/latentlab"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
CONFIG = (ROOT / "config.yaml").read_text(encoding="utf-8")
RULES = [
    rule
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for rule in re.findall(
        r"^( *rule\b[^\n]*:\n.*?)(?=\n\n\n|\Z)", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
]


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


# --- versions ---------------------------------------------------------------------------------------------------------


def locked_packages():
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\d\S+) – (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert (citation["version"], str(citation["date-released"])) == newest.groups()
    assert version == newest[1] == next(p["version"] for p in locked_packages() if p["name"] == "latentlab")


def test_the_conda_environment_has_the_locked_versions():
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [re.split(r"[>\[]", requirement)[0] for requirement in requirements]
    versions = {package["name"]: package.get("version") for package in locked_packages()}
    environment = yaml.safe_load((ROOT / "workflow/envs/latentlab.yaml").read_text(encoding="utf-8"))
    pins = environment["dependencies"][-1]["pip"]
    assert sorted(re.sub(r"\[.*\]", "", pin) for pin in pins) == sorted(f"{name}=={versions[name]}" for name in names)


def test_every_locked_package_comes_from_pypi_with_its_hash():
    packages = [package for package in locked_packages() if package["name"] != "latentlab"]
    assert len(packages) > 100
    for package in packages:
        assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(file["hash"].startswith("sha256:") for file in files), package["name"]
        assert all(file["url"].startswith("https://files.pythonhosted.org/") for file in files), package["name"]


# --- settings ---------------------------------------------------------------------------------------------------------


def test_config_yaml_holds_every_setting_and_no_other():
    assert set(yaml.safe_load(CONFIG)) == set(Settings.__struct_fields__)


@pytest.mark.parametrize("key", sorted(set(Settings.__struct_fields__) - {"models"}))
def test_every_setting_has_a_comment(key):
    line = re.search(rf"^{key}:.*", CONFIG, re.MULTILINE)
    assert line and "#" in line[0]


@pytest.mark.parametrize("key", ModelSettings.__struct_fields__)
def test_every_setting_of_a_model_is_explained(key):
    assert re.search(rf"^#   {key} ", CONFIG, re.MULTILINE)


# --- rules ------------------------------------------------------------------------------------------------------------


def rule_sections(rule):
    """Section of a rule → its lines, each with its indentation relative to the section."""
    indentation = len(rule) - len(rule.lstrip(" ")) + 4
    sections, lines = {}, []
    for line in rule.splitlines()[1:]:
        header = re.match(rf" {{{indentation}}}([a-z]+):(.*)", line)
        if header:
            lines = sections.setdefault(header[1], [header[2].strip()] if header[2].strip() else [])
        elif line.strip():
            lines.append(line[indentation + 4 :])
    return sections


def test_every_script_is_run_by_one_rule():
    scripts = [re.search(r"scripts/(\w+)\.py", " ".join(rule_sections(rule)["script"]))[1] for rule in RULES]
    assert sorted(scripts) == [path.stem for path in SCRIPTS]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.split(":")[0].split()[-1])
def test_every_rule_names_its_files_and_parameters_and_has_a_log_threads_and_a_message(rule):
    sections = rule_sections(rule)
    assert {"params", "log", "threads", "message", "script"} <= set(sections)
    assert "input" in sections or rule.startswith("rule fetch_data"), "everything begins with the data"
    assert any(line.startswith("code=") for line in sections["params"]), "its code is what it is run again for"
    for section in {"input", "output", "params"} & set(sections):
        assert sections[section], section
        for line in sections[section]:
            continuation = line.startswith(" ") or line[0] in ")]}#"
            is_named = re.match(r"\w+=", line) or re.fullmatch(r"multiext\(.*?(, \w+=\S+)+\),", line)
            assert continuation or is_named, f"{section}: {line}"


# --- safety -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=lambda path: path.stem)
def test_nothing_evaluates_what_it_reads(path):
    """No text becomes code, no pickle is opened, and no shell is given a value of the configuration."""
    calls = {"eval", "exec", "compile", "__import__", "system", "popen", "check_output", "unsafe_load", "full_load"}
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "marshal", "shelve", "joblib", "dill"}
        if isinstance(node, ast.Call):
            is_builtin = isinstance(node.func, ast.Name)
            name = node.func.id if is_builtin else getattr(node.func, "attr", None)
            is_method = name in ("compile", "eval") and not is_builtin  # re.compile, model.eval
            assert is_method or name not in calls, name
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            assert "shell" not in keywords and not (name == "load" and "allow_pickle" in keywords)


@pytest.mark.parametrize(
    "path", [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))], ids=lambda p: p.name
)
def test_no_rule_runs_a_shell_command_or_code_of_its_own(path):
    assert not re.search(r"^\s+(shell|run):", path.read_text(encoding="utf-8"), re.MULTILINE)


# --- code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_public_function_and_method_is_annotated(path):
    tree = parse(path)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for node in [*tree.body, *(member for cls in classes for member in cls.body)]:
        if isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [argument for argument in (node.args.vararg, node.args.kwarg) if argument]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not bare and node.returns, f"{node.name}: {bare or 'return'}"


# Lines with a 10 that is not the number of classes: module → parts of the lines.
OTHER_TENS = {
    "data/synthetic.py": ("between(", "draw_symmetric("),  # coordinates of the drawings, pixels of the canvas
    "figures/latent.py": ("3 * len(x) // 10",),  # the width of a corner, as a share of the plane
    "metrics/bounds.py": ("ELBO_SAMPLES = 10",),  # draws of z
    "metrics/classification.py": ("N_MISTAKES = 10",),  # images in a figure
    "metrics/latent_plane.py": ("N_PATHS, N_STEPS = 100, 10",),  # steps between two codes
    "metrics/neighbours.py": ("k: int = 10",),  # nearest codes
    "metrics/pca.py": ("OVERSAMPLING, ITERATIONS = 10, 10",),  # of the randomised algorithm
    "models/inputs.py": ("MAX_ROTATION = 10.0",),  # degrees
    "models/train.py": ("DIVERGENCE_FACTOR = 10",),  # of the loss
    "records/assignment_file.py": ("Meta(ge=10, le=128)",),  # pixels
    "records/settings.py": ("epochs: Count = 10",),  # a default
    "report/pdf.py": ("size / 10",),  # tenths of points
    "report/submission.py": ("MAX_MB = 10",),  # megabytes
    "runtime/provenance.py": ("timeout=10",),  # seconds
}


def literals(path):
    """Pairs of a number or text in the code, docstrings left out, and its line."""
    tree, lines = parse(path), path.read_text(encoding="utf-8").splitlines()
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.value, lines[node.lineno - 1].strip()


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path != PACKAGE / "records/datasets.py"],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_only_the_declarations_of_the_data_sets_know_their_names_shapes_and_numbers_of_classes(path):
    allowed = OTHER_TENS.get(path.relative_to(PACKAGE).as_posix(), ())
    for value, line in literals(path):
        if isinstance(value, str):
            assert "MNIST" not in value, line
        elif isinstance(value, int | float) and not isinstance(value, bool):
            assert value not in (784, 28), line
            assert value != 10 or any(part in line for part in allowed), line


def test_every_exception_is_needed():
    for module, parts in OTHER_TENS.items():
        lines = [line for value, line in literals(PACKAGE / module) if isinstance(value, int | float) and value == 10]
        assert all(any(part in line for line in lines) for part in parts), module
