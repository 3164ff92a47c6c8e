"""Slurm jobs that a killed run left behind: they would write to the files of the run that follows."""

import re
import subprocess
from pathlib import Path

UNFINISHED = ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED", "COMPLETING")


def cancel_orphans(folder: str | Path) -> list[str]:
    """Cancel the unfinished jobs that were submitted from the working directory `folder`, and return their numbers."""
    listing = subprocess.run(["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=False)
    jobs = find_orphans(listing.stdout, folder)
    if jobs:
        subprocess.run(["scancel", *jobs], check=False)
    return jobs


def find_orphans(listing: str, folder: str | Path) -> list[str]:
    """The numbers of the unfinished jobs that write their logs below `folder`.

    Args:
        listing: the output of `scontrol --oneliner show job`.
    """
    logs = Path(folder).resolve() / ".snakemake"
    jobs = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in listing.splitlines()]
    return [
        job["JobId"]
        for job in jobs
        if job.get("JobState") in UNFINISHED and Path(job.get("StdOut", "/")).is_relative_to(logs)
    ]
