"""What may be handed in, and what is missing of it."""

import zipfile

import pytest
from matplotlib import pyplot

from latentlab import report, submission
from latentlab.files import write_zip
from latentlab.fonts import font_faces

PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font: 10pt 'Source Serif' }} {fonts}</style></head>
<body><article id="discussion"><section><h2>1 One</h2>{one}</section><section><h2>2 Two</h2><p>Answered.</p></section>
</article><div id="end"></div></body></html>"""
AUTHORS = [{"name": "Ada Example"}]


@pytest.fixture
def page(tmp_path):
    """A page that may be handed in: its PDF and its HTML."""
    html, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    html.write_text(PAGE.format(one="<p>Answered.</p>", fonts=font_faces("x")))
    report.print_pdf(html, pdf)
    return pdf, html


def test_what_is_complete_may_be_handed_in(page):
    assert submission.missing(*page, AUTHORS, stand_in=False) == []


@pytest.mark.parametrize("authors", [[], [{"name": "Your Name"}], [{"name": " "}]])
def test_everything_that_is_missing_is_said_at_once(page, authors):
    pdf, html = page
    html.write_text(PAGE.format(one="<p> </p>", fonts=""))
    said = submission.missing(pdf, html, authors, stand_in=True)
    assert len(said) == 3 and all("\n" not in sentence for sentence in said)
    for wanted in ("authors in config.yaml", "stand-in data", "“1 One” is not answered"):
        assert sum(wanted in sentence for sentence in said) == 1


def test_pages_paper_size_and_fonts_are_looked_at(tmp_path, page, monkeypatch):
    import weasyprint

    pdf = tmp_path / "other.pdf"
    css = "@page { size: A5 } p { break-after: page }"
    weasyprint.HTML(string=f"<style>{css}</style><p>x<p>y").write_pdf(pdf)
    monkeypatch.setattr(submission, "LIMIT_MB", 1e-4)
    said = " ".join(submission.missing(pdf, page[1], AUTHORS, stand_in=False))
    assert "has 2 pages, not one" in said and "is not A4" in said and "more than 0.0001: use fewer" in said


def test_a_font_that_is_only_named_is_found(tmp_path, page):
    pdf = tmp_path / "plain.pdf"
    with pyplot.rc_context({"pdf.use14corefonts": True}):
        figure = pyplot.figure(figsize=(210 / 25.4, 297 / 25.4))
        figure.text(0.5, 0.5, "x")
        figure.savefig(pdf)
    assert submission.missing(pdf, page[1], AUTHORS, stand_in=False) == [
        f"{pdf} does not hold its fonts Helvetica: use those that base.css names"
    ]


def test_the_archive_holds_its_files_by_name_and_equal_files_give_equal_bytes(tmp_path):
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_text(file.name)
    names = ["metrics/vae/a.json", "b.txt"]
    listed = submission.manifest(names, files)
    assert listed.splitlines()[0] == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b.txt"
    for name in ("1.zip", "2.zip"):
        write_zip(tmp_path / name, dict(zip(names, files, strict=True)))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.read("metrics/vae/a.json") == b"a" and len(archive.namelist()) == 2
