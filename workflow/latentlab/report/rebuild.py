"""Makes reports again from what was handed in, and says what differs: `./run rebuild FILE…`, PDFs, archives, or folders
of them.

The settings in a file are checked like any others, and nothing in it is executed. The code is that of this checkout: if
a file names another commit, that is said.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from latentlab.records.assignments import LOCAL_SETTINGS
from latentlab.records.class_list import Student, check_student
from latentlab.records.config import load_config
from latentlab.records.provenance import Provenance
from latentlab.records.settings import OWN_TEXTS
from latentlab.report.comparison import Comparison, without_control_characters
from latentlab.report.handed_in import HandedIn, read_handed_in
from latentlab.report.student_reports import TEMPLATES, StudentResult, make_reports
from latentlab.report.text import shorten
from latentlab.runtime.errors import UserError, exit_on_user_error
from latentlab.runtime.files import write_csv
from latentlab.runtime.provenance import REPOSITORY, digest

FOLDER = Path("results/rebuilt")  # has what was handed in, and what was made again
MAX_SENTENCES = 20
PERSONAL = {"assignment", "authors"}


class Verdict(msgspec.Struct, frozen=True):
    """What became of one file that was handed in."""

    file: Path
    authors: str
    """Empty where the file could not be read."""
    verdict: str
    """"same", "differs" or "not checked"."""
    sentences: list[str]
    """What is the same, what differs, or why it was not checked."""


def files_of(arguments: Sequence[str]) -> Iterator[Path]:
    """The files that the arguments name, and those in folders that they name."""
    for argument in map(Path, arguments):
        if argument.is_dir():
            yield from sorted(path for path in argument.rglob("*") if path.suffix.lower() in (".pdf", ".zip"))
        else:
            yield argument


def student_of(handed_in: HandedIn, folder: Path, config: dict[str, Any]) -> Student:
    """Whose report it is, with the settings of it; what it was made from is written into a folder below `folder`.

    Args:
        config: the contents of config.yaml.

    Raises:
        UserError: the settings are not valid.
    """
    texts = {name: handed_in.members[name] for name in OWN_TEXTS.values() if name in handed_in.members}
    origin = {"config.yaml": handed_in.members["config.yaml"]} | texts
    key = digest({name: content.hex() for name, content in origin.items()})[:12]
    own = folder / key
    own.mkdir(parents=True, exist_ok=True)
    for name, content in origin.items():
        (own / name).write_bytes(content)
    settings = load_config(own / "config.yaml")
    report = {"id": key} | {name: settings.get(name) for name in PERSONAL}
    report |= {setting: str((own / name).resolve()) for setting, name in OWN_TEXTS.items() if name in texts}
    # Settings that say where files lie could name any file of this machine.
    settings = {name: value for name, value in settings.items() if name not in PERSONAL | LOCAL_SETTINGS}
    if any(data.source == "synthetic" for data in handed_in.provenance.data):
        settings["data_source"] = "synthetic"
    try:
        return check_student(handed_in.name, report, settings, config, TEMPLATES)
    except UserError as error:
        raise UserError(f"its config.yaml is not valid: {error}") from error


def rebuild(files: Sequence[Path], folder: Path, arguments: Sequence[str]) -> list[Verdict]:
    """Make the reports in these files again, those with the same settings together, and compare them.

    Args:
        folder: where to make them.
        arguments: for Snakemake.
    """
    config = load_config(REPOSITORY / "config.yaml")
    verdicts: dict[Path, Verdict] = {}
    handed_in: dict[str, list[tuple[Path, HandedIn]]] = {}  # by the student's id: several files may be of one report
    students: dict[str, Student] = {}
    for path in files:
        try:
            content = read_handed_in(path)
            student = student_of(content, folder / "handed-in", config)
        except UserError as error:
            verdicts[path] = Verdict(path, "", "not checked", [without_control_characters(str(error))])
            continue
        students[student.report.id] = student
        handed_in.setdefault(student.report.id, []).append((path, content))
    for result in make_reports(students.values(), folder, config, arguments):
        for path, content in handed_in[result.student.report.id]:
            verdicts[path] = compare(path, content, result, config)
    return [verdicts[path] for path in files]


def compare(path: Path, handed_in: HandedIn, result: StudentResult, config: dict[str, Any]) -> Verdict:
    """What was handed in, beside what was made again from it."""
    authors = "; ".join(author.name for author in result.student.report.authors)
    if result.error:
        return Verdict(path, authors, "not checked", [f"it could not be made again: {result.error}"])
    made = result.members(config)
    comparison = Comparison(handed_in, made, Provenance.read(made["provenance.json"]))
    differences = comparison.differences()
    if not differences:
        return Verdict(path, authors, "same", [conclusion(comparison)])
    if comparison.other_commit:
        theirs, ours = comparison.handed_in.provenance.commit, comparison.provenance.commit
        differences.insert(0, f"it was made by commit {shorten(theirs)}, this is {ours}: that may explain differences")
    more = len(differences) - MAX_SENTENCES
    return Verdict(path, authors, "differs", differences[:MAX_SENTENCES] + [f"… and {more} more"] * (more > 0))


def conclusion(comparison: Comparison) -> str:
    """The sentence for a comparison without differences."""
    explanations = []
    if comparison.other_processor:
        explanations.append("last digits, as it comes from another kind of processor")
    if comparison.other_commit:
        theirs = shorten(comparison.handed_in.provenance.commit)
        explanations.append(f"the commit, which was {theirs} and is {comparison.provenance.commit} here")
    same = f"the same up to {' and '.join(explanations)}" if explanations else "the same bytes"
    files = comparison.not_compared()
    return f"made again: {same}" + f"; not compared, as their bytes differ: {', '.join(files)}" * bool(files)


def main() -> None:
    with exit_on_user_error():
        files = list(files_of(sys.argv[1:]))
        if not files:
            raise UserError("name what was handed in: ./run rebuild FILE…, PDFs, archives, or folders of them")
        verdicts = rebuild(files, FOLDER, ["--cores", "all"])
        table = [msgspec.structs.asdict(verdict) | {"sentences": "\n".join(verdict.sentences)} for verdict in verdicts]
        write_csv(FOLDER / "verdicts.csv", table)
    for verdict in verdicts:
        for sentence in verdict.sentences:
            print(f"latentlab: {verdict.file.name}: {sentence}", file=sys.stderr)
    if len(verdicts) > 1:
        counts = {
            kind: sum(verdict.verdict == kind for verdict in verdicts) for kind in ("same", "differs", "not checked")
        }
        summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        print(f"latentlab: {summary}; see {FOLDER}/verdicts.csv", file=sys.stderr)
    sys.exit(any(verdict.verdict != "same" for verdict in verdicts))


if __name__ == "__main__":
    main()
