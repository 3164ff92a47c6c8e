"""Makes the reports of many students: of a class, or again from what they handed in.

Students with the same settings share a working directory, in which everything but their pages is made once; trainings
that are equal in several of these are shared by Snakemake's cache between workflows. The error of one student stops no
other, and a run that was killed is continued by the next one.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from latentlab.records.assignments import Assignment, load_assignment
from latentlab.records.class_list import Student
from latentlab.runtime.files import write_yaml
from latentlab.runtime.jobs import is_done
from latentlab.runtime.provenance import REPOSITORY, digest
from latentlab.runtime.safe_yaml import read_yaml

TEMPLATES = REPOSITORY / "templates"
TARGET = "student_reports"


class StudentResult(msgspec.Struct, frozen=True):
    """What became of a student's report."""

    student: Student
    assignment: Assignment
    """With paths relative to the folder, and with the settings that were used if the report was made."""
    folder: Path
    """The working directory."""
    error: str | None
    """Why the report was not made."""

    def files(self) -> list[str]:
        """What is made for the student, relative to the folder."""
        return self.assignment.report_files() + self.assignment.notebook_files()

    def members(self, config: dict[str, Any]) -> dict[str, Path]:
        """The files of the submission: name in the archive → path.

        Args:
            config: the contents of config.yaml.
        """
        own = {key: value for key, value in msgspec.to_builtins(self.student.report).items() if key != "id"}
        members = self.assignment.submission_members(config | self.student.settings | own)
        return {name: self.folder / path for name, path in members.items()}


def make_reports(
    students: Iterable[Student], folder: Path, config: dict[str, Any], arguments: Sequence[str]
) -> Iterator[StudentResult]:
    """Make the reports of students as far as possible.

    Args:
        folder: gets a working directory for each group of students with the same settings.
        config: the contents of config.yaml.
        arguments: for Snakemake.
    """
    for settings, members in group_students(students):
        group = folder / digest(settings)[:12]
        _prepare(group, config, settings, members)
        done = _snakemake(group, folder / "cache", arguments).returncode == 0
        pending = set() if done else _pending_files(group, folder / "cache", arguments)
        for student in members:
            result = StudentResult(student, _load_assignment(student, config | settings), group, None)
            files = result.files()
            if pending.isdisjoint(files) and all((group / file).is_file() for file in files):
                # The arguments may name more settings; those that were used lie beside the report.
                used = read_yaml(group / result.assignment.report_folder / "config.yaml")
                yield msgspec.structs.replace(result, assignment=_load_assignment(student, config | used))
            else:
                yield msgspec.structs.replace(result, error=_reason(group, result.assignment))


def group_students(students: Iterable[Student]) -> list[tuple[dict[str, Any], list[Student]]]:
    """Students with the same settings, with these, in the order of their first members. A title is that of one
    assignment, so students with a title are grouped by their assignments as well."""
    groups: dict[str, tuple[dict[str, Any], list[Student]]] = {}
    for student in students:
        title = {"assignment": student.report.assignment} if student.settings.get("title") else {}
        settings = student.settings | title
        groups.setdefault(digest(settings), (settings, []))[1].append(student)
    return list(groups.values())


def _load_assignment(student: Student, config: dict[str, Any]) -> Assignment:
    assignment = load_assignment(TEMPLATES, student.report.assignment, config)
    return msgspec.structs.replace(assignment, student=student.report.id)


def _prepare(group: Path, config: dict[str, Any], settings: dict[str, Any], students: Sequence[Student]) -> None:
    """Write the configuration of a working directory, and let it use the data of this one, so that they are fetched
    once."""
    group.mkdir(parents=True, exist_ok=True)
    settings = settings | {"students": [msgspec.to_builtins(student.report) for student in students]}
    if config["data_dir"]:  # from here, not from the working directory of the group
        settings["data_dir"] = str(Path(os.path.expanduser(config["data_dir"])).resolve())
    write_yaml(group / "config.yaml", settings)
    resources, link = Path("resources").resolve(), group / "resources"
    resources.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(resources)


def _snakemake(folder: Path, cache: Path, arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    cache.mkdir(parents=True, exist_ok=True)
    paths = {"PYTHONPATH": str(REPOSITORY / "workflow"), "SNAKEMAKE_OUTPUT_CACHE": str(cache.resolve())}
    if not any(argument.startswith("--workflow-profile") for argument in arguments):
        arguments = ["--workflow-profile", str(REPOSITORY / "profiles/default"), *arguments]
    command = ["--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder), "--cache", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *command, "--", TARGET], env=os.environ | paths, text=True, **options
    )


def _pending_files(group: Path, cache: Path, arguments: Sequence[str]) -> set[str]:
    """The files that a run would make, relative to the working directory: of reports that could not be made."""
    process = _snakemake(group, cache, [*arguments, "--summary"], stdout=subprocess.PIPE)
    rows = [line.split("\t") for line in process.stdout.splitlines()]
    return {row[0] for row in rows[1:] if row[-1] != "no update"}


def _reason(folder: Path, assignment: Assignment) -> str:
    """Why a report was not made: the last line of the log of a job that failed, of the report's own first."""
    own = folder / assignment.report_folder.replace("results", "results/logs", 1)
    paths = [path for logs in (own, folder / "results/logs") for path in sorted(logs.rglob("*.log"))]
    lines = [path.read_text(encoding="utf-8").strip().splitlines() for path in paths]
    return next((text[-1] for text in lines if text and not is_done(text[-1])), "it was not made; see the terminal")
