import pdfplumber
import pytest

from latentlab import fonts, report
from latentlab.errors import UserError

PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font-size: var(--body) }} {fonts}</style></head>
<body><section id="discussion"><p>{text}</p></section><div id="end"></div></body></html>"""


def page(tmp_path, words):
    path = tmp_path / "page.html"
    text = " ".join(["word"] * words)
    path.write_text(
        PAGE.format(text=text, fonts=fonts.font_faces(text)).replace("body {", "body { font-family: 'Source Serif';")
    )
    return path


def test_the_text_is_as_large_as_fits(tmp_path):
    assert report.print_pdf(page(tmp_path, 300), tmp_path / "short.pdf") == 10
    # between what fits at 8.5 pt and what fits at 10 pt
    size = report.print_pdf(page(tmp_path, 1500), tmp_path / "long.pdf")
    assert 8.5 <= size < 10
    with pdfplumber.open(tmp_path / "long.pdf") as pdf:
        assert len(pdf.pages) == 1 and len(pdf.pages[0].extract_words()) == 1500


def test_too_long_says_by_how_much(tmp_path):
    with pytest.raises(
        UserError, match=r"too long for one side of A4 by \d+ mm .* by about (\d+) of its 2400 words"
    ) as error:
        report.print_pdf(page(tmp_path, 2400), tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()
    cut = int(str(error.value).split("about ")[1].split()[0])
    report.print_pdf(page(tmp_path, 2400 - cut - 40), tmp_path / "x.pdf")  # and following the advice helps


def test_equal_pages_give_equal_bytes(tmp_path):
    note = tmp_path / "provenance.json"
    note.write_text("{}")
    for name in ("a.pdf", "b.pdf"):
        report.print_pdf(page(tmp_path, 50), tmp_path / name, [note])
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


@pytest.mark.parametrize(
    "link", ['<img src="file:///etc/hostname">', '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">']
)
def test_nothing_is_fetched(tmp_path, link):
    path = page(tmp_path, 10)
    path.write_text(path.read_text().replace("<p>", f"{link}<p>"))
    with pytest.raises(UserError, match="refused"):
        report.print_pdf(path, tmp_path / "x.pdf")


def test_fonts_come_with_the_page(tmp_path):
    report.print_pdf(page(tmp_path, 10), tmp_path / "x.pdf")
    with pdfplumber.open(tmp_path / "x.pdf") as pdf:
        assert {char["fontname"].split("+")[-1] for char in pdf.pages[0].chars} == {"Source-Serif"}


def test_what_one_text_font_lacks_comes_from_a_fallback(tmp_path):
    path = tmp_path / "page.html"
    text = "KL(q ‖ p)"  # Source Sans has it, Source Serif has not
    family = "body { font-family: 'Source Serif', 'STIX', 'DejaVu';"
    path.write_text(PAGE.format(text=text, fonts=fonts.font_faces(text)).replace("body {", family))
    report.print_pdf(path, tmp_path / "x.pdf")
    with pdfplumber.open(tmp_path / "x.pdf") as pdf:
        assert {char["fontname"].split("+")[-1] for char in pdf.pages[0].chars} == {"Source-Serif", "STIX"}


def test_numbers_read_well():
    assert report.number(-1234.56) == "−1\u202f234.6" and report.percent(0.256, 1) == "25.6\u202f%"


def test_metrics_go_by_the_template_s_names(tmp_path):
    from latentlab.files import write_json

    write_json(tmp_path / "a/metrics.json", {"x": 1})
    write_json(tmp_path / "a/map.json", {"near": 2})
    write_json(tmp_path / "b/metrics.json", {"x": 3})
    paths = [tmp_path / name for name in ("a/metrics.json", "a/map.json", "b/metrics.json")]
    parts = {"one": ["metrics.json", "map.json"], "two": ["metrics.json"]}
    assert report.gather(parts, paths) == {"one": {"x": 1, "map": {"near": 2}}, "two": {"x": 3}}
