"""What a job logs, and how it ends."""

import subprocess
import sys

import pytest

from latentlab.runtime.jobs import usage_by_rule

SCRIPT = """
from types import SimpleNamespace
from latentlab.runtime.errors import UserError
from latentlab.runtime.jobs import job

with job(SimpleNamespace(log="results/logs/a/train_model.log", input={inputs}, output={outputs})) as log:
    log("at work")
    {statement}
print("never printed: the process ends with the block")
"""


def run(folder, statement, inputs=(), outputs=()):
    command = [sys.executable, "-c", SCRIPT.format(statement=statement, inputs=inputs, outputs=outputs)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_job_ends_with_its_block_and_its_log_says_what_it_used(tmp_path):
    process = run(tmp_path, "print('result')")
    assert (process.returncode, process.stdout, process.stderr) == (0, "result\n", "")
    first, last = (tmp_path / "results/logs/a/train_model.log").read_text().splitlines()
    assert first == "at work" and last.startswith("done in 0.0 s; ")
    usages = usage_by_rule(tmp_path / "results/logs")
    assert list(usages) == ["train_model"] and usages["train_model"].jobs == 1
    assert usages["train_model"].cpu < 5 and usages["train_model"].mib > 5
    assert usage_by_rule(tmp_path / "results/logs", since=4e9) == {}


def test_a_job_records_its_outputs_and_refuses_damaged_inputs(tmp_path):
    write = "open('results/a', 'w').write('made')"
    (tmp_path / "results").mkdir()
    assert run(tmp_path, write, outputs=["results/a"]).returncode == 0
    assert run(tmp_path, "pass", inputs=["results/a", "config.yaml"]).returncode == 0
    (tmp_path / "results/a").write_text("mode")
    process = run(tmp_path, "print('never done')", inputs=["results/a"])
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr.startswith("latentlab: results/a: damaged or changed since it was made; remove it and run")


def test_a_warning_reaches_the_terminal_too(tmp_path):
    process = run(tmp_path, "log('left out a character', warning=True)")
    assert process.stderr == "latentlab: left out a character\n"
    assert "left out a character\n" in (tmp_path / "results/logs/a/train_model.log").read_text()


def test_the_usage_of_a_rule_is_the_sum_over_its_jobs_with_the_largest_memory(tmp_path):
    for folder, seconds, mib in (("a", 1.5, 100), ("b", 2.5, 300)):
        path = tmp_path / folder / "train_model.log"
        path.parent.mkdir()
        path.write_text(f"on cpu\ndone in {seconds} s; {2 * seconds} s of CPU, at most {mib} MiB\n")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/plot_figures.log").write_text("done in 1.0 s; 20.0 s of CPU, at most 50 MiB\n")
    (tmp_path / "figures/print_pdf.log").write_text("it failed\n")
    usages = usage_by_rule(tmp_path)
    assert list(usages) == ["plot_figures", "train_model"], "the most CPU seconds first"
    training = usages["train_model"]
    assert (training.jobs, training.seconds, training.cpu, training.mib) == (2, 4.0, 8.0, 300)


@pytest.mark.parametrize(
    ("statement", "status", "message"),
    [
        ("raise UserError('fix it')", 1, "latentlab: fix it\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("exit(3)", 3, ""),
    ],
)
def test_a_job_that_fails_reports_its_error(tmp_path, statement, status, message):
    process = run(tmp_path, statement)
    assert process.returncode == status and message in process.stderr
    assert ("Traceback" in process.stderr) == ("/" in statement)
    log = (tmp_path / "results/logs/a/train_model.log").read_text()
    assert "done in" not in log and "never printed" not in process.stdout
    assert log.endswith("fix it\n") == ("UserError" in statement)
