"""Machines that lack disk space, permissions or memory."""

import subprocess
import sys

import pytest
from projects import UNPRIVILEGED, WorkingDirectory, user_messages

from latentlab.runtime.errors import user_message

pytestmark = pytest.mark.long
NOTHING_LOST = "nothing: no file is incomplete, and once the cause is removed the run completes"


@pytest.fixture
def mount_disk(tmp_path, root_user):
    """Mounts a disk of a given size, or changes its size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount_disk(kilobytes, options=""):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options}size={kilobytes}k", "tmpfs", folder], check=True)
        return folder

    yield mount_disk
    subprocess.run(["umount", folder], check=False)


def partial_files(directory):
    return list(directory.folder.rglob(".part-*"))


def assert_completes(directory, **options):
    assert directory.snakemake(**options).returncode == 0 and directory.report.is_file()


def test_a_full_disk(mount_disk, record_fault):
    messages, sizes = set(), (100, 9000, 12000, 15000)
    for kilobytes in sizes:
        directory = WorkingDirectory(mount_disk(kilobytes))
        process = directory.snakemake()
        about_disk = [line for line in user_messages(process) if "the disk is full: free some space" in line]
        assert process.returncode and about_disk, process.stdout[-3000:]
        messages.update(about_disk)
        assert not partial_files(directory)
        mount_disk(200_000, "remount,")
        assert_completes(directory)
        subprocess.run(["umount", directory.folder], check=True)
    record_fault("the disk becomes full during different jobs", len(sizes), min(messages), NOTHING_LOST)


def test_a_read_only_working_directory(working_directory, record_fault, root_user):
    folder = working_directory.folder
    folder.chmod(0o555)
    (message,) = user_messages(working_directory.snakemake(prefix=UNPRIVILEGED))
    assert f"{folder}: read-only" in message and not list(folder.iterdir())
    folder.chmod(0o755)
    assert_completes(working_directory, prefix=UNPRIVILEGED)
    record_fault("the working directory is read-only", 1, message.replace(str(folder), "FOLDER"))


def test_a_read_only_folder_in_the_results(working_directory, record_fault, root_user):
    assert working_directory.snakemake("--", "data").returncode == 0
    folder = working_directory.results / "models/FashionMNIST/lab8-vae/d2/seed0"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("kept")
    folder.chmod(0o555)
    process = working_directory.snakemake(prefix=UNPRIVILEGED)
    (message,) = (line for line in user_messages(process) if "permission denied" in line)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"] and not partial_files(working_directory)
    folder.chmod(0o755)
    assert_completes(working_directory, prefix=UNPRIVILEGED)
    record_fault("a folder in the results is read-only", 1, message, NOTHING_LOST)


def run_job(tmp_path, statement):
    """A process that executes a statement as the work of a job."""
    files = f"SimpleNamespace(log='{tmp_path}/log', input=(), output=())"
    imports = "from types import SimpleNamespace\nfrom latentlab.runtime.jobs import job"
    code = f"{imports}\nwith job({files}):\n    {statement}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("library", "statement"), [("Python", "bytearray(1 << 62)"), ("torch", "__import__('torch').empty(1 << 60)")]
)
def test_memory_that_cannot_be_allocated(library, statement, tmp_path, record_fault):
    process = run_job(tmp_path, statement)
    assert process.returncode == 1 and process.stderr.startswith("latentlab: out of memory"), process.stderr
    assert (tmp_path / "log").read_text() in process.stderr
    record_fault(f"memory that {library} cannot allocate", 1, process.stderr.strip())


def test_a_fault_of_the_program_keeps_its_traceback(tmp_path):
    assert user_message(ValueError("a message")) is None
    process = run_job(tmp_path, "raise ValueError('a message')")
    assert process.returncode == 1 and "Traceback" in process.stderr and "ValueError: a message" in process.stderr


def test_a_limit_on_the_size_of_files(working_directory, record_fault):
    process = working_directory.snakemake(prefix=["prlimit", "--fsize=2000000"])
    message = next(line for line in user_messages(process) if "files may not be that large" in line)
    assert not partial_files(working_directory)
    assert_completes(working_directory)
    record_fault("a limit on the size of files (ulimit -f)", 1, message, NOTHING_LOST)
