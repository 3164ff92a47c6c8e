"""Runs that are killed, and two at once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import copy_source


def start(project):
    """The smoke pipeline in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--workflow-profile", "profiles/smoke"],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(project.root / "workflow")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_second_run_beside_the_first_says_so(project):
    made = project.made / "handins/lab8/lab8.html"
    made.unlink()
    import fcntl

    with open(project.root / "results/smoke/.snakemake/running", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = project.snakemake(check=False)
        assert done.returncode == 1 and "latentlab: another run is at work in" in done.stdout.strip().splitlines()[-1]
        assert "Traceback" not in done.stdout and not made.exists()
        project.snakemake("-n")
        project.snakemake("--lint", check=False)
    project.snakemake()
    assert made.exists()


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.long)])
def test_killed_and_run_again_ends_in_the_same_bytes(project, tmp_path, kills):
    other = copy_source(tmp_path / "other")
    chance = random.Random(kills)
    for _ in range(kills):
        run = start(other)
        time.sleep(chance.uniform(2, 12))
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
    other.snakemake()
    assert other.hashes() == project.hashes()
    assert not list(other.root.rglob(".part-*"))
    shutil.rmtree(tmp_path / "other")
