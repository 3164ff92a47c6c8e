import os
import re
import time
from types import SimpleNamespace

import msgspec
import planted
import pytest

from latentlab.report.discussion import discussion_to_html, read_discussion
from latentlab.report.markdown import markdown_to_html
from latentlab.report.metrics_context import quotable_metrics
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


def test_a_format_says_how_a_metric_is_printed(tmp_path):
    loss, share = "vae.test.negative_elbo", "vae.projection.explained.1"
    quotes = f"{{{{ {loss} | number }}}}, {{{{ {loss}|number(2) }}}}, {{{{ {share} | percent }}}}"
    assert "<p>−1\u202f234.6, −1\u202f234.57, 20\u202f%</p>" in to_html(tmp_path, quotes)


@pytest.mark.parametrize(
    ("quote", "message"),
    [
        ("vae.test.negative_elbo | upper", r"mine\.md, line 1: there is no format 'upper': write number, number\(2\)"),
        ("vae.test.negative_elbo | number(10)", r"there is no format 'number\(10\)'"),
        ("vae.test.negative_elbo |", "there is no format ''"),
        ("vae.name | percent", r"line 1: vae\.name is a text: quote it without a format"),
    ],
)
def test_an_unknown_format_is_an_error(tmp_path, quote, message):
    with pytest.raises(UserError, match=message):
        to_html(tmp_path, f"{{{{ {quote} }}}}")


def test_an_unknown_name_is_an_error_that_names_the_line(tmp_path):
    with pytest.raises(UserError, match=r"mine\.md, line 3: there is no metric 'vae\.test\.elbow'; did you mean"):
        to_html(tmp_path, "one\n\n{{ vae.test.elbow }}")


def test_a_name_unlike_any_other_is_an_error_that_explains_names(tmp_path):
    with pytest.raises(
        UserError, match=r"there is no metric 'zzzzzz'; a name is that of .* docs/metrics\.md lists them all"
    ):
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
        ("## 1.2.3 of my own numbers\nx", {"": "<h2>1.2.3 of my own numbers</h2>\n<p>x</p>"}),
        ("## Mine\nall of it", {"": "<h2>Mine</h2>\n<p>all of it</p>"}),
        ("words about 2.1", {"": "<p>words about 2.1</p>"}),
        ("### 2.2\nany level", {"2.2": "<p>any level</p>"}),
        ("# 2.2\nany level", {"2.2": "<p>any level</p>"}),
        ("##2.2\nwithout a space", {"2.2": "<p>without a space</p>"}),
        ("## 2.2\n\n```\n## 2.1\n```\n", {"2.2": "<pre><code>## 2.1\n</code></pre>"}),
        ("~~~\n##2.1\n~~~\n", {"": "<pre><code>##2.1\n</code></pre>"}),
        ("##2.2\n\n    ##2.1\n", {"2.2": "<pre><code>##2.1\n</code></pre>"}),
        ("#2.2\nx", {"2.2": "<p>x</p>"}),
        ("#1 reason is this", {"": "<p>#1 reason is this</p>"}),
        ("## **2.2:** emphasised\nx", {"2.2": "<p>x</p>"}),
        ("2.2 underlined\n---\nx", {"2.2": "<p>x</p>"}),
        ("## 2.2\n### 3 reasons\nx", {"2.2": "<h3>3 reasons</h3>\n<p>x</p>"}),
        ("## 2.2\n## I think\nx", {"2.2": "<h2>I think</h2>\n<p>x</p>"}),
        ("## 2.2\n> ## 2.1\n> x", {"2.2": "<blockquote>\n<h2>2.1</h2>\n<p>x</p>\n</blockquote>"}),
        ("## 2.2\n[x]\n## 2.1\n[x]: https://a.b", {"2.2": '<p><a href="https://a.b">x</a></p>', "2.1": ""}),
    ],
)
def test_headings_determine_what_is_replaced(text, parts):
    assert {number: html.strip() for number, html in markdown_to_html(text, SECTIONS).items()} == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## 2.1\nx\n## 2.3\ny", r"mine\.md: there is no section 2\.3; this assignment has 1, 2\.1, 2\.2"),
        ("## 2.3 alone\nx", r"mine\.md: there is no section 2\.3; this assignment has 1, 2\.1, 2\.2"),
        ("## 2.1\nx\n## 2.1\ny", "section 2.1 occurs twice"),
        ("lost\n\n## 2.1\nx", "the text before '## 2.1' is in no section"),
    ],
)
def test_no_text_of_a_student_is_lost_silently(text, message):
    with pytest.raises(UserError, match=message):
        markdown_to_html(text, SECTIONS, "mine.md")


@pytest.mark.parametrize(
    ("text", "levels"),
    [("# A\n### B\n###### C\n## D", "1232"), ("#### A\n## B", "22"), ("## 2.1\n##### A\n#### B\n## C\n#### D", "3423")],
)
def test_headings_skip_no_level(text, levels):
    (html,) = markdown_to_html(text, SECTIONS).values()
    assert "".join(re.findall(r"<h(\d)>", html)) == levels == "".join(re.findall(r"</h(\d)>", html))


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "mine.md").write_bytes(b"\xef\xbb\xbf## 2.1\nmine")
    assert set(discussion_to_html(tmp_path / "mine.md", METRICS, SECTIONS)) == {"2.1"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/dev/zero", "is not a regular file"),
        ("/etc/passwd", r"its name does not end in \.md, \.markdown or \.txt"),
        ("a\0b.md", "a path cannot contain NUL characters"),
        ("x" * 5000 + ".md", "file name too long"),
    ],
)
def test_only_a_text_file_is_read(path, reason):
    with pytest.raises(UserError, match=rf"config: discussion: .*: {reason}; name a Markdown file, or null") as error:
        read_discussion(path)
    assert "\n" not in str(error.value) and "\0" not in str(error.value)


def test_a_link_to_a_text_file_is_read_and_line_ends_are_unified(tmp_path):
    (tmp_path / "text.TXT").write_bytes(b"one\r\ntwo\rthree\n")
    (tmp_path / "mine.md").symlink_to(tmp_path / "text.TXT")
    assert read_discussion(tmp_path / "mine.md") == read_discussion(tmp_path / "text.TXT") == "one\ntwo\nthree\n"


def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path):
    (tmp_path / "nul.md").write_bytes(b"a\0b")
    with pytest.raises(UserError, match=r"nul\.md: contains NUL characters"):
        read_discussion(tmp_path / "nul.md")
    (tmp_path / "long.md").write_text("é" * 10_001)
    with pytest.raises(UserError, match=r"long\.md: 20,002 bytes are far more .* shorten it to 20,000 at most"):
        read_discussion(tmp_path / "long.md")


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(UserError, match="is not a regular file"):
        read_discussion(tmp_path / "pipe.md")


def test_formulas_are_pictures_with_alternative_texts_and_amounts_are_not():
    (html,) = markdown_to_html("The bound on $q(z|x)$ costs $5 and $6.").values()
    assert html.count("<img") == 1 and 'alt="q(z|x)"' in html and "$5 and $6" in html
    with pytest.raises(UserError, match=r"mine\.md, line 3: the formula “\\frac\{1” cannot be drawn"):
        markdown_to_html("one\n\n$\\frac{1$", source="mine.md")


@pytest.mark.parametrize(
    ("text", "n_formulas"),
    [
        ("$z$ has length 2", 1),
        ("$z$ and $x$, $\\beta$-VAE ($q$)", 4),
        ("$$z$$", 1),
        ("$$\na\n+ b\n$$\n\nInline $$c$$ too", 2),
        ("> $$\n> z\n> $$\n\n- $z$\n\n|a|\n|-|\n|$q(z\\|x)$|", 3),
        ("$2 \\times 3$ and $0.5 x$", 2),
        ("`$z$`\n\n    $z$\n\n```\n$$z$$\n```", 0),
        ("$5 and $6, or 5$ and 6$", 0),
        ("$5 and 6$ or $6, or 5$", 0),
        ("\\$z\\$ and $ z $ and US$5", 0),
        ("$HOME and $PATH, $", 0),
        ("$$\nnever closed", 0),
    ],
)
def test_what_is_a_formula(text, n_formulas):
    (html,) = markdown_to_html(text).values()
    assert html.count('<img class="formula"') == n_formulas
    assert "$" not in html or n_formulas == 0


def test_a_formula_of_its_own_is_centred_in_a_block():
    (html,) = markdown_to_html("$$z$$\n\nand $$z$$ and $z$").values()
    assert html.count('<p class="display"><img') == 1 and html.count('<span class="display"><img') == 1


def test_a_metric_can_be_quoted_in_a_formula(tmp_path):
    assert 'alt="β = 0.2"' in to_html(tmp_path, "$\\beta = {{ vae.projection.explained.1 }}$")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n`b\nc` and\n$\\foo$", 4),
        ("a\n\n- b\n- c\n  $\\foo$", 5),
        ("\n\n$$\n\\foo\n$$", 3),
        ("|a|\n|-|\n|$\\foo$|", 3),
    ],
)
def test_the_line_of_a_wrong_formula_is_named(text, line):
    message = rf"mine\.md, line {line}: the formula “\\foo” cannot be drawn: unknown symbol: \\foo; correct it"
    with pytest.raises(UserError, match=message):
        markdown_to_html(text, source="mine.md")


def test_control_characters_are_left_out():
    (html,) = markdown_to_html("a\x07b \u202ec\td").values()
    assert html == "<p>ab c\td</p>\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 20_000, r"line 1: the word “\[+…” of 20,000 characters is too long for a line: divide it"),
        (
            "x\n\n" + "> " * 40 + "x",
            "line 3: lists, quotations and emphasis are nested too deep: use fewer than 20 levels",
        ),
        ("*" * 200 + "x" + "*" * 200, "nested too deep"),
        ("a\n\n" * 6_600, "6,600 paragraphs, list items, .* are far more than one page holds"),
        ("`a` " * 5_000, "5,001 paragraphs, list items, .* are far more than one page holds"),
        ("".join(f"$a_{i}$ " for i in range(2_000)), "far more than one page holds"),
        ("$" + "x+" * 9_000 + "x$", "cannot be drawn: it has more than 1000 characters"),
        ("{{" + " " * 19_000, None),
        ("a\n" * 10_000, None),
        ("$\\$" * 6_000, "3,001 paragraphs, list items"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_any_text_is_read_in_a_few_seconds(tmp_path, text, reason):
    start = time.monotonic()
    if reason is None:
        to_html(tmp_path, text)
    else:
        with pytest.raises(UserError, match=reason):
            to_html(tmp_path, text)
    assert time.monotonic() - start < 20


def test_the_list_of_metrics_is_up_to_date():
    path = planted.ROOT / "docs/metrics.md"
    assert path.read_text(encoding="utf-8") == metrics_reference(), "python -m latentlab.report.metrics_reference"
    assert "| `vae.test.kl` | KL(q(z\\|x) ‖ p(z)); only of a model with a prior. |" in metrics_reference()


@pytest.mark.parametrize("name", planted.ASSIGNMENTS)
def test_every_metric_of_a_page_is_in_the_list(name, tmp_path):
    listed = {entry.partition(".")[2] for entry in re.findall(r"^\| `(.*?)` \|", metrics_reference(), re.MULTILINE)}
    for quotable in quotable_metrics(planted.metrics(planted.load(name), tmp_path)):
        path = re.sub(r"\.\d+(?=\.|$)", ".0", quotable.partition(".")[2])
        path = re.sub(r"(methods)\.\w+", r"\1.quadrature", re.sub(r"(?:settings\.).*", "settings.beta", path))
        assert path in listed, quotable


def test_hyphens_of_names_stay_hyphens(tmp_path):
    metrics = {"vae": SimpleNamespace(model="lab8-vae", kl=-1.5)}
    (tmp_path / "mine.md").write_text("{{ vae.model }} {{ vae.kl }}")
    (html,) = discussion_to_html(tmp_path / "mine.md", metrics).values()
    assert html.strip() == "<p>lab8-vae \u22121.5</p>"
