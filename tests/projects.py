"""Runs of the workflow for tests: small, on synthetic data, in working directories of their own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from latentlab.runtime.files import sha256

ROOT = Path(__file__).parents[1]
CHROMIUM = {  # arguments for Playwright to launch Debian's Chromium
    "executable_path": shutil.which("chromium"),
    "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
}
UNPRIVILEGED = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]  # root without capabilities obeys permissions


def snakemake_command(*arguments):
    return [sys.executable, "-m", "snakemake", *map(str, arguments)]


def snakemake_environment(root, **variables):
    """The environment in which snakemake runs the library of the source tree `root`. No data folder is set unless
    `variables` names one; a variable that is None is removed."""
    merged = os.environ | {"LATENTLAB_DATA": None, "PYTHONPATH": root / "workflow"} | variables
    return {name: str(value) for name, value in merged.items() if value is not None}


def run_snakemake(root, *arguments, cwd=None, prefix=(), timeout=None, **variables):
    """Run snakemake with two cores on the library of the source tree `root`, and return the finished process with its
    output as text.

    `prefix` is a command that runs another one, `variables` are environment variables.
    """
    return subprocess.run(
        [*prefix, *snakemake_command("--cores", "2", *arguments)],
        cwd=cwd or root,
        env=snakemake_environment(root, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def user_messages(process):
    """The lines that latentlab prints for its user. Fails if a traceback shows the library."""
    library = re.search(r'File ".*/workflow/latentlab/', process.stdout)  # in Snakemake's own format for tracebacks
    assert "Traceback" not in process.stdout and not library, process.stdout[-4000:]
    return [line for line in process.stdout.splitlines() if line.startswith("latentlab: ")]


class Project:
    """A source tree in which the smoke profile runs."""

    def __init__(self, root):
        self.root = root
        self.results = root / "results/smoke/results"

    def snakemake(self, *arguments, check=True, profile="profiles/smoke"):
        """Run snakemake in the source tree, and return the finished process with its output as text."""
        process = run_snakemake(self.root, "--workflow-profile", profile, *arguments)
        assert not check or process.returncode == 0, process.stdout[-4000:]
        return process

    def planned_jobs(self, *arguments):
        """How many jobs of each rule a run would start now, targets left out."""
        output = self.snakemake("-n", *arguments).stdout
        table = output.split("Job stats:")[1] if "Job stats:" in output else ""
        rows = re.findall(r"^([\w-]+) +(\d+)$", table, re.MULTILINE)
        return {rule: int(count) for rule, count in rows if "_" in rule}

    def hashes(self):
        """Path → SHA-256 of all results except logs, timings and recorded checksums."""
        folders = ("logs", "benchmarks", "checksums")
        paths = {path: path.relative_to(self.results) for path in sorted(self.results.rglob("*")) if path.is_file()}
        return {str(name): sha256(path) for path, name in paths.items() if name.parts[0] not in folders}


class WorkingDirectory:
    """A folder, however it is named, in which the source tree `root` makes a small report of assignment lab8."""

    def __init__(self, folder, root=ROOT):
        self.folder, self.root = folder, root
        self.results = folder / "results"
        self.report = self.results / "reports/lab8/lab8.pdf"
        folder.mkdir(parents=True, exist_ok=True)

    def snakemake(self, *arguments, **options):
        """Run snakemake there, for the report unless there are `arguments`, and return the finished process with its
        output as text."""
        settings = ["--configfile", self.root / "profiles/smoke/settings.yaml"]
        location = ["--snakefile", self.root / "Snakefile", "--directory", self.folder]
        profile = ["--workflow-profile", self.root / "profiles/default"]
        options = {"cwd": self.folder, "timeout": 300, "LANG": None} | options
        return run_snakemake(self.root, *location, *profile, *settings, *(arguments or ["--", "lab8"]), **options)


def copy_source(folder):
    """A project in `folder` with the files of this source tree, without results, data and caches."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "results", "resources")
    shutil.copytree(ROOT, folder, ignore=ignored, dirs_exist_ok=True)
    return Project(folder)
