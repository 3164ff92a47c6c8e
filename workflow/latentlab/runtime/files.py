"""Reading and writing files. Every file is written atomically: it is complete or it is not there."""

import csv
import filecmp
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # of a text that a spreadsheet calculates
PARTIAL = ".part-"  # the beginning of every unfinished file's or folder's name; these are removed when a run starts


@contextmanager
def atomic_write(path: str | Path) -> Generator[Path]:
    """Yield a path beside `path` to write to, and rename it to `path` on success.

    The temporary name has the same suffix, by which libraries choose a file format.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
        # A job of a killed run may still be running beside its repetition. If it has written the same bytes first,
        # they stay: a newer file would look like a change.
        if not (path.is_file() and filecmp.cmp(partial, path, shallow=False)):
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys: equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_yaml(path: str | Path, value: Any) -> None:
    """Write YAML with sorted keys: equal values give equal bytes."""
    import yaml

    write_text(path, yaml.safe_dump(value, sort_keys=True, allow_unicode=True, width=120))


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table; all rows have the same keys. A text that a spreadsheet would take for a formula, because it begins
    as one, has an apostrophe before it."""
    with atomic_write(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _no_formula(value) for key, value in row.items()} for row in rows)


def _no_formula(value: Any) -> Any:
    is_formula = isinstance(value, str | Path) and str(value).startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value


def read_csv(path: str | Path) -> dict[str, list[float]]:
    """The columns of a table of numbers."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in rows[0]}


def write_npz(path: str | Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Write arrays by name, without pickles or times: equal arrays give equal bytes."""
    import numpy as np

    with atomic_write(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays)


def write_png(path: str | Path, pixels: "np.ndarray") -> None:
    """Write an image (rows, columns), or in colour (rows, columns, 3), with values in [0, 1] as 8-bit PNG, pixel by
    pixel."""
    import numpy as np
    from PIL import Image

    with atomic_write(path) as partial:
        Image.fromarray((pixels * 255).round().astype(np.uint8)).save(partial)


def read_png(path: str | Path) -> "np.ndarray":
    """A grey image, uint8 (rows, columns)."""
    import numpy as np
    from PIL import Image

    return np.array(Image.open(path).convert("L"))


def write_zip(path: str | Path, members: Mapping[str, str | Path]) -> None:
    """Zip `members`, name in the archive → file, sorted and without times: equal files give equal bytes."""
    with atomic_write(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(members.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the earliest date that a zip file can hold
            archive.writestr(entry, Path(file).read_bytes(), zipfile.ZIP_DEFLATED)


def copy(source: str | Path, target: str | Path) -> None:
    """Copy a file's contents."""
    with atomic_write(target) as partial:
        shutil.copyfile(source, partial)


def with_stem_suffix(path: str | Path, suffix: str) -> Path:
    """`name-SUFFIX.ext` beside `name.ext`."""
    path = Path(path)
    return path.with_stem(f"{path.stem}-{suffix}")


def is_hidden(path: Path) -> bool:
    """Whether a file, or a folder that it lies in, is hidden; `path` is relative to the folder that is looked at."""
    return any(part.startswith(".") for part in path.parts)


def folder_state(folder: str | Path) -> str:
    """A hash (hex) of the names, sizes and times of all files in a folder, which changes when one of them does. Hidden
    files do not count: file managers write them when somebody looks into a folder."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    states = ((path.relative_to(folder), path.stat()) for path in files)
    lines = (f"{path} {state.st_size} {state.st_mtime_ns}\n" for path, state in states if not is_hidden(path))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
