import pytest

from latentlab import discussion
from latentlab.errors import UserError

METRICS = {"vae": {"test": {"elbo": -1234.5678, "kl": 6.0}, "name": "x", "code": {"std": [1.5, 2.5]}}}


def html(tmp_path, text):
    (tmp_path / "mine.md").write_text(text, encoding="utf-8")
    (page,) = discussion.to_html(tmp_path / "mine.md", METRICS).values()
    return page


def test_figures_are_quoted_by_name(tmp_path):
    assert "<p>−1235 and 2.5, <em>x</em></p>" in html(
        tmp_path, "{{ vae.test.elbo }} and {{vae.code.std.1}}, *{{ vae.name }}*"
    )


def test_an_unknown_name_is_an_error_that_names_the_line(tmp_path):
    with pytest.raises(UserError, match=r"mine\.md, line 3: no figure is called 'vae\.test\.elbow'; did you mean"):
        html(tmp_path, "one\n\n{{ vae.test.elbow }}")


@pytest.mark.parametrize("attack", ["{{ 7 * 7 }}", "{{ vae.__class__ }}", "{{ config }}", "{{ ''.join([]) }}"])
def test_nothing_is_evaluated(tmp_path, attack):
    with pytest.raises(UserError, match="no figure is called"):
        html(tmp_path, attack)


def test_statements_and_html_stay_text(tmp_path):
    page = html(tmp_path, "{% include 'x' %} <script>alert(1)</script> <b>bold</b>")
    assert "<script" not in page and "<b>" not in page and "{% include" in page


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        discussion.read(tmp_path / "none.md")
    with pytest.raises(UserError, match="is a directory"):
        discussion.read(tmp_path)
    (tmp_path / "latin.md").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        discussion.read(tmp_path / "latin.md")


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
def test_headings_say_what_is_replaced(text, parts):
    assert discussion.divide(text, SECTIONS) == parts


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("## 2.1\nx\n## 2.3\ny", r"mine\.md: there is no section 2\.3; this hand-in has 1, 2\.1, 2\.2"),
        ("## 2.1\nx\n## 2.1\ny", "section 2.1 is there twice"),
        ("lost\n## 2.1\nx", "the text before '## 2.1' is in no section"),
    ],
)
def test_nothing_of_a_student_s_text_is_lost_without_a_word(text, sentence):
    with pytest.raises(UserError, match=sentence):
        discussion.divide(text, SECTIONS, "mine.md")
