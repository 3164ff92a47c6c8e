"""Where a result comes from: code, versions, commit."""

import ast
import hashlib
import json
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent


def imported_modules(script):
    """The files of this package that `script` imports, directly or through one another, sorted.

    What a job imports belongs to its inputs: an edited module then reruns the jobs that use it and no others.
    """
    found, waiting = set(), [Path(script)]
    while waiting:
        new = set(_imports(waiting.pop())) - found
        found |= new
        waiting += new
    return sorted(str(path) for path in found)


def all_modules():
    """The files of this package, sorted: the inputs of what hands them on."""
    return sorted(map(str, PACKAGE.glob("*.py")))


@cache  # every script asks, and most of the modules are the same
def _imports(path):
    return list(_imported(path))


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE.name + "."):
            names = [node.module.split(".")[1]]
        else:
            continue
        yield from (PACKAGE / f"{name}.py" for name in names if (PACKAGE / f"{name}.py").is_file())


def digest(value):
    """One SHA-256 (hex) for anything that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def versions(*packages):
    """Python's version and those of `packages`, by name."""
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def commit():
    """The short hash of the code's commit, "+" after it if files differ from it; "unknown" outside a git checkout."""
    try:
        return _git("rev-parse", "--short=10", "HEAD") + ("+" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words):
    command = ["git", "-C", str(PACKAGE), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
