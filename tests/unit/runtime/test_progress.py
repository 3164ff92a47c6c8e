"""What a run prints, from the events that Snakemake logs."""

import io
import logging
import os
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from latentlab.runtime import progress
from latentlab.runtime.jobs import VIEW
from latentlab.runtime.progress import ProgressPrinter, RunningJob, RunProgress, format_seconds, last_lines
from snakemake_logger_plugin_latentlab import LogHandler


@pytest.fixture
def clock(monkeypatch):
    """The time that the run believes it is, in seconds; it stands still unless a test moves it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def record(event=None, message="", level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    vars(made).update(fields | ({"event": event} if event else {}))
    return made


def printer(terminal):
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=terminal, width=100, color_system=None, highlight=False, soft_wrap=True
    )
    return ProgressPrinter(console=console), stream


def run(handler, clock, log):
    """Two jobs, of which the first finishes after 65 s and the second fails."""
    handler.handle(record("run_info", stats={"train_model": 1, "print_pdf": 1, "total": 2}))
    handler.handle(record("job_info", jobid=1, rule_name="train_model", rule_msg="Train vae", log=[str(log)]))
    clock[0] = 65.0
    handler.handle(record("job_finished", job_id=1))
    handler.handle(record("job_info", jobid=2, rule_name="print_pdf", rule_msg="Print it", log=[str(log)]))
    handler.handle(record("job_error", jobid=2, rule_name="print_pdf", log=[str(log)], level=logging.ERROR))


def test_elsewhere_than_on_a_terminal_each_finished_job_is_a_line(clock, tmp_path):
    handler, stream = printer(terminal=False)
    (tmp_path / "job.log").write_text("one\n\nthe disk is full\n")
    run(handler, clock, tmp_path / "job.log")
    handler.close()
    assert stream.getvalue().splitlines() == [
        "[1/2] 1:05 Train vae: 1:05",
        f"Failed: Print it ({tmp_path}/job.log)",
        "latentlab: 1 job failed; fix that and run the same command again: what is done is kept",
    ]


def test_a_terminal_shows_what_a_failed_job_says_and_the_warnings_of_others(clock, tmp_path):
    handler, stream = printer(terminal=True)
    (tmp_path / "job.log").write_text("one\nwarning: the title has no glyph\nthe disk is full\n")
    run(handler, clock, tmp_path / "job.log")
    assert VIEW in os.environ, "so that jobs print nothing themselves"
    handler.close()
    assert VIEW not in os.environ
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert "latentlab: the title has no glyph" in text
    assert f"Failed: Print it ({tmp_path}/job.log)" in text and "  the disk is full" in text


def test_a_terminal_shows_one_view_with_the_running_jobs_and_the_ends_of_their_logs(clock, tmp_path):
    handler, stream = printer(terminal=True)
    (tmp_path / "job.log").write_text("epoch 1\nepoch 2; 8 s left\n")
    handler.handle(record("run_info", stats={"train_model": 3}))
    for number in (1, 2):
        handler.handle(
            record("job_info", jobid=number, rule_name="train_model", rule_msg=f"Train vae {number}", log=[])
        )
    clock[0] = 60.0
    handler.handle(record("job_finished", job_id=1))
    handler.handle(
        record("job_info", jobid=3, rule_name="train_model", rule_msg="Train vae 3", log=[str(tmp_path / "job.log")])
    )
    clock[0] = 80.0
    handler.live.refresh()
    handler.close()
    view = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    # Of the second job, which takes as long as the first, nothing is left; of the third, 40 s; two run at a time.
    assert "1 of 3 jobs, 1:20 elapsed, about 0:20 left" in view
    assert "1:20 Train vae 2" in view and "0:20 Train vae 3 epoch 2; 8 s left" in view
    assert "Train vae 1:" not in view, "finished jobs leave no lines"


def test_what_snakemake_says_about_itself_is_left_out_but_not_warnings_and_errors(clock):
    handler, stream = printer(terminal=False)
    handler.handle(record(message="Building DAG of jobs..."))
    handler.handle(record(message="Nothing to be done (all requested files are present and up to date)."))
    handler.handle(record(message="a warning", level=logging.WARNING))
    handler.handle(record("error", message="an error", level=logging.ERROR))
    handler.handle(record("error", message="RuleException:\nthe program of a failed job", level=logging.ERROR))
    handler.handle(record("debug_dag", message="details"))
    assert stream.getvalue().splitlines() == [
        "Nothing to be done (all requested files are present and up to date).",
        "a warning",
        "an error",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_after_ctrl_c_one_sentence_says_how_to_go_on(clock, terminal):
    handler, stream = printer(terminal)
    handler.handle(record("run_info", stats={"train_model": 2}))
    handler.handle(record("job_info", jobid=1, rule_name="train_model", rule_msg="Train", log=["x.log"]))
    handler.handle(record(message="Terminating processes on user request, this might take some time."))
    handler.handle(record("job_error", jobid=1, rule_name="train_model", log=["x.log"], level=logging.ERROR))
    handler.handle(
        record(message="WorkflowError:\nAt least one job did not complete successfully.", level=logging.ERROR)
    )
    assert stream.getvalue().rstrip().endswith("latentlab: stopped; to continue, run the same command again")
    assert "Failed" not in stream.getvalue() and handler.live is None


def test_the_time_left_follows_earlier_runs_until_this_one_has_times_of_its_own():
    run = RunProgress({"train": 10.0, "print": 2.0})
    run.total.update({"train": 3, "print": 1})
    assert run.seconds_left(0) == 32
    run.running[1] = RunningJob("train", "", None, start=0.0)
    assert run.seconds_left(4) == 28
    run.finish(1, now=20.0)
    assert run.seconds_left(20) == 42, "the trainings of this run take 20 s"
    run.total["evaluate"] = 1
    assert run.seconds_left(20) == 56, "as long as the other three jobs that are left, 14 s on average"
    run.total["evaluate"] = 5
    assert run.seconds_left(20) is None, "how long most of the jobs take is unknown"


@pytest.mark.parametrize("terminal", [False, True])
def test_targets_are_no_jobs(clock, terminal):
    handler, _ = printer(terminal)
    handler.handle(record("run_info", stats={"print_pdf": 1, "report": 1, "total": 2}))
    for job_id, rule in ((1, "print_pdf"), (2, "report")):
        handler.handle(record("job_info", jobid=job_id, rule_name=rule, rule_msg=None, log=[]))
        handler.handle(record("job_finished", job_id=job_id))
    assert handler.progress.finished == {"print_pdf": 1} and handler.progress.total.total() == 1
    handler.close()


def test_times_are_readable():
    assert [format_seconds(seconds) for seconds in (0, 59.6, 187, 3787)] == ["0:00", "1:00", "3:07", "1:03:07"]


def test_a_log_that_is_not_there_or_is_not_text_breaks_nothing(tmp_path):
    (tmp_path / "binary.log").write_bytes(b"\xff\xfe\n")
    assert last_lines(None) == last_lines(tmp_path / "missing.log") == []
    assert len(last_lines(tmp_path / "binary.log")) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has this device")
def test_a_log_on_a_full_disk_prints_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr(logging, "raiseExceptions", True)
    handler = LogHandler(SimpleNamespace(nocolor=True, dryrun=False), None)
    log = logging.FileHandler("/dev/full")
    log.emit(logging.LogRecord("snakemake", logging.ERROR, "", 0, "a line", (), None))
    handler.close()
    log.stream = io.StringIO()  # or closing it would fail
    assert "Traceback" not in capsys.readouterr().err
