"""Pages of which some part cannot be read: each ends in a sentence that names it."""

import planted
import pytest

from latentlab.report import layout
from latentlab.report.fonts import font_faces
from latentlab.report.formulas import formula_to_html
from latentlab.report.pdf import print_pdf
from latentlab.runtime.errors import UserError

PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font: var(--body) 'Source Serif' }} img {{ display: block }} {fonts}</style></head>
<body>{body}<section id="discussion"><p>{text}</p></section><div id="end"></div></body></html>"""
TEXT = "One sentence that is here to its very last word."
FIGURE = (
    '<img alt="{name}" style="{style}" src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 '
    'width=%22{width}mm%22 height=%2220mm%22/%3E">'
)


def print_page(folder, body="", text=TEXT):
    path = folder / "page.html"
    path.write_text(PAGE.format(body=body, text=text, fonts=font_faces(text + body)))
    return print_pdf(path, folder / "page.pdf")


def figure(width, name="a figure", style=""):
    return FIGURE.format(width=width, name=name, style=style)


def test_a_readable_page_passes(tmp_path):
    print_page(tmp_path, figure(186) + "<p>z<sub>1</sub> and x<sup>2</sup></p>")
    assert (tmp_path / "page.pdf").exists()


@pytest.mark.parametrize(
    ("body", "text", "message"),
    [
        (figure(200), TEXT, "the figure “a figure” extends 14 mm over the page's margin"),
        (
            figure(50, "one") + figure(50, "two", "margin-top: -5mm"), TEXT,
            "the figures “one” and “two” overlap: make one smaller in assignment.yaml",
        ),
        (f'<p style="white-space: nowrap">{"w" * 300}</p>', TEXT, "over the page's margin: shorten or divide it"),
        ('<p>Above</p><p style="margin-top: -7mm">Below</p>', TEXT, "the words “Above” and “Below” overlap"),
        (figure(50) + '<p style="margin: -10mm 0 10mm">On</p>', TEXT, "the word “On” overlaps the figure “a figure”"),
        (
            f'<div style="height: 8mm; overflow: hidden"><p>{"line<br>" * 9}</p></div>', "&nbsp;<br>" * 12 + TEXT,
            "is cut off by its box: shorten the text there",
        ),
        ("", f'Seen. <span style="display: none">{TEXT}</span>', "the discussion's last words, “"),
    ],
)  # fmt: skip
def test_an_unreadable_page_ends_in_a_sentence(tmp_path, body, text, message):
    (tmp_path / "page.pdf").write_text("an earlier one")
    with pytest.raises(UserError) as error:
        print_page(tmp_path, body, text)
    assert message in str(error.value) and "page.html: " in str(error.value)
    assert (tmp_path / "page.pdf").read_text() == "an earlier one", "the earlier file stays"


@pytest.mark.parametrize(
    "text",
    [
        "ends with 🦆", "ends with zero\u200b", "a pasted ﬁ", "letters of mathematics 𝑧 𝔼", "السلام عليكم 12 مرحبا",
        "a mark \ufeff", "e\u0301 ½ x² −5 and a soft\u00adhyphen", "שלום עולם", "漢字", "Ada \u2066B\u2069",
        "ends 1\u20442", "<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>",
        "<table><tr><td>a</td><td>b</td></tr></table>",
        "السلام عليكم mixed with Latin ﬁ 🦆 " * 40,
    ],
)  # fmt: skip
def test_text_that_no_program_could_find_again_in_the_pdf_passes(tmp_path, text):
    print_page(tmp_path, text=text)
    assert (tmp_path / "page.pdf").exists()


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "cut off 🦆", "𝑧 ﬁ"])
@pytest.mark.parametrize("style", ["display: none", "visibility: hidden"])
def test_the_same_text_is_missed_if_it_is_not_printed(tmp_path, text, style):
    with pytest.raises(UserError, match="the discussion's last words, “"):
        print_page(tmp_path, text=f'Seen. <span style="{style}">{text}</span>')


def test_a_word_beyond_the_basic_plane_is_named_as_it_is(tmp_path):
    with pytest.raises(UserError) as error:
        print_page(tmp_path, f'<p style="white-space: nowrap">{"𝑧" * 300}</p>')
    assert "the word “𝑧𝑧𝑧" in str(error.value) and str(error.value).encode("utf-8")


def test_a_formula_is_made_narrower_and_refused_where_it_is_much_too_wide(tmp_path):
    column = '<div style="width: {}mm">{}</div><style>img.formula {{ max-width: 100%; display: inline }}</style>'
    formula = formula_to_html(r"\log p(x) \geq \mathbb{E}_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x)\,\|\,p(z))")
    print_page(tmp_path, column.format(58, formula))
    with pytest.raises(UserError, match=r"the formula “log p\(x\) .*…” is too wide for its column: divide it"):
        print_page(tmp_path, column.format(30, formula))


def test_a_formula_over_the_margin_is_named(tmp_path):
    formula = formula_to_html(" + ".join(f"x_{{{i}}}" for i in range(100)))
    with pytest.raises(UserError, match=r"the formula “x_.*” extends \d+ mm over the page's margin: divide it"):
        print_page(tmp_path, text=formula)


def test_the_margins_are_those_of_the_style():
    style = (planted.TEMPLATES / "base.css").read_text()
    assert f"margin: {layout.TOP_MM}mm {layout.SIDE_MM}mm {layout.BOTTOM_MM}mm" in style
