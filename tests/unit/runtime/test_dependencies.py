from pathlib import Path

import pytest

from latentlab.runtime import dependencies
from latentlab.runtime.dependencies import PACKAGE, all_modules, imported_modules

ROOT = Path(__file__).parents[3]


def dependencies_of(folder, text):
    """The modules that a script with this text depends on, relative to the package; without __init__.py files."""
    script = folder / "script.py"
    script.write_text(text)
    dependencies._imports.cache_clear()
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
    ],
)
def test_every_form_of_import_is_followed(package, text):
    assert dependencies_of(package, text) == ["b/c.py", "e.py"]


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
    assert dependencies_of(tmp_path, text) == ["models/objective.py", "runtime/errors.py", "runtime/jobs.py"]
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
