"""Runs that are killed, and two at once."""

import fcntl
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from conftest import copy_source

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


def start(project):
    """The smoke pipeline in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--workflow-profile", "profiles/smoke"],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(project.root / "workflow")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(run, number, group):
    """Send a signal to the main process, or to it and all its jobs, and wait; what does not heed it is killed."""
    os.killpg(run.pid, number) if group else os.kill(run.pid, number)
    try:
        run.wait(timeout=20)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def finished(project):
    """When each job that is done was done: the last line of its log says that it is."""
    logs = [path for path in project.made.rglob("*.log") if path.relative_to(project.made).parts[0] == "logs"]
    return {path: path.stat().st_mtime_ns for path in logs if "done in" in path.read_text()[-80:]}


def test_a_second_run_beside_the_first_says_so(project):
    made = project.made / "handins/lab8/lab8.html"
    made.unlink()
    with open(project.root / "results/smoke/.snakemake/running", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = project.snakemake(check=False)
        assert done.returncode == 1 and "latentlab: another run is at work in" in done.stdout.strip().splitlines()[-1]
        assert "Traceback" not in done.stdout and not made.exists()
        project.snakemake("-n")
        project.snakemake("--lint", check=False)
    project.snakemake()
    assert made.exists()


@pytest.mark.parametrize("kills", [2, pytest.param(None, marks=pytest.mark.long)])
def test_killed_anywhere_and_run_again_ends_in_the_same_bytes(project, tmp_path, told, request, kills):
    """The same command each time. What was done stays done: no more jobs are redone than were at work at a kill, and
    those that had just ended, but not yet been noted."""
    other, kills = copy_source(tmp_path / "other"), kills or request.config.getoption("--kills")
    chance, redone, runs, done = random.Random(kills), 0, 0, {}
    while True:
        run, runs = start(other), runs + 1
        if runs > kills:
            assert run.wait() == 0
            break
        time.sleep(chance.uniform(1, 8))
        if run.poll() is not None:
            break
        end(run, chance.choice(SIGNALS), chance.random() < 0.5)
        now = finished(other)
        redone += sum(now.get(log) != when for log, when in done.items())
        done = now
    redone += sum(finished(other).get(log) != when for log, when in done.items())
    assert other.hashes() == project.hashes()
    assert not list(other.root.rglob(".part-*"))
    assert redone <= 2 * runs
    told(
        "killed: the main process or all, SIGKILL, SIGTERM, SIGINT, at random moments",
        runs - 1,
        "nothing to unlock or to clear: the same command goes on",
        f"of {len(done)} jobs {redone} were done again; all {len(other.hashes())} files of results are the same",
    )
