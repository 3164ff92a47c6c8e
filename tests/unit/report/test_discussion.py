from types import SimpleNamespace

import msgspec
import planted
import pytest

from latentlab.report.discussion import discussion_to_html, read_discussion, split_sections
from latentlab.runtime.errors import UserError

METRICS = {
    "vae": SimpleNamespace(
        test=msgspec.structs.replace(planted.losses, negative_elbo=-1234.5678),
        name="x",
        projection=planted.projection,
    )
}


def to_html(folder, text):
    (folder / "mine.md").write_text(text, encoding="utf-8")
    (html,) = discussion_to_html(folder / "mine.md", METRICS).values()
    return html


def test_metrics_are_quoted_by_name(tmp_path):
    text = "{{ vae.test.negative_elbo }} and {{vae.projection.explained.1}}, *{{ vae.name }}*"
    assert "<p>−1235 and 0.2, <em>x</em></p>" in to_html(tmp_path, text)


def test_an_unknown_name_is_an_error_that_names_the_line(tmp_path):
    with pytest.raises(UserError, match=r"mine\.md, line 3: there is no metric 'vae\.test\.elbow'; did you mean"):
        to_html(tmp_path, "one\n\n{{ vae.test.elbow }}")


def test_a_name_unlike_any_other_is_an_error_that_explains_names(tmp_path):
    with pytest.raises(UserError, match=r"there is no metric 'zzzzzz'; a name is that of a model and the path"):
        to_html(tmp_path, "{{ zzzzzz }}")


@pytest.mark.parametrize("attack", ["{{ 7 * 7 }}", "{{ vae.__class__ }}", "{{ config }}", "{{ ''.join([]) }}"])
def test_nothing_is_evaluated(tmp_path, attack):
    with pytest.raises(UserError, match="there is no metric"):
        to_html(tmp_path, attack)


def test_statements_and_html_stay_text(tmp_path):
    html = to_html(tmp_path, "{% include 'x' %} <script>alert(1)</script> <b>bold</b>")
    assert "<script" not in html and "<b>" not in html and "{% include" in html


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_discussion(tmp_path / "none.md")
    with pytest.raises(UserError, match="is a directory"):
        read_discussion(tmp_path)
    (tmp_path / "latin.md").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.md: is not UTF-8"):
        read_discussion(tmp_path / "latin.md")


SECTIONS = {"1": "One", "2.1": "Two", "2.2": "Three"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("## 2.1\nmine\n", {"2.1": "\nmine\n"}),
        ("\n## 2.1 as I call it\nmine\n## 1. x\nalso", {"2.1": "\nmine\n", "1": "\nalso"}),
        ("## Mine\nall of it", {"": "## Mine\nall of it"}),
        ("## 3 dogs\n### 2.1", {"": "## 3 dogs\n### 2.1"}),
        ("words about 2.1", {"": "words about 2.1"}),
    ],
)
def test_headings_determine_what_is_replaced(text, parts):
    assert split_sections(text, SECTIONS) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## 2.1\nx\n## 2.3\ny", r"mine\.md: there is no section 2\.3; this assignment has 1, 2\.1, 2\.2"),
        ("## 2.1\nx\n## 2.1\ny", "section 2.1 occurs twice"),
        ("lost\n## 2.1\nx", "the text before '## 2.1' is in no section"),
    ],
)
def test_no_text_of_a_student_is_lost_silently(text, message):
    with pytest.raises(UserError, match=message):
        split_sections(text, SECTIONS, "mine.md")
