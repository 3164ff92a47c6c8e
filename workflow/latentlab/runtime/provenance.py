"""Where a result comes from: the commit, the versions of packages, and digests."""

import hashlib
import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
NOT_CODE = ("config.yaml", "*.md", "*.markdown", "*.txt")  # at the top of the repository


def digest(value: Any) -> str:
    """One SHA-256 (hex) of anything that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Python's version and those of `packages`, by name."""
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def commit() -> str:
    """The short hash of the code's commit, followed by "+" if files differ from it; "unknown" if the project is not a
    git checkout of its own, even if it lies inside another repository. Settings and texts of a user are no code."""
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != REPOSITORY.resolve():
            return "unknown"
        changes = _git("status", "--porcelain", "--", ".", *(f":(exclude,glob){pattern}" for pattern in NOT_CODE))
        return _git("rev-parse", "--short=10", "HEAD") + ("+" if changes else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*arguments: str) -> str:
    # git refuses a checkout that another user owns unless it is declared safe; the code of this one is running anyway.
    command = ["git", "-C", str(REPOSITORY), "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
