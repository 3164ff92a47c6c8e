import pytest

from latentlab import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError):
        files.write_json(path, {"a": float("nan")})
    with pytest.raises(RuntimeError), files.whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert files.read_json(path) == {"a": 1} and [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_equal_bytes_are_not_written_again(tmp_path):
    path = tmp_path / "x.json"
    files.write_json(path, 1)
    before = path.stat().st_mtime_ns
    files.write_json(path, 1)
    assert path.stat().st_mtime_ns == before


def test_tables_come_back(tmp_path):
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 1 / 3}]
    files.write_csv(tmp_path / "t.csv", rows)
    assert files.read_csv(tmp_path / "t.csv") == {"epoch": [1, 2], "loss": [0.1, 1 / 3]}
