"""A report is made again from settings that cannot name files of this machine."""

from pathlib import Path

import planted
import pytest
import yaml

from latentlab.report.handed_in import HandedIn
from latentlab.report.rebuild import compare, student_of
from latentlab.report.student_reports import StudentResult
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

CONFIG = read_yaml(planted.ROOT / "config.yaml")
SETTINGS = {"assignment": "lab8", "authors": [{"name": "Ada Example"}]}


def handed_in(folder, settings, source="published", **texts):
    provenance = planted.provenance(planted.metrics(planted.load("lab8"), folder), source)
    members = {"config.yaml": yaml.safe_dump(SETTINGS | settings).encode()}
    members |= {f"{name}.md": text for name, text in texts.items()}
    return HandedIn("x.pdf", b"", members, provenance)


def student(folder, settings, **options):
    return student_of(handed_in(folder, settings, **options), folder / "handed-in", CONFIG)


def test_settings_that_name_files_are_not_used(tmp_path):
    hostile = {"data_dir": "/etc", "discussion": "/etc/passwd", "device": "cuda", "students": [1]}
    made = student(tmp_path, {"seed": 3} | hostile)
    assert made.settings == {"seed": 3} and made.report.discussion is made.report.notebook_answers is None


def test_the_text_that_was_handed_in_is_used(tmp_path):
    made = student(tmp_path, {"discussion": "/etc/passwd"}, discussion=b"# Mine")
    assert Path(made.report.discussion).read_bytes() == b"# Mine"
    assert Path(made.report.discussion).is_relative_to(tmp_path)


def test_synthetic_data_are_drawn_again(tmp_path):
    assert student(tmp_path, {}, source="synthetic").settings == {"data_source": "synthetic"}


def test_the_same_settings_by_two_authors_are_two_students(tmp_path):
    ids = {student(tmp_path, {"authors": [{"name": name}]}).report.id for name in ("Ada", "Grace", "Ada")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"assignment": "../../etc"}, "assignment"),
        ({"assignment": "lab9"}, "there is no assignment 'lab9'"),
        ({"assignment": None}, "assignment"),
        ({"authors": "Ada"}, "authors: must be a list"),
        ({"epochs": "many"}, "epochs: must be a whole number or null, not 'many'"),
        ({"no_such_key": 1}, "no_such_key"),
    ],
)
def test_settings_that_are_not_valid_are_named(tmp_path, settings, message):
    with pytest.raises(UserError, match=f"its config.yaml is not valid: .*{message}"):
        student(tmp_path, settings)


def test_a_report_that_cannot_be_made_again_is_not_checked(tmp_path):
    made = student(tmp_path, {})
    result = StudentResult(made, planted.load("lab8"), tmp_path, "the page does not fit")
    verdict = compare(tmp_path / "x.pdf", handed_in(tmp_path, {}), result, CONFIG)
    assert (verdict.authors, verdict.verdict) == ("Ada Example", "not checked")
    assert verdict.sentences == ["it could not be made again: the page does not fit"]
