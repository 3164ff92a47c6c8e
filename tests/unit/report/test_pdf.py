import time

import pdfplumber
import pytest

from latentlab.report.fonts import font_faces
from latentlab.report.pdf import print_pdf
from latentlab.runtime.errors import UserError

PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ font-family: {family}; margin: 0; font-size: var(--body) }} {fonts}</style></head>
<body><section id="discussion"><p>{text}</p></section><div id="end"></div></body></html>"""


def write_page(folder, text, family="'Source Serif'"):
    path = folder / "page.html"
    path.write_text(PAGE.format(text=text, family=family, fonts=font_faces(text)))
    return path


def page_of_words(folder, n_words):
    return write_page(folder, " ".join(["word"] * n_words))


def font_names(path):
    with pdfplumber.open(path) as pdf:
        return {char["fontname"].split("+")[-1] for char in pdf.pages[0].chars}


def test_the_text_is_as_large_as_fits(tmp_path):
    assert print_pdf(page_of_words(tmp_path, 300), tmp_path / "short.pdf") == 10
    # more than fits at 10 pt, and less than fits at 8.5 pt
    size = print_pdf(page_of_words(tmp_path, 1500), tmp_path / "long.pdf")
    assert 8.5 <= size < 10
    with pdfplumber.open(tmp_path / "long.pdf") as pdf:
        assert len(pdf.pages) == 1 and len(pdf.pages[0].extract_words()) == 1500


def test_the_message_for_a_page_that_is_too_long_says_by_how_much(tmp_path):
    message = r"too long for one side of A4 by \d+ mm .* by about (\d+) of its 2400 words"
    with pytest.raises(UserError, match=message) as error:
        print_pdf(page_of_words(tmp_path, 2400), tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()
    n_excess = int(str(error.value).split("about ")[1].split()[0])
    print_pdf(page_of_words(tmp_path, 2400 - n_excess - 40), tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").exists(), "a page shortened as advised fits"


PAGE_WITH_HEADER = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font: var(--body) 'Source Serif' }} img {{ display: block }} {fonts}</style></head><body>
<header><h1>{title}</h1></header>{figures}<section id="discussion"><p>{text}</p></section>
<div id="end"></div></body></html>"""
FIGURE = (
    '<img alt="A figure of {height} mm" src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 '
    'width=%2250mm%22 height=%22{height}mm%22/%3E">'
)


@pytest.mark.parametrize(
    ("n_title", "height", "n_words", "message"),
    [
        (3, 300, 10, r"the figures and tables take 3\d\d of 271 mm and leave 0 mm for the discussion: make figures"),
        (3, 245, 300, r"leave 1?\d mm for the discussion: make figures smaller in assignment\.yaml"),
        (700, 40, 100, r"the title and the authors take \d+ of 271 mm: shorten the title in assignment\.yaml"),
        (250, 120, 700, r"the title and the authors take \d+ of 271 mm: shorten the title"),
        (3, 100, 2400, r"by \d+ mm in the smallest text \(8\.5 pt\): shorten the discussion by about \d+ of"),
    ],
)  # fmt: skip
def test_the_message_names_what_is_too_long(tmp_path, n_title, height, n_words, message):
    (tmp_path / "page.html").write_text(
        PAGE_WITH_HEADER.format(
            title="word " * n_title,
            figures=FIGURE.format(height=height),
            text="word " * n_words,
            fonts=font_faces("word"),
        )
    )
    with pytest.raises(UserError, match=rf"page\.html: too long for one side of A4.*{message}"):
        print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")


def test_a_page_longer_than_endless_paper_is_measured_all_the_same(tmp_path):
    path = page_of_words(tmp_path, 0)
    path.write_text(path.read_text().replace("<p>", "<p>a</p>" * 1200 + "<p>"))
    with pytest.raises(UserError, match=r"by \d{4} mm .* shorten the discussion by about 1\d{3} of its 1200 words"):
        print_pdf(path, tmp_path / "x.pdf")


@pytest.mark.parametrize(
    "uri", ["data:image/svg+xml;base64,AAAA", "data:image/svg+xml;base64,!", "data:image/png;base64,iVBORw0KGgo="]
)
@pytest.mark.parametrize("n_words", [10, 2400])
def test_a_damaged_picture_is_named_and_not_blamed_on_the_length(tmp_path, uri, n_words):
    path = page_of_words(tmp_path, n_words)
    path.write_text(path.read_text().replace("<p>", f'<img alt="Grid of garments" src="{uri}"><p>'))
    with pytest.raises(
        UserError, match=r"page\.html: the picture “Grid of garments” is damaged: its data cannot be dec"
    ):
        print_pdf(path, tmp_path / "x.pdf")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a<br>" * 3000, r"the discussion has 3,000 words and \d+ paragraphs, list items and cells: shorten it"),
        ("a" * 3000, "the discussion has a word of 3,000 characters: divide it"),
        ("word", r"run fewer jobs at a time \(--cores 1\)"),
    ],
)
def test_a_page_that_takes_too_long_ends_in_a_sentence_that_names_the_cause(tmp_path, text, cause):
    (tmp_path / "x.pdf").write_text("an earlier one")
    start = time.monotonic()
    with pytest.raises(UserError, match=rf"page\.html: laying out the page took more than 0\.01 s: {cause}"):
        print_pdf(write_page(tmp_path, text), tmp_path / "x.pdf", time_limit_s=0.01)
    assert time.monotonic() - start < 30 and (tmp_path / "x.pdf").read_text() == "an earlier one"
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "x.pdf"}, "nothing half-written is left"


def test_equal_pages_give_equal_bytes(tmp_path):
    attachment = tmp_path / "provenance.json"
    attachment.write_text("{}")
    for name in ("a.pdf", "b.pdf"):
        print_pdf(page_of_words(tmp_path, 50), tmp_path / name, {"provenance.json": attachment})
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_equal_pages_give_equal_bytes_on_another_day_without_harfbuzz_subset(tmp_path, monkeypatch):
    monkeypatch.setattr("weasyprint.pdf.fonts.harfbuzz_subset", None)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    now = time.time()
    for days, name in enumerate(("a.pdf", "b.pdf")):
        monkeypatch.setattr("fontTools.misc.timeTools.time.time", lambda days=days: now + days * 86400)
        print_pdf(page_of_words(tmp_path, 50), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


@pytest.mark.parametrize(
    "tag", ['<img src="file:///etc/hostname">', '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">']
)
def test_a_page_that_refers_to_another_file_is_refused(tmp_path, tag):
    path = page_of_words(tmp_path, 10)
    path.write_text(path.read_text().replace("<p>", f"{tag}<p>"))
    with pytest.raises(UserError, match="refused"):
        print_pdf(path, tmp_path / "x.pdf")


def test_the_fonts_are_those_inside_the_page(tmp_path):
    print_pdf(page_of_words(tmp_path, 10), tmp_path / "x.pdf")
    assert font_names(tmp_path / "x.pdf") == {"Source-Serif"}


def test_characters_that_a_text_font_lacks_come_from_a_fallback(tmp_path):
    # Source Sans has the double bar, Source Serif does not
    print_pdf(write_page(tmp_path, "KL(q ‖ p)", "'Source Serif', 'STIX', 'DejaVu'"), tmp_path / "x.pdf")
    assert font_names(tmp_path / "x.pdf") == {"Source-Serif", "STIX"}
