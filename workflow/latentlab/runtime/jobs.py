"""What every job of the workflow does around its work: it keeps a log and reports errors in one sentence."""

import os
import re
import resource
import sys
import time
import traceback
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from latentlab.runtime.checksums import damaged_files, record_checksums
from latentlab.runtime.errors import UserError, user_message

_LAST_LINE = "done in {seconds:.1f} s; {cpu:.1f} s of CPU, at most {mib:.0f} MiB"
_LAST_LINE_PATTERN = re.compile(r"done in ([\d.]+) s; ([\d.]+) s of CPU, at most (\d+) MiB")


WARNING = "warning: "  # the beginning of a line of a log
VIEW = "LATENTLAB_VIEW"  # an environment variable that is set while one view shows all jobs (progress.py)


class Log(Protocol):
    """Writes a line to a job's log; a warning is shown to the user as well."""

    def __call__(self, line: str, warning: bool = False) -> None: ...


class Files(Protocol):
    """What Snakemake gives a script: the paths of its log, its inputs and its outputs."""

    log: object
    input: Iterable[str]
    output: Iterable[str]


@contextmanager
def job(files: Files) -> Generator[Log]:
    """Run a job's work. Its inputs are compared with the checksums that were recorded when they were made, and those of
    its outputs are recorded.

    The process ends with the block, because the orderly shutdown of Python and torch takes longer than
    the work of many jobs. An error that the user can fix ends it with one sentence, which is also the log's last line.
    Where one view shows all jobs, it also shows what is in their logs, so nothing is printed here.
    """
    path = Path(str(files.log))
    in_view = VIEW in os.environ
    start = time.monotonic()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:

            def log(line: str, warning: bool = False) -> None:
                print(f"{WARNING}{line}" if warning else line, file=file, flush=True)
                if warning and not in_view:
                    print(f"latentlab: {line}", file=sys.stderr)

            if damage := next(damaged_files(files.input), None):
                raise UserError(damage)
            yield log
            record_checksums(files.output)
            cpu, mib = process_usage()
            log(_LAST_LINE.format(seconds=time.monotonic() - start, cpu=cpu, mib=mib))
    except Exception as error:
        message = user_message(error)
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            print(message or traceback.format_exc(), file=file)
        if in_view:
            sys.exit(1)
        if not message:
            raise
        sys.exit(f"latentlab: {message}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def is_done(line: str) -> bool:
    """Whether the last line of a log is that of a job that succeeded."""
    return _LAST_LINE_PATTERN.fullmatch(line) is not None


def process_usage() -> tuple[float, float]:
    """CPU seconds and peak memory in MiB of this process and its children since its start."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1024 if sys.platform.startswith("linux") else 1024**2  # Linux counts KiB, macOS bytes
    return sum(usage.ru_utime + usage.ru_stime for usage in usages), max(usage.ru_maxrss for usage in usages) / unit


@dataclass
class RuleUsage:
    """What the jobs of one rule used: how many they are, elapsed and CPU seconds in total, peak memory in MiB."""

    jobs: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    mib: int = 0


def usage_by_rule(logs: str | Path, since: float = 0.0) -> dict[str, RuleUsage]:
    """The usage of each rule, the most CPU seconds first.

    Args:
        logs: the folder of the logs, each named after its rule.
        since: only logs written after this time count, seconds since the epoch.
    """
    usages: dict[str, RuleUsage] = {}
    for path in Path(logs).rglob("*.log"):
        match = _LAST_LINE_PATTERN.search(path.read_text(encoding="utf-8"))
        if match and path.stat().st_mtime >= since:
            usage = usages.setdefault(path.name.split(".")[0], RuleUsage())
            usage.jobs += 1
            usage.seconds += float(match[1])
            usage.cpu += float(match[2])
            usage.mib = max(usage.mib, int(match[3]))
    return dict(sorted(usages.items(), key=lambda item: -item[1].cpu))
