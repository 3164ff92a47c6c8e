"""The results folder as a whole: whether it can be written, what killed jobs left in it, and results of other
versions."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from latentlab.runtime.errors import UserError
from latentlab.runtime.files import PARTIAL, write_text

FORMAT = 7  # increased whenever the contents of some results file change, so that older results are not misread
# Other working directories and the like.
NOT_RESULTS = {"format", "smoke", "preview", "comparison", "rebuilt", "class", "benchmark"}


def check_writable(folder: str | Path) -> None:
    """Raise UserError unless the pipeline may write its results below `folder`."""
    folder = Path(folder)
    for path in (folder, *(folder / name for name in ("results", "resources", ".snakemake"))):
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            kind = "a dangling symlink" if path.is_symlink() else "a file"
            raise UserError(f"{path}: {kind}, but a folder is needed here; remove or rename it")
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(f"{path}: read-only, but results go there; choose another folder with --directory")


def clear_partial(folder: str | Path) -> None:
    """Remove what killed jobs left unfinished below `folder`, except in the results of other working directories."""
    unfinished = [
        path
        for part in Path(folder).glob("*")
        if part.name not in NOT_RESULTS
        for path in ([part] if part.name.startswith(PARTIAL) else part.rglob(f"{PARTIAL}*"))
    ]
    for path in unfinished:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def archive_old_results(results: str | Path) -> Path | None:
    """Move results of another `FORMAT` to old-1, old-2, … inside the folder `results`.

    Returns:
        The folder that they were moved to, or None if there were none.
    """
    results = Path(results)
    results.mkdir(exist_ok=True)
    marker = results / "format"
    outputs = [
        path for path in results.iterdir() if path.name not in NOT_RESULTS and not path.name.startswith((".", "old-"))
    ]
    archive = None
    if outputs and not (marker.is_file() and marker.read_text(encoding="utf-8") == f"{FORMAT}\n"):
        numbers = [int(path.name[4:]) for path in results.glob("old-*") if path.name[4:].isdecimal()]
        archive = results / f"old-{1 + max(numbers, default=0)}"
        archive.mkdir()
        try:
            for path in outputs:
                path.rename(archive / path.name)
        except OSError:
            with suppress(OSError):  # it is not empty
                archive.rmdir()
            raise
    write_text(marker, f"{FORMAT}\n")
    return archive
