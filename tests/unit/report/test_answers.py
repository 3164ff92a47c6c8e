"""A student's own answers in a notebook."""

from types import SimpleNamespace

import pytest

from latentlab.report.answers import answer_numbers, replaced_answers
from latentlab.report.discussion import read_discussion
from latentlab.report.markdown import escape_html
from latentlab.runtime.errors import UserError

NUMBERS = ["1.3", "2.1", "4"]
METRICS = {"vae": SimpleNamespace(kl=6.54321)}


def replaced(folder, text):
    (folder / "mine.md").write_text(text)
    return {number: str(part) for number, part in replaced_answers(folder / "mine.md", METRICS, NUMBERS).items()}


def test_the_answers_of_a_template_are_found(tmp_path):
    template = tmp_path / "t.md.j2"
    template.write_text(
        '{% call answer("1.3") %}a{% endcall %}{% if x %}{% call answer("2.1") %}b{% endcall %}{% endif %}'
        '{% call other("9") %}c{% endcall %}{{ answer }}'
    )
    assert answer_numbers(template) == ["1.3", "2.1"]


def test_answers_are_replaced_by_number_and_stay_markdown(tmp_path):
    parts = replaced(
        tmp_path, "# 1.3 Mine\n\nThe KL is **{{ vae.kl }}**.\n\n- one\n- two\n\n## 4\n\n| a |\n|---|\n| b |\n"
    )
    assert parts == {"1.3": "The KL is **6.543**.\n\n- one\n- two", "4": "| a |\n|---|\n| b |"}


def test_an_answer_may_be_empty(tmp_path):
    assert replaced(tmp_path, "## 1.3\n\n## 4\n\nText.") == {"1.3": "", "4": "Text."}


def test_nothing_is_executed(tmp_path):
    text = "## 1.3\n\n{% for i in range(9) %}x{% endfor %}\n\n```python\nimport os\n```\n"
    assert replaced(tmp_path, text)["1.3"] == text.removeprefix("## 1.3\n\n").rstrip("\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Text.", "no heading begins with the number of an answer; begin each answer with one, as '## 1.3'"),
        ("## 1.3\n\nText.\n\n## 7\n\nMore.", "there is no section 7; this assignment has 1.3, 2.1, 4"),
        ("## 1.3\n\n## 1.3\n", "section 1.3 occurs twice; join the two"),
        ("Text.\n\n## 1.3\n", "the text before '## 1.3' is in no section; put it below a heading"),
        ("## 4\n\n{{ vae.kll }}", "line 3: there is no metric 'vae.kll'; did you mean vae.kl?"),
        (
            "## 4\n\n![x](https://example.org/x.png)",
            "line 3: a notebook's answers cannot show images; take this one out",
        ),
        ("## 4\n\n$\\frac{1$", "line 3: the formula"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(tmp_path, text, sentence):
    with pytest.raises(UserError) as error:
        replaced(tmp_path, text)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/mine.md") and sentence in message and "\n" not in message


def test_a_file_that_cannot_be_read_is_named_with_its_setting(tmp_path):
    with pytest.raises(
        UserError, match=r"config: notebook_answers: .*nowhere\.md: no such file or directory; name a Mark"
    ):
        read_discussion(tmp_path / "nowhere.md", "notebook_answers")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <b>bold</b> word", "a &lt;b>bold&lt;/b> word"),
        ("<script>\nalert(1)\n</script>\n\nafter", "&lt;script>\nalert(1)\n&lt;/script>\n\nafter"),
        ("> <img src=x\n> onerror=y>", "> &lt;img src=x\n> onerror=y>"),
        ("`a<b>` and $x<y>z$ and 1 < 2", "`a<b>` and $x<y>z$ and 1 < 2"),
        ("```\n<b>\n```", "```\n<b>\n```"),
        ("<!-- note -->", "&lt;!-- note -->"),
        ("\\`<i>\\`", "\\`&lt;i>\\`"),
    ],
)
def test_html_becomes_text_and_code_and_formulas_stay(text, expected):
    assert escape_html(text) == expected
