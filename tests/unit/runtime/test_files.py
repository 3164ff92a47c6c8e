import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from latentlab.runtime.files import (
    PARTIAL,
    atomic_write,
    copy,
    folder_state,
    read_csv,
    read_json,
    read_png,
    sha256,
    with_stem_suffix,
    write_csv,
    write_json,
    write_npz,
    write_png,
    write_text,
    write_yaml,
    write_zip,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError):
        write_json(path, {"a": float("nan")})
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1} and [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_file_is_not_there_before_it_is_complete(tmp_path):
    path = tmp_path / "folder/x.json"
    with atomic_write(path) as partial:
        partial.write_text("text")
        assert not path.exists() and partial.name.startswith(PARTIAL) and partial.suffix == path.suffix
    assert path.read_text() == "text" and not partial.exists()


def test_equal_bytes_are_not_written_again(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, 1)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_json(path, 1)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_equal_values_give_equal_bytes_whatever_the_order_of_their_keys(tmp_path):
    for write in (write_json, write_yaml):
        write(tmp_path / "a", {"x": 1, "y": {"p": [1, 2], "q": "ü"}})
        write(tmp_path / "b", {"y": {"q": "ü", "p": [1, 2]}, "x": 1})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
        assert "ü" in (tmp_path / "a").read_text(encoding="utf-8")
        assert yaml.safe_load((tmp_path / "a").read_text(encoding="utf-8")) == {"x": 1, "y": {"p": [1, 2], "q": "ü"}}


def test_a_table_is_the_same_when_it_is_read_again(tmp_path):
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 1 / 3}]
    write_csv(tmp_path / "t.csv", rows)
    assert read_csv(tmp_path / "t.csv") == {"epoch": [1, 2], "loss": [0.1, 1 / 3]}


def test_no_text_in_a_table_is_a_formula_to_a_spreadsheet(tmp_path):
    texts = ["=HYPERLINK(1)", "+1", "-1", "@A1", "\t=1"]
    write_csv(tmp_path / "t.csv", [{"name": text, "file": Path(f"{text}.pdf"), "loss": -1.5} for text in texts])
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [f"'{text}" for text in texts]
    assert all(row["file"].startswith("'") and row["loss"] == "-1.5" for row in rows)


def test_arrays_are_the_same_when_they_are_read_again_and_equal_arrays_give_equal_bytes(tmp_path):
    arrays = {"codes": np.linspace(0, 1, 6, dtype=np.float32).reshape(3, 2), "labels": np.arange(3)}
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    stored = np.load(tmp_path / "a.npz")
    assert set(stored) == set(arrays) and all((stored[name] == arrays[name]).all() for name in arrays)
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(tmp_path / "c.npz", {"x": np.array([{}, None])})


def test_an_image_is_the_same_when_it_is_read_again(tmp_path):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_png(tmp_path / "x.png", pixels / 255)
    assert (read_png(tmp_path / "x.png") == pixels).all()


def test_equal_files_give_equal_archives_whatever_their_order_and_times(tmp_path):
    for name in "ab":
        write_text(tmp_path / name, name * 100)
    members = {"one/a": tmp_path / "a", "b": tmp_path / "b"}
    write_zip(tmp_path / "1.zip", members)
    (tmp_path / "a").touch()
    write_zip(tmp_path / "2.zip", dict(reversed(members.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["b", "one/a"] and archive.read("one/a") == b"a" * 100


def test_a_copy_has_the_same_hash(tmp_path):
    write_text(tmp_path / "a", "text")
    copy(tmp_path / "a", tmp_path / "folder/b")
    assert sha256(tmp_path / "folder/b") == sha256(tmp_path / "a")
    assert sha256(tmp_path / "a") == "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"


def test_a_suffix_is_put_before_the_extension(tmp_path):
    assert with_stem_suffix("reports/report.html", "DRAFT").as_posix() == "reports/report-DRAFT.html"


def test_the_state_of_a_folder_changes_with_its_files_but_not_with_hidden_ones(tmp_path):
    folder = tmp_path / ".hidden/pictures"
    write_text(folder / "a/1.png", "x")
    state = folder_state(folder)
    write_text(folder / ".DS_Store", "x")
    write_text(folder / "a/.thumbnails/1.png", "x")
    assert folder_state(folder) == state
    write_text(folder / "a/2.png", "x")
    assert folder_state(folder) != state
