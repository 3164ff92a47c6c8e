"""Machines that give too little: room, permission, memory."""

import subprocess
import sys

import pytest
from elsewhere import NO_POWERS, Elsewhere, sentences

from latentlab import errors

pytestmark = pytest.mark.long
NOTHING = "nothing: nothing is half-written, and once the cause is gone the run completes"


@pytest.fixture
def disk(tmp_path, root_s_powers):
    """Mounts a small disk and sets its size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def size(kilobytes, options=""):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options}size={kilobytes}k", "tmpfs", folder], check=True)
        return folder

    yield size
    subprocess.run(["umount", folder], check=False)


def test_a_full_disk(disk, told):
    seen, sizes = set(), (100, 9000, 12000, 15000)
    for kilobytes in sizes:
        there = Elsewhere(disk(kilobytes))
        done = there.run()
        said = sentences(done)
        assert done.returncode and any("the disk is full: make room" in line for line in said), done.stdout[-3000:]
        seen |= {line for line in said if "full" in line}
        assert not list(there.folder.rglob(".part-*"))
        disk(200_000, "remount,")
        assert there.run().returncode == 0 and there.page().is_file()
        subprocess.run(["umount", there.folder], check=True)
    told("the disk fills up in different jobs", len(sizes), min(seen), NOTHING)


def test_a_folder_that_may_only_be_read(elsewhere, told, root_s_powers):
    elsewhere.folder.chmod(0o555)
    (sentence,) = sentences(elsewhere.run(prefix=NO_POWERS))
    assert f"{elsewhere.folder}: may only be read" in sentence and not list(elsewhere.folder.iterdir())
    elsewhere.folder.chmod(0o755)
    assert elsewhere.run(prefix=NO_POWERS).returncode == 0
    told("the working directory may only be read", 1, sentence.replace(str(elsewhere.folder), "FOLDER"))


def test_a_folder_within_the_results_without_permission(elsewhere, told, root_s_powers):
    assert elsewhere.run("--", "data").returncode == 0
    held = elsewhere.folder / "results/models/FashionMNIST/lab8-vae/d2/seed0"
    held.mkdir(parents=True)
    (held / "mine.txt").write_text("kept")
    held.chmod(0o555)
    done = elsewhere.run(prefix=NO_POWERS)
    (sentence,) = (line for line in sentences(done) if "permission" in line)
    assert [path.name for path in held.iterdir()] == ["mine.txt"] and not list(elsewhere.folder.rglob(".part-*"))
    held.chmod(0o755)
    assert elsewhere.run(prefix=NO_POWERS).returncode == 0 and elsewhere.page().is_file()
    told("a folder of the results may only be read", 1, sentence, NOTHING)


@pytest.mark.parametrize("want", ["bytearray(1 << 62)", "__import__('torch').empty(1 << 60)", "open(0, 'b' * 5)"])
def test_memory_that_is_not_there(want, tmp_path, told):
    code = f"from latentlab.jobs import job\nwith job('{tmp_path}/log'):\n    {want}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if "open" in want:  # a fault of ours keeps its traceback
        assert "Traceback" in done.stderr
        return
    assert done.returncode == 1 and done.stderr.startswith("latentlab: there is not enough memory"), done.stderr
    assert (tmp_path / "log").read_text() in done.stderr
    told(f"no memory for a job ({'torch' if 'torch' in want else 'Python'} asks in vain)", 1, done.stderr.strip())


def test_a_file_that_grows_too_large(elsewhere, told):
    limited = ["prlimit", "--fsize=2000000"]
    done = elsewhere.run(prefix=limited)
    (sentence, *_) = (line for line in sentences(done) if "large" in line)
    assert not list(elsewhere.folder.rglob(".part-*"))
    assert elsewhere.run().returncode == 0 and elsewhere.page().is_file()
    told("a limit on the size of files (ulimit -f)", 1, sentence, NOTHING)


def test_what_is_not_the_machine_s_fault_keeps_its_traceback():
    assert errors.in_words(ValueError("odd")) is None
