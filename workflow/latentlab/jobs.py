"""What every job of the workflow does around its work: a log, and errors that a person can read."""

import os
import re
import resource
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from latentlab.errors import in_words


@contextmanager
def job(log):
    """Yield `say(line)`, which writes to the file `log` and, where a person watches, to the terminal; a warning,
    `say(line, warning=True)`, is shown there in any case.

    The process ends with the block, at once: for torch and Python to take themselves apart takes as long as many a
    job's work. A `UserError` ends it with its sentence as the log's last line and without a traceback.
    """
    path = Path(str(log))
    start = time.monotonic()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:

            def say(line, warning=False):
                print(line, file=file, flush=True)
                if warning or sys.stderr.isatty():
                    print(f"latentlab: {line}" if warning else f"{' '.join(path.parts[2:-1])}: {line}", file=sys.stderr)

            yield say
            say(f"done in {time.monotonic() - start:.1f} s; {usage()}")
    except Exception as error:
        sentence = in_words(error)
        if not sentence:
            raise
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            print(sentence, file=file)
        sys.exit(f"latentlab: {sentence}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def usage():
    """What this process and its children took so far, their start included, in words: CPU seconds and peak memory."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    kib = 1 if sys.platform.startswith("linux") else 1024  # macOS counts bytes
    memory = max(one.ru_maxrss for one in used) / 1024 / kib
    return f"{sum(one.ru_utime + one.ru_stime for one in used):.1f} s of CPU, at most {memory:.0f} MiB"


def by_rule(logs, since=0.0):
    """What the logs below the folder `logs` say that were written after `since` (seconds since the epoch): `jobs`,
    `seconds`, seconds of `cpu` and peak `mib` of each rule, the most CPU first."""
    rules = {}
    for log in Path(logs).rglob("*.log"):
        said = re.search(r"done in ([\d.]+) s; ([\d.]+) s of CPU, at most (\d+) MiB", log.read_text(encoding="utf-8"))
        if said and log.stat().st_mtime >= since:
            name = log.stem if "_" in log.stem else log.relative_to(logs).parts[0]
            one = rules.setdefault(name, {"jobs": 0, "seconds": 0.0, "cpu": 0.0, "mib": 0})
            one["jobs"] += 1
            one["seconds"] += float(said[1])
            one["cpu"] += float(said[2])
            one["mib"] = max(one["mib"], int(said[3]))
    return dict(sorted(rules.items(), key=lambda item: -item[1]["cpu"]))
