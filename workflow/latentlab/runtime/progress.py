"""What a run prints while it runs: one view that is renewed on a terminal, a line for each finished job elsewhere."""

import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from latentlab.runtime.jobs import VIEW, WARNING, usage_by_rule

REFRESH_RATE = 2  # times per second
LOG_LINES = 12  # of a failed job that are shown below the view
MAX_LINES = 10_000  # of a log that are searched for warnings
MIN_SECONDS_LEFT = 5.0  # less is not announced
PRINTED = ("Nothing to be done",)  # beginnings of Snakemake's own messages that a user wants to read
# Of its errors: those that the failed jobs explain.
EXPLAINED = ("RuleException", "WorkflowError:\nAt least one job", "Exiting because a job execution failed")
INTERRUPTED = "Terminating processes on user request"  # the beginning of its message after Ctrl-C


@dataclass
class RunningJob:
    rule: str
    message: str
    log: Path | None
    start: float


@dataclass
class RunProgress:
    """How far a run is.

    Args:
        seconds: of earlier jobs by rule, mean; those of this run take precedence.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)
    """Jobs by rule."""
    finished: Counter[str] = field(default_factory=Counter)
    running: dict[int, RunningJob] = field(default_factory=dict)
    measured: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of the jobs that this run finished, by rule."""

    def finish(self, job_id: int, now: float) -> RunningJob | None:
        job = self.running.pop(job_id, None)
        if job:
            self.finished[job.rule] += 1
            self.measured.setdefault(job.rule, []).append(now - job.start)
        return job

    def expected_seconds(self) -> dict[str, float]:
        """Of a job of each rule that was ever timed: the mean of those that this run finished, or of earlier runs."""
        return dict(self.seconds) | {rule: mean(times) for rule, times in self.measured.items()}

    def seconds_left(self, now: float) -> float | None:
        """Until the end, if as many jobs run at a time as do now, and a job of a rule that was never timed takes as
        long as the others on average; None if that holds for most of the jobs that are left."""
        expected, remaining = self.expected_seconds(), self.total - self.finished
        known = Counter({rule: count for rule, count in remaining.items() if rule in expected})
        if known.total() < remaining.total() / 2:
            return None
        average = sum(expected[rule] * count for rule, count in known.items()) / max(1, known.total())
        left = average * remaining.total()
        for job in self.running.values():
            left -= min(now - job.start, expected.get(job.rule, average))
        return left / max(1, len(self.running))


def format_seconds(seconds: float) -> str:
    """3:07, or 1:03:07."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def last_lines(log: Path | None, count: int = 1) -> list[str]:
    """The last lines of a job's log, if there are any."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace") if log else ""
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


class ProgressPrinter:
    """Prints the events of a run that Snakemake logs. The fields of an event are attributes of its log record, which
    the type `LogRecord` does not declare."""

    def __init__(self, color: bool = True, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, no_color=not color, highlight=False, soft_wrap=True)
        self.start = time.monotonic()
        usages = usage_by_rule("results/logs")
        self.progress = RunProgress({rule: usage.seconds / usage.jobs for rule, usage in usages.items()})
        self.live: Live | None = None
        self.is_interrupted = False
        self.failures = 0

    def handle(self, record: logging.LogRecord) -> None:
        """Print what an event, or a message without one, means to a user. After Ctrl-C nothing more is printed: that
        its jobs fail is no news."""
        event = str(getattr(record, "event", None) or "message")
        if not self.is_interrupted:
            getattr(self, f"_on_{event}", lambda record: None)(record)

    def print(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))

    def close(self) -> None:
        """End the view, and say how many jobs failed."""
        if self.live:
            self.live.stop()
            self.live = None
            os.environ.pop(VIEW, None)
        if self.failures and not self.is_interrupted:
            jobs = "1 job" if self.failures == 1 else f"{self.failures} jobs"
            self.print(f"latentlab: {jobs} failed; fix that and run the same command again: what is done is kept")
            self.failures = 0

    def _on_message(self, record: Any) -> None:
        text = record.getMessage()
        if text.startswith(INTERRUPTED):
            self.is_interrupted = True
            self.close()
            self.print("latentlab: stopped; to continue, run the same command again")
        elif record.levelno >= logging.ERROR:
            self._on_error(record)
        elif record.levelno >= logging.WARNING or text.startswith(PRINTED):
            self.print(text)

    def _on_run_info(self, record: Any) -> None:
        # Targets make nothing. Their names are one word; those of rules are a verb and an object.
        self.progress.total = Counter({rule: count for rule, count in record.stats.items() if "_" in rule})
        if self.console.is_terminal and not self.live:
            self.live = Live(
                get_renderable=self._view, console=self.console, refresh_per_second=REFRESH_RATE, transient=True
            )
            self.live.start()
            os.environ[VIEW] = "1"  # jobs inherit it

    def _on_job_info(self, record: Any) -> None:
        if record.rule_name in self.progress.total:
            log = Path(record.log[0]) if record.log else None
            message = record.rule_msg or record.rule_name
            self.progress.running[record.jobid] = RunningJob(record.rule_name, message, log, time.monotonic())

    def _on_job_finished(self, record: Any) -> None:
        now = time.monotonic()
        job = self.progress.finish(record.job_id, now)
        if not job:
            return
        if self.live:
            for line in last_lines(job.log, MAX_LINES):
                if line.startswith(WARNING):
                    self.print(f"latentlab: {line.removeprefix(WARNING)}")
        else:
            self.print(f"{self._counts()} {job.message}: {format_seconds(now - job.start)}")

    def _on_job_error(self, record: Any) -> None:
        self.failures += 1
        job = self.progress.running.pop(record.jobid, None)
        self.print(f"Failed: {job.message if job else record.rule_name} ({', '.join(record.log)})", "bold red")
        if self.live:  # elsewhere the job itself has printed why
            for path in record.log:
                self.print("\n".join(f"  {line}" for line in last_lines(Path(path), LOG_LINES)))

    def _on_error(self, record: Any) -> None:
        if not record.getMessage().startswith(EXPLAINED):
            self.print(record.getMessage(), "red")

    def _counts(self) -> str:
        done, total = self.progress.finished.total(), self.progress.total.total()
        return f"[{done:{len(str(total))}}/{total}] {format_seconds(time.monotonic() - self.start)}"

    def _view(self) -> Group:
        """The bar, and a line for each running job."""
        now, progress = time.monotonic(), self.progress
        done, total = progress.finished.total(), progress.total.total()
        left = progress.seconds_left(now)
        status = f"{done} of {total} jobs, {format_seconds(now - self.start)} elapsed"
        if left is not None and left > MIN_SECONDS_LEFT:
            status += f", about {format_seconds(left)} left"
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=max(total, 1), completed=done, width=30), Text(status, style="bold"))
        jobs = Table.grid(padding=(0, 1))
        for job in list(progress.running.values()):
            line = (last_lines(job.log) or [""])[0]
            jobs.add_row(
                Text(format_seconds(now - job.start), style="cyan", justify="right"),
                Text(job.message, no_wrap=True, overflow="ellipsis"),
                Text(line, style="dim", no_wrap=True, overflow="ellipsis"),
            )
        return Group(bar, jobs)
