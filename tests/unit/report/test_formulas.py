"""Formulas are pictures of the right size that stand on the baseline of the text around them."""

import base64
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pdfplumber
import planted
import pypdfium2
import pytest
from pdfminer.pdftypes import resolve1
from pdfminer.utils import decode_text

from latentlab.report.fonts import font_faces
from latentlab.report.formulas import formula_to_html, formula_to_svg, readable_latex
from latentlab.report.pdf import print_pdf

ELBO = r"\log p(x) \ge \mathbb{E}_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x)\,\|\,p(z))"
PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font: 24pt 'Source Serif' }} {fonts}</style></head>
<body><section id="discussion"><p>x{formula} x</p></section><div id="end"></div></body></html>"""


def print_formula(folder, latex):
    formula = formula_to_html(latex)
    (folder / "page.html").write_text(PAGE.format(formula=formula, fonts=font_faces("x" + formula)), encoding="utf-8")
    print_pdf(folder / "page.html", folder / "page.pdf")
    return folder / "page.pdf"


@pytest.mark.parametrize(
    "latex",
    [
        "q(z|x)", ELBO, r"\frac{1}{2} \sum_{j=1}^{d} \left(\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1\right)",
        r"\mathcal{N}(0, I)", "β − 1", "𝔼", r"a \le b \ne c \lt d", r"\lVert x \rVert", r"\sqrt{x} \in \mathbb{R}^2",
    ],
)  # fmt: skip
def test_a_formula_is_a_picture_of_outlines(latex):
    svg, width, _ = formula_to_svg(latex)
    root = ElementTree.fromstring(svg)
    assert [child.tag.split("}")[1] for child in root] == ["path"], "no text, so no font is needed"
    assert width > 0.4 and re.fullmatch(r"[MLQCZ\d. -]+", root[0].get("d"))


def test_equal_formulas_give_equal_bytes_in_every_process():
    script = f"from latentlab.report.formulas import formula_to_html; print(formula_to_html({ELBO!r}))"
    command = [sys.executable, "-c", script]
    outputs = [subprocess.run(command, capture_output=True, check=True, text=True).stdout for _ in range(2)]
    assert outputs[0] == outputs[1] == formula_to_html(ELBO) + "\n"
    source = base64.b64decode(re.search(r"base64,([^\"]*)", outputs[0])[1]).decode()
    assert source == formula_to_svg(ELBO)[0]


def test_a_formula_stands_on_the_baseline_and_is_as_high_as_the_text(tmp_path):
    with pypdfium2.PdfDocument(print_formula(tmp_path, r"\mathrm{x}")) as document:
        image = document[0].render(scale=10).to_numpy()[:, :, 0] < 128
    columns = np.flatnonzero(image[: 500 * 3].any(axis=0))
    letters = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    assert len(letters) == 3, "x of the text, x of the formula, x of the text"
    rows = [np.flatnonzero(image[: 500 * 3, letter].any(axis=1)) for letter in letters]
    bottoms, heights = [row[-1] for row in rows], [np.ptp(row) for row in rows]
    em = 24 * 10  # pixels
    assert abs(bottoms[1] - bottoms[0]) < 0.02 * em and abs(heights[1] - heights[0]) < 0.03 * em


def test_a_formula_is_tagged_in_the_pdf_with_its_alternative_text(tmp_path):
    with pdfplumber.open(print_formula(tmp_path, r"\mathrm{KL}(q \,\|\, p)")) as pdf:
        objects = [resolve1(pdf.doc.getobj(number)) for xref in pdf.doc.xrefs for number in xref.get_objids()]
    alts = [decode_text(value["Alt"]) for value in objects if isinstance(value, dict) and "Alt" in value]
    assert "KL(q ‖ p)" in alts


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\mathbb{E}_{q}[\log p(x|z)]", "E_q[log p(x|z)]"),
        (r"\mathrm{KL}\left(q \,\|\, p\right)", "KL(q ‖ p)"),
        (r"\beta \le \sigma^{2}", "β ≤ σ^2"),
        (r"\frac{a}{b}  \hat{x}", r"\frac{a}{b} \hat{x}"),
    ],
)
def test_the_alternative_text_can_be_read_aloud(latex, text):
    assert readable_latex(latex) == text


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\foo", r"unknown symbol: \foo"),
        (r"\frac{a", r"expected \frac{num}{den}"),
        (r"\begin{aligned}a\end{aligned}", r"unknown symbol: \begin"),
        ("x_", "it is not complete, or has a command that mathtext lacks"),
        ("{" * 500 + "x" + "}" * 500, "it is nested too deep"),
        ("漢", "its font lacks 漢 (U+6F22)"),
        (r"\quad", "it shows nothing"),
    ],
)
def test_a_formula_that_cannot_be_drawn_has_a_reason(latex, reason):
    with pytest.raises(ValueError) as error:
        formula_to_svg(latex)
    assert str(error.value) == reason


def test_formulas_of_a_discussion_are_on_the_printed_page(tmp_path):
    (tmp_path / "mine.md").write_text(f"Inline $z_1$ and its bound:\n\n$$\n{ELBO}\n$$\n\nLast words.")
    (tmp_path / "page.html").write_text(planted.html("lab8", tmp_path, discussion=tmp_path / "mine.md"))
    print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    with pdfplumber.open(tmp_path / "page.pdf") as pdf:
        assert len(pdf.pages) == 1 and len(pdf.pages[0].curves) > 30, "outlines of letters"
