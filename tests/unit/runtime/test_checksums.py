"""Damage to what was made is noticed, whatever kind it is of."""

import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.runtime.checksums import damaged_files, record_checksums, recorded_files

NAMES = ["results/models/weights.safetensors", "results/grid.png", "results/metrics.json", "results/report.pdf"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Four recorded files in the working directory."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(NAMES):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([i]) * 100)
    record_checksums(NAMES)
    return [Path(name) for name in NAMES]


def flip(path):
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)


def exchange(path):
    other = Path(NAMES[(NAMES.index(str(path)) + 1) % len(NAMES)])
    path.write_bytes(other.read_bytes())


DAMAGES = {
    "flipped": flip,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "missing": Path.unlink,
    "exchanged": exchange,
    "extended": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
}


def test_files_as_they_were_made_are_not_damaged(files):
    assert sorted(files) == recorded_files() and list(damaged_files(files)) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_named_in_one_sentence(files, damage, name):
    DAMAGES[damage](Path(name))
    (sentence,) = damaged_files(files)
    what = "missing, although it was made" if damage == "missing" else "damaged or changed since it was made"
    assert sentence.startswith(f"{name}: {what}") and "run the same command again" in sentence


def test_what_was_made_again_is_recorded_anew(files):
    flip(files[0])
    record_checksums(files[:1])
    assert list(damaged_files(files)) == []


def test_a_file_that_was_never_recorded_is_left_out(files):
    Path("config.yaml").write_text("a: 1\n")
    assert list(damaged_files(["config.yaml", "../elsewhere", "results/absent.json"])) == []


def test_the_command_says_what_is_damaged(files):
    def check():
        command = [sys.executable, "-m", "latentlab.runtime.checksums"]
        return subprocess.run(command, capture_output=True, text=True)

    process = check()
    assert process.returncode == 0 and process.stderr == "latentlab: all 4 files are as they were made\n"
    flip(files[1])
    files[2].unlink()
    process = check()
    assert process.returncode == 1 and process.stderr.splitlines() == [
        f"latentlab: {sentence}" for sentence in damaged_files(sorted(files))
    ]
    assert len(process.stderr.splitlines()) == 2


def test_the_command_says_that_there_is_nothing(tmp_path):
    command = [sys.executable, "-m", "latentlab.runtime.checksums"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr.startswith("latentlab: nothing has been made here")
