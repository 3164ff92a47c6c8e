"""Makes the reports of a whole class: `./run class LIST`."""

import shutil
import sys
from pathlib import Path

from latentlab.records.class_list import read_class_list
from latentlab.records.config import load_config
from latentlab.report.class_overview import STUDENTS, write_overview
from latentlab.report.student_reports import TEMPLATES, StudentResult, make_reports
from latentlab.runtime.errors import UserError, exit_on_user_error
from latentlab.runtime.files import copy
from latentlab.runtime.provenance import REPOSITORY

FOLDER = Path("results/class")


def collect(result: StudentResult) -> None:
    """Copy a student's report into a folder of the student, or remove that folder if the report was not made."""
    target = FOLDER / STUDENTS / result.student.report.id
    shutil.rmtree(target, ignore_errors=True)
    if not result.error:
        for path in result.files():
            copy(result.folder / path, target / Path(path).name)


def main() -> None:
    with exit_on_user_error():
        if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
            raise UserError("name the list of the class: ./run class LIST; further arguments are for snakemake")
        config = load_config(REPOSITORY / "config.yaml")
        students = read_class_list(sys.argv[1], config, TEMPLATES)
        results = list(make_reports(students, FOLDER / "shared", config, sys.argv[2:] or ["--cores", "all"]))
        results.sort(key=lambda result: students.index(result.student))
        for result in results:
            collect(result)
        write_overview(results, FOLDER)
    failed = [result for result in results if result.error]
    for result in failed:
        print(f"latentlab: {result.student.report.id} ({result.student.place}): {result.error}", file=sys.stderr)
    print(
        f"latentlab: made {len(results) - len(failed)} of {len(results)} reports; see {FOLDER}/index.html",
        file=sys.stderr,
    )
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
