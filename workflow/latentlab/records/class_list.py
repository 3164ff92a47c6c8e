"""The list of a class: a CSV file with a line for each student, checked before anything starts."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from latentlab.records.assignments import load_assignment
from latentlab.records.config import check_config
from latentlab.records.settings import OWN_TEXTS, Settings, StudentReport
from latentlab.records.validation import short_repr, suggestion
from latentlab.runtime.errors import UserError

MAX_BYTES, MAX_STUDENTS = 2_000_000, 2000
COLUMNS = ("id", "name", "e-mail", "assignment")
PLACE = re.compile(r"config: (students\.0\.(authors\.0\.)?)?")  # what a list has columns for in place of
NOT_COLUMNS = {"models", "students", "authors", "assignment", "data_dir"}  # settings that no column gives


class Student(msgspec.Struct, frozen=True):
    """A student, and the settings of the report."""

    place: str
    """Where the student is listed: "line 7", or the name of what was handed in."""
    report: StudentReport
    settings: dict[str, Any]
    """What differs from config.yaml."""


def read_class_list(path: str | Path, config: dict[str, Any], templates: str | Path) -> list[Student]:
    """The students of a class.

    The first line names the columns: `id`, `name`, `e-mail`, `assignment`, and any setting of config.yaml. An empty
    cell leaves a setting, or the assignment, as config.yaml has it. Paths start from the folder of the list.

    Args:
        config: the contents of config.yaml.
        templates: the folder of the assignments.

    Raises:
        UserError: one sentence for each line that is not valid.
    """
    path = Path(path)
    rows = list(_read_rows(path))
    students, mistakes, lines = [], [], {}
    for line, row in rows:
        try:
            student = _read_student(line, row, path.parent, config, templates)
            if student.report.id in lines:
                raise UserError(f"id: {student.report.id} is also in line {lines[student.report.id]}; ids are unique")
            lines[student.report.id] = line
            students.append(student)
        except UserError as error:
            mistakes.append(f"{path}, line {line}: {PLACE.sub('', str(error))}")
    if mistakes:
        raise UserError("\n".join(mistakes))
    if not students:
        raise UserError(f"{path}: has no students; write a line for each below the names of the columns")
    return students


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The number and the cells of each line but empty ones."""
    text = _read_text(path)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    columns: list[str] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not columns:
                columns = _check_columns(path, cells)
                continue
            if len(cells) > len(columns):
                raise UserError(
                    f"{path}, line {reader.line_num}: has {len(cells)} cells for {len(columns)} columns; put a cell "
                    "that holds a comma in quotes"
                )
            yield reader.line_num, dict(zip(columns, cells, strict=False))
            if reader.line_num > MAX_STUDENTS:
                raise UserError(f"{path}: has more than {MAX_STUDENTS} lines; divide it")
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from error


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {str(error.strerror).lower()}; name the list of the class") from error
    if len(raw) > MAX_BYTES:
        raise UserError(f"{path}: more than {MAX_BYTES // 1_000_000} MB are no list of a class; name a CSV file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not in UTF-8; save it as “CSV UTF-8”") from error


def _check_columns(path: Path, cells: list[str]) -> list[str]:
    columns = ["e-mail" if cell.lower() == "email" else cell for cell in cells]
    settings = sorted(set(Settings.__struct_fields__) - NOT_COLUMNS)
    for column in columns:
        if column not in COLUMNS and column not in settings:
            hint = suggestion(column, [*COLUMNS, *settings])
            raise UserError(f"{path}: there is no column {short_repr(column)}; {hint}")
        if columns.count(column) > 1:
            raise UserError(f"{path}: has the column {column} twice; remove one")
    for column in COLUMNS[:2]:
        if column not in columns:
            raise UserError(f"{path}: has no column {column}; its first line names the columns: {', '.join(COLUMNS)}")
    return columns


def _read_student(
    line: int, row: Mapping[str, str], folder: Path, config: dict[str, Any], templates: str | Path
) -> Student:
    settings = {key: _read_cell(key, cell) for key, cell in row.items() if key not in COLUMNS and cell}
    texts = {key: str((folder / str(settings.pop(key))).resolve()) for key in OWN_TEXTS if key in settings}
    for column in COLUMNS[:2]:
        if not row.get(column):
            raise UserError(f"{column}: is empty; every student has one")
    author = {"name": row["name"], "id": row["id"], "email": row.get("e-mail") or None}
    assignment = row.get("assignment") or config["assignment"]
    report = {"id": row["id"], "assignment": assignment, "authors": [author]} | texts
    return check_student(f"line {line}", report, settings, config, templates)


def check_student(
    place: str, report: dict[str, Any], settings: dict[str, Any], config: dict[str, Any], templates: str | Path
) -> Student:
    """The student of a report.

    Raises:
        UserError: the report or the settings are not valid, or there is no such assignment.
    """
    own = config | settings | {"assignment": report["assignment"], "students": [report]}
    check_config(own)
    load_assignment(templates, report["assignment"], own)
    return Student(place, StudentReport.from_dict(report), settings)


def _read_cell(key: str, cell: str) -> Any:
    """A setting as config.yaml has it; texts are not read as anything else."""
    if key in ("title", "course", *OWN_TEXTS):
        return cell
    try:
        return yaml.safe_load(cell)
    except yaml.YAMLError as error:
        raise UserError(f"{key}: {short_repr(cell)} is not valid; write it as in config.yaml") from error
