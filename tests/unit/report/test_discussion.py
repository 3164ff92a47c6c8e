import os
from pathlib import Path
from types import SimpleNamespace

import msgspec
import planted
import pytest

from latentlab.report.discussion import discussion_to_html, read_discussion
from latentlab.report.markdown import markdown_to_html
from latentlab.report.metrics_reference import metrics_reference
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
        ("## 2.1\nmine\n", {"2.1": "<p>mine</p>"}),
        ("\n## 2.1 as I call it\nmine\n## 1. x\nalso", {"2.1": "<p>mine</p>", "1": "<p>also</p>"}),
        ("## Mine\nall of it", {"": "<h2>Mine</h2>\n<p>all of it</p>"}),
        ("words about 2.1", {"": "<p>words about 2.1</p>"}),
        ("### 2.2\nany level", {"2.2": "<p>any level</p>"}),
        ("# 2.2\nany level", {"2.2": "<p>any level</p>"}),
        ("##2.2\nwithout a space", {"2.2": "<p>without a space</p>"}),
        (
            "## 2.2\n\n```\n## 2.1\n```\n",
            {"2.2": "<pre><code>## 2.1\n</code></pre>"},
        ),
    ],
)
def test_headings_determine_what_is_replaced(text, parts):
    assert {number: html.strip() for number, html in markdown_to_html(text, SECTIONS).items()} == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## 2.1\nx\n## 2.3\ny", r"mine\.md: there is no section 2\.3; this assignment has 1, 2\.1, 2\.2"),
        ("## 2.1\nx\n## 2.1\ny", "section 2.1 occurs twice"),
        ("lost\n\n## 2.1\nx", "the text before '## 2.1' is in no section"),
    ],
)
def test_no_text_of_a_student_is_lost_silently(text, message):
    with pytest.raises(UserError, match=message):
        markdown_to_html(text, SECTIONS, "mine.md")


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "mine.md").write_bytes(b"\xef\xbb\xbf## 2.1\nmine")
    assert set(discussion_to_html(tmp_path / "mine.md", METRICS, SECTIONS)) == {"2.1"}


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/passwd", "a\0b.md"])
def test_only_a_text_file_is_read(path):
    with pytest.raises(UserError, match=r"config: discussion: .*; name a Markdown file, or null"):
        read_discussion(path)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(UserError, match="is not a regular file"):
        read_discussion(tmp_path / "pipe.md")


def test_formulas_are_pictures_with_alternative_texts_and_amounts_are_not():
    (html,) = markdown_to_html("The bound on $q(z|x)$ costs $5 and $6.").values()
    assert html.count("<img") == 1 and 'alt="q(z|x)"' in html and "$5 and $6" in html
    with pytest.raises(UserError, match=r"mine\.md, line 3: the formula “\\frac\{1” cannot be drawn"):
        markdown_to_html("one\n\n$\\frac{1$", source="mine.md")


def test_a_word_without_end_and_deep_nesting_are_refused_at_once():
    with pytest.raises(UserError, match="is too long for a line: divide it"):
        markdown_to_html("[" * 20_000)
    with pytest.raises(UserError, match="nested too deep"):
        markdown_to_html("> " * 40 + "x")


def test_the_list_of_metrics_is_up_to_date():
    path = Path(__file__).parents[3] / "docs/metrics.md"
    assert path.read_text(encoding="utf-8") == metrics_reference(), "python -m latentlab.report.metrics_reference"
    assert "| `test.kl` | KL(q(z" in metrics_reference() and "| `plane.grid.near` |" in metrics_reference()


def test_hyphens_of_names_stay_hyphens(tmp_path):
    metrics = {"vae": SimpleNamespace(model="lab8-vae", kl=-1.5)}
    (tmp_path / "mine.md").write_text("{{ vae.model }} {{ vae.kl }}")
    (html,) = discussion_to_html(tmp_path / "mine.md", metrics).values()
    assert html.strip() == "<p>lab8-vae \u22121.5</p>"
