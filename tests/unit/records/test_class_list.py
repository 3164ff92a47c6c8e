"""The list of a class is checked line by line before anything starts."""

import planted
import pytest

from latentlab.records.class_list import read_class_list
from latentlab.runtime.errors import UserError
from latentlab.runtime.safe_yaml import read_yaml

CONFIG = read_yaml(planted.ROOT / "config.yaml")
HEADINGS = "id,name,e-mail,assignment,epochs,sweep_dims,title,discussion\n"


@pytest.fixture
def read(tmp_path):
    """The students of a list with these lines, below the names of the columns."""

    def read(*lines, headings=HEADINGS, encoding="utf-8"):
        (tmp_path / "class.csv").write_text(headings + "\n".join(lines) + "\n", encoding=encoding)
        return read_class_list(tmp_path / "class.csv", CONFIG, planted.TEMPLATES)

    return read


def test_a_line_holds_a_student_and_settings(read, tmp_path):
    ada, grace = read(
        'a1,Ada Lovelace,ada@example.org,lab8,5,"[2, 4]",0123,texts/mine.md', "", '007,"Hopper, Grace",,,,,,'
    )
    assert (ada.place, ada.report.id, ada.report.assignment) == ("line 2", "a1", "lab8")
    assert ada.report.authors[0].email == "ada@example.org" and ada.report.authors[0].id == "a1"
    assert ada.settings == {"epochs": 5, "sweep_dims": [2, 4], "title": "0123"}
    assert ada.report.discussion == str(tmp_path / "texts/mine.md")
    assert (grace.place, grace.report.id, grace.report.authors[0].name) == ("line 4", "007", "Hopper, Grace")
    assert grace.report.assignment == CONFIG["assignment"] and grace.settings == {}


def test_semicolons_and_a_byte_order_mark_are_read_as_spreadsheets_write_them(read):
    (student,) = read("a1;Ada;5", headings="id;name;epochs\n", encoding="utf-8-sig")
    assert student.report.id == "a1" and student.settings == {"epochs": 5}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a 1,Ada,,,,,,", "line 2: id: must be made of letters, digits, '-' and '_', not 'a 1'"),
        (",Ada,,,,,,", "line 2: id: is empty"),
        ("a1,,,,,,,", "line 2: name: is empty"),
        ("a1,Ada,,lab9,,,,", "line 2: assignment: there is no assignment 'lab9'"),
        ("a1,Ada,,,many,,,", "line 2: epochs: must be a whole number or null, not 'many'"),
        ("a1,Ada,,,,[2,,", "line 2: sweep_dims: '\\[2' is not valid; write it as in config.yaml"),
        ("a1,Ada,,,,,,,,", "line 2: has 10 cells for 8 columns; put a cell that holds a comma in quotes"),
        ("a1,Ada,,,,,,\na1,Eve,,,,,,", "line 3: id: a1 is also in line 2"),
    ],
)
def test_a_bad_line_is_named_with_its_number(read, line, message):
    with pytest.raises(UserError, match=f"class.csv, {message}"):
        read(line)


def test_every_bad_line_has_a_sentence(read):
    with pytest.raises(UserError) as error:
        read("a1,Ada,,lab9,,,,", "b2,Bob,,,,,,", "c3,Cy,,,0,,,")
    lines = str(error.value).split("\n")
    assert len(lines) == 2 and "line 2: assignment" in lines[0] and "line 4: epochs: must be at least 1" in lines[1]


@pytest.mark.parametrize(
    ("headings", "message"),
    [
        ("id,name,epoch\n", "there is no column 'epoch'; did you mean epochs"),
        ("id,name,models\n", "there is no column 'models'"),
        ("id,assignment\n", "has no column name"),
        ("id,name,id\n", "has the column id twice"),
        ("", "has no students"),
    ],
)
def test_wrong_columns_are_named(read, headings, message):
    with pytest.raises(UserError, match=message):
        read(headings=headings)


def test_other_files_are_refused(read, tmp_path):
    with pytest.raises(UserError, match="no such file or directory"):
        read_class_list(tmp_path / "absent.csv", CONFIG, planted.TEMPLATES)
    with pytest.raises(UserError, match="not in UTF-8"):
        read("a1,Zoë,,,,,,", encoding="latin-1")
    with pytest.raises(UserError, match="has no students"):
        read()
