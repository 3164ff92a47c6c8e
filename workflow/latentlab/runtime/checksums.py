"""The SHA-256 of everything that jobs make, recorded when it is made, so that damage is noticed later.

`python -m latentlab.runtime.checksums`, or `./run check`, compares all files of a working directory with it.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from latentlab.runtime.files import sha256, write_text

FOLDER = Path("results/checksums")  # in the working directory; it has a file for each, named after it
SUFFIX = ".sha256"
REMEDY = "remove it and run the same command again"


def record_checksums(paths: Iterable[str | Path]) -> None:
    """Record files (relative to the working directory) as they are now."""
    for path in paths:
        write_text(_record(path), f"{sha256(path)}  {path}\n")


def damaged_files(paths: Iterable[str | Path]) -> Iterator[str]:
    """A sentence for each of the files that is not as it was recorded. One that never was, such as a source, is left
    out."""
    for path in map(Path, paths):
        try:
            recorded = _record(path).read_text(encoding="utf-8")[:64]
        except (OSError, UnicodeDecodeError):
            continue
        if not path.is_file():
            yield f"{path}: missing, although it was made; run the same command again"
        elif sha256(path) != recorded:
            yield f"{path}: damaged or changed since it was made; {REMEDY}"


def recorded_files() -> list[Path]:
    """Every file that was recorded, in order."""
    records = (path.relative_to(FOLDER) for path in FOLDER.rglob(f"*{SUFFIX}"))
    return sorted(path.with_name(path.name.removesuffix(SUFFIX)) for path in records)


def _record(path: str | Path) -> Path:
    path = Path(path)
    return FOLDER / path.with_name(path.name + SUFFIX)


def main() -> None:
    files = recorded_files()
    damaged = list(damaged_files(files))
    if not files:
        sys.exit("latentlab: nothing has been made here that could be checked: run ./run report first")
    if damaged:
        sys.exit("\n".join(f"latentlab: {sentence}" for sentence in damaged))
    print(f"latentlab: all {len(files)} files are as they were made", file=sys.stderr)


if __name__ == "__main__":
    main()
