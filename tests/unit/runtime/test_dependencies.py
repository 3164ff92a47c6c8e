from pathlib import Path

import pytest

from latentlab.runtime import dependencies
from latentlab.runtime.dependencies import PACKAGE, all_modules, code_digest, imported_modules
from latentlab.runtime.errors import UserError

ROOT = Path(__file__).parents[3]


def dependencies_of(folder, text):
    """The modules that a script with this text depends on, relative to the package; without __init__.py files."""
    script = folder / "script.py"
    script.write_text(text)
    for function in (dependencies._parse, dependencies._code, dependencies._imports):
        function.cache_clear()
    modules = [Path(path).relative_to(dependencies.PACKAGE).as_posix() for path in imported_modules(script)]
    return [module for module in modules if not module.endswith("__init__.py")]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package a with the modules a/b/c.py, a/b/d.py and a/e.py, of which c imports e."""
    folder = tmp_path / "a"
    (folder / "b").mkdir(parents=True)
    for name in ("__init__.py", "b/__init__.py", "b/d.py", "e.py"):
        (folder / name).write_text("")
    (folder / "b/c.py").write_text("import a.e\nname = 1\n")
    (folder / "relative.py").write_text("from .b.c import name\n")
    monkeypatch.setattr(dependencies, "PACKAGE", folder)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "import a.b.c",
        "import a.b.c as x",
        "import os, a.b.c",
        "from a.b import c",
        "from a.b import c as x",
        "from a.b.c import name",
        "from a.b.c import *",
        "def f():\n    from a.b.c import name",
        "if True:\n    import a.b.c",
        "import importlib\nimportlib.import_module('a.b.c')",
        "__import__('a.b.c')",
        "import a.relative",
    ],
)
def test_every_form_of_import_is_followed(package, text):
    assert dependencies_of(package, text) == ["b/c.py", "e.py"] + ["relative.py"] * ("relative" in text)


@pytest.mark.parametrize("text", ["from . import c", "from .c import name", "from ..b import c", "from .. import b, e"])
def test_relative_imports_count_from_their_package(package, text):
    (package / "a/b/d.py").write_text(text)
    assert dependencies_of(package, "import a.b.d") == [*["b/c.py"] * ("c" in text), "b/d.py", "e.py"]


def test_an_asterisk_imports_the_modules_that_a_package_exports(package):
    (package / "a/b/__init__.py").write_text('__all__ = ["c"]\n')
    assert dependencies_of(package, "from a.b import *") == ["b/c.py", "e.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nimport a.x", "script.py, line 2: there is no module a.x"),
        ("from a.x import c", "there is no module a.x"),
        ("from a.b import x", "there is no module a.b.x"),
        ("import a.b.c.d", "there is no module a.b.c.d"),
        ("from . import c", "a relative import leaves the package a"),
        ("import importlib\nimportlib.import_module(name)", "line 2: name the module in an import statement"),
        ("import a.b.c.", "script.py, line 1: invalid syntax"),
    ],
)
def test_an_import_that_cannot_be_followed_is_one_sentence(package, text, message):
    with pytest.raises(UserError, match=message):
        dependencies_of(package, text)


def test_names_that_a_package_defines_are_no_modules(package):
    (package / "a/b/__init__.py").write_text("import a.e as f\nx = 1\ndef g(): ...\n")
    assert dependencies_of(package, "from a.b import f, g, x") == ["e.py"]


CODE = '''"""Docstring."""
X = 1
"""Of an attribute."""


def f():  # comment
    """Docstring."""
    return "text"
'''


def digest_of(folder, text):
    dependencies_of(folder, text)
    return code_digest([folder / "script.py"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# comment", "# another"),
        ("  # comment", ""),
        ("Docstring", "Other"),
        ("Of an", "Of the"),
        ("X = 1", "X = (\n    1\n)"),
        ('"text"', "'text'"),
    ],
)
def test_comments_docstrings_and_layout_are_no_code(package, old, new):
    assert digest_of(package, CODE) == digest_of(package, CODE.replace(old, new))


@pytest.mark.parametrize(("old", "new"), [("X = 1", "X = 2"), ('"text"', '"texts"'), ("def f", "def g")])
def test_everything_else_is_code(package, old, new):
    assert digest_of(package, CODE) != digest_of(package, CODE.replace(old, new))


def test_a_package_runs_its_init_file_and_imports_no_module_by_itself(package):
    (package / "a/b/__init__.py").write_text("import a.e\n")
    assert dependencies_of(package, "import a.b") == ["e.py"]
    assert dependencies_of(package, "import a") == []
    assert imported_modules(package / "script.py") == [str(package / "a/__init__.py")]


def test_what_is_not_of_this_package_is_left_out(package):
    assert dependencies_of(package, "import torch\nimport ab.b.c\nfrom os import path\n# import a.b.c") == []


def test_modules_that_import_each_other_are_listed_once(package):
    (package / "a/e.py").write_text("import a.b.c\n")
    assert dependencies_of(package, "import a.e") == ["b/c.py", "e.py"]


def test_the_modules_of_this_package_are_found_through_one_another(tmp_path):
    text = "import torch\nfrom latentlab.models import objective\nfrom latentlab.runtime.jobs import job\n"
    jobs = [f"runtime/{name}.py" for name in ("checksums", "errors", "files", "jobs")]
    assert dependencies_of(tmp_path, text) == ["models/objective.py", *jobs]
    assert dependencies_of(tmp_path, "def f():\n    from latentlab.metrics.grids import grid_axis\n") == [
        "metrics/grids.py"
    ]
    training = dependencies_of(tmp_path, "from latentlab.models.train import train_model\n")
    assert {"models/networks.py", "models/likelihoods.py", "records/settings.py", "runtime/files.py"} < set(training)
    assert not [module for module in training if module.startswith(("metrics", "figures", "report"))]


@pytest.mark.parametrize("script", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem)
def test_every_script_depends_on_modules_that_exist(script):
    modules = imported_modules(script)
    assert modules and set(modules) <= set(all_modules())
    assert str(PACKAGE / "runtime/jobs.py") in modules
