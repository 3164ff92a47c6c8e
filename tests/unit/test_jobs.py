"""What a job says of itself, and how it ends."""

import subprocess
import sys

import pytest

from latentlab import jobs

SCRIPT = """
from latentlab.errors import UserError
from latentlab.jobs import job

with job("results/logs/a/train_model.log") as say:
    say("at work")
    {act}
print("never said: the process ends with the block")
"""


def run(folder, act):
    return subprocess.run([sys.executable, "-c", SCRIPT.format(act=act)], cwd=folder, capture_output=True, text=True)


def test_a_job_ends_at_once_and_its_log_says_what_it_took(tmp_path):
    done = run(tmp_path, "print('result')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "result\n", "")
    first, last = (tmp_path / "results/logs/a/train_model.log").read_text().splitlines()
    assert first == "at work" and last.startswith("done in 0.0 s; ")
    found = jobs.by_rule(tmp_path / "results/logs")
    assert found["train_model"]["jobs"] == 1 and found["train_model"]["cpu"] < 5 and found["train_model"]["mib"] > 5
    assert jobs.by_rule(tmp_path / "results/logs", since=4e9) == {}


@pytest.mark.parametrize(
    ("act", "status", "said"),
    [("raise UserError('mend it')", 1, "latentlab: mend it\n"), ("1 / 0", 1, "ZeroDivisionError"), ("exit(3)", 3, "")],
)
def test_a_job_that_fails_says_so(tmp_path, act, status, said):
    done = run(tmp_path, act)
    assert done.returncode == status and said in done.stderr and ("Traceback" in done.stderr) == ("/" in act)
    assert "done in" not in (tmp_path / "results/logs/a/train_model.log").read_text()
