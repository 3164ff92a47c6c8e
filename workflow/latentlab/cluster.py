"""Slurm jobs that a killed run left behind: they would write to the files of the run that follows it."""

import re
import subprocess
from pathlib import Path

UNFINISHED = ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED", "COMPLETING")


def cancel_orphans(folder):
    """Cancel the unfinished jobs that were submitted from the working directory `folder`; their numbers."""
    listed = subprocess.run(["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=False)
    found = orphans(listed.stdout, folder)
    if found:
        subprocess.run(["scancel", *found], check=False)
    return found


def orphans(listed, folder):
    """The numbers of the jobs listed (by `scontrol --oneliner show job`) that are unfinished and log below `folder`."""
    logs = Path(folder).resolve() / ".snakemake"
    lines = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in listed.splitlines()]
    return [
        job["JobId"]
        for job in lines
        if job.get("JobState") in UNFINISHED and Path(job.get("StdOut", "/")).is_relative_to(logs)
    ]
