"""Runs that are killed, and two runs at once."""

import fcntl
import os
import random
import signal
import subprocess
import time

import pytest
from projects import copy_source, snakemake_command, snakemake_environment

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


def start(project, targets):
    """The smoke pipeline in a process group of its own."""
    return subprocess.Popen(
        snakemake_command("--cores", "2", "--workflow-profile", "profiles/smoke", "--", *targets),
        cwd=project.root,
        env=snakemake_environment(project.root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(run, number, whole_group):
    """Send a signal to the main process, or to it and all its jobs, and wait. A process that ignores it is killed."""
    os.killpg(run.pid, number) if whole_group else os.kill(run.pid, number)
    try:
        run.wait(timeout=20)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def finished_jobs(project):
    """The log of each finished job, which its last line marks as such, and when it was written."""
    logs = (project.results / "logs").rglob("*.log")
    return {path: path.stat().st_mtime_ns for path in logs if "done in" in path.read_text()[-80:]}


def test_a_second_run_in_the_same_folder_is_refused(project):
    report = project.results / "reports/lab8/lab8.html"
    report.unlink()
    with open(project.root / "results/smoke/.snakemake/running", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = project.snakemake(check=False)
        message = process.stdout.strip().splitlines()[-1]
        assert process.returncode == 1 and "latentlab: another run is active in" in message
        assert "Traceback" not in process.stdout and not report.exists()
        assert "This was a dry-run" in project.snakemake("-n").stdout
        assert "Lints for" in project.snakemake("--lint", check=False).stdout
    project.snakemake()
    assert report.exists()


@pytest.mark.parametrize(
    ("targets", "kills"), [(["lab8"], 2), pytest.param(["all"], None, marks=pytest.mark.long)], ids=["lab8", "all"]
)
def test_a_killed_run_that_is_started_again_ends_with_the_same_bytes(
    project, tmp_path, record_fault, request, targets, kills
):
    """The command is the same each time, and finished jobs are kept: at most as many are done again as ran when the run
    was killed, and those that had just ended without Snakemake having noted it."""
    killed, kills = copy_source(tmp_path / "killed"), kills or request.config.getoption("--kills")
    rng, repeated, runs, finished = random.Random(kills), 0, 0, {}
    while True:
        run, runs = start(killed, targets), runs + 1
        if runs > kills:
            assert run.wait() == 0
            break
        time.sleep(rng.uniform(1, 8))
        if run.poll() is not None:
            break
        end(run, rng.choice(SIGNALS), rng.random() < 0.5)
        before, finished = finished, finished_jobs(killed)
        repeated += sum(finished.get(log) != written for log, written in before.items())
    after = finished_jobs(killed)
    repeated += sum(after.get(log) != written for log, written in finished.items())
    made, whole = killed.hashes(), project.hashes()
    assert made == (whole if targets == ["all"] else {path: whole[path] for path in made})
    assert "reports/lab8/lab8.pdf" in made
    assert not list(killed.root.rglob(".part-*"))
    assert repeated <= 2 * runs
    record_fault(
        "killed: the main process or all, SIGKILL, SIGTERM, SIGINT, at random times",
        runs - 1,
        "nothing to unlock or to clean up: the same command continues",
        f"of {len(after)} jobs {repeated} were done again; all {len(made)} results are the same",
    )
