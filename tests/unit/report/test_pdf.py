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


def test_equal_pages_give_equal_bytes(tmp_path):
    attachment = tmp_path / "provenance.json"
    attachment.write_text("{}")
    for name in ("a.pdf", "b.pdf"):
        print_pdf(page_of_words(tmp_path, 50), tmp_path / name, [attachment])
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
