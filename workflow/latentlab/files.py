"""Files that are whole or not there: everything the pipeline writes goes through `whole`."""

import csv
import filecmp
import hashlib
import json
import os
import shutil
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

from latentlab.errors import UserError

FORMAT = 1  # of everything in results/: raised when a file of it is no longer what it was, so that none is misread
NOT_MADE = {"format", "smoke", "benchmark"}  # what else lies in results/
PARTIAL = ".part-"  # every unfinished file's or folder's name begins so, and can be cleared at any start


@contextmanager
def whole(path):
    """Yield a path beside `path` to write to; on success it takes `path`'s place in one step.

    The name keeps its ending, because savers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
        # The job of a killed run may live on beside its repetition. Where the other was first with the same bytes,
        # they stay: a newer file would look like a change.
        if not (path.is_file() and filecmp.cmp(partial, path, shallow=False)):
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path, text):
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Sorted keys and no spare spaces at line ends: equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def write_zip(path, members):
    """Zip `members`, name → file; sorted and without times: equal files give equal bytes."""
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(members.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the first date that a zip can hold
            archive.writestr(entry, Path(file).read_bytes(), zipfile.ZIP_DEFLATED)


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_yaml(path, value):
    """Sorted keys: equal values give equal bytes."""
    import yaml

    write_text(path, yaml.safe_dump(value, sort_keys=True, allow_unicode=True, width=120))


def write_csv(path, rows):
    """`rows`: dictionaries that share their keys."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_csv(path):
    """A column a key, as floats."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in rows[0]}


def write_npz(path, arrays):
    """Arrays by name, without pickles; no times inside, so equal arrays give equal bytes."""
    import numpy as np

    with whole(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays)


def write_png(path, pixels):
    """A grey picture `(h, w)` of values in [0, 1] as 8-bit PNG, pixel for pixel."""
    import numpy as np
    from PIL import Image

    with whole(path) as partial:
        Image.fromarray((pixels * 255).round().astype(np.uint8)).save(partial)


def read_png(path):
    """uint8 `(h, w)`."""
    import numpy as np
    from PIL import Image

    return np.array(Image.open(path).convert("L"))


def copy(source, target):
    with whole(target) as partial:
        shutil.copyfile(source, partial)


def twin(path, mark):
    """`name-MARK.ext` beside `name.ext`."""
    path = Path(path)
    return path.with_stem(f"{path.stem}-{mark}")


def clear_partial(folder):
    """Take away what killed jobs left half-written below `folder`."""
    for path in list(Path(folder).rglob(f"{PARTIAL}*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_writable(folder):
    """Raise UserError unless the pipeline may write what it makes below `folder`."""
    for path in (Path(folder), *(Path(folder, name) for name in ("results", "resources", ".snakemake"))):
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(f"{path}: may only be read, but results go there; name another folder with --directory")


def set_aside_other_formats(results):
    """Move what the folder `results` holds of another `FORMAT` to old-1, old-2, … in it; returns that folder, or None
    if there is nothing of the kind."""
    results = Path(results)
    results.mkdir(exist_ok=True)
    marker = results / "format"
    made = [path for path in results.iterdir() if path.name not in NOT_MADE and not path.name.startswith((".", "old-"))]
    old = None
    if made and not (marker.is_file() and marker.read_text(encoding="utf-8") == f"{FORMAT}\n"):
        number = 1 + max((int(path.name[4:]) for path in results.glob("old-*") if path.name[4:].isdecimal()), default=0)
        (old := results / f"old-{number}").mkdir()
        try:
            for path in made:
                path.rename(old / path.name)
        except OSError:
            with suppress(OSError):  # it is not empty
                old.rmdir()
            raise
    write_text(marker, f"{FORMAT}\n")
    return old


def sha256(path):
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
