"""What keeps a report from being handed in."""

import zipfile

import planted
import pytest
import weasyprint
from matplotlib import rc_context
from matplotlib.figure import Figure

from latentlab.records.settings import Author
from latentlab.report import submission
from latentlab.report.fonts import font_faces
from latentlab.report.pdf import print_pdf
from latentlab.report.submission import manifest, submission_problems
from latentlab.runtime.files import write_zip

PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title><style>@page {{ margin: 11mm 12mm 15mm }}
body {{ margin: 0; font: 10pt 'Source Serif' }} {fonts}</style></head>
<body><article id="discussion"><section><h2>1 One</h2>{one}</section><section><h2>2 Two</h2><p>Answered.</p></section>
</article><div id="end"></div></body></html>"""


@pytest.fixture
def report(tmp_path):
    """A complete report: its PDF and its HTML."""
    html, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    html.write_text(PAGE.format(one="<p>Answered.</p>", fonts=font_faces("x")))
    print_pdf(html, pdf)
    return pdf, html


def test_a_complete_report_has_no_problems(report):
    assert submission_problems(*report, planted.AUTHORS, synthetic=False) == []


@pytest.mark.parametrize("authors", [[], [Author(name="Your Name")], [Author(name=" ")]])
def test_all_problems_are_named_at_once(report, authors):
    pdf, html = report
    html.write_text(PAGE.format(one="<p> </p>", fonts=""))
    problems = submission_problems(pdf, html, authors, synthetic=True, preview=True)
    assert len(problems) == 4 and all("\n" not in problem for problem in problems)
    for expected in ("authors in config.yaml", "synthetic data", "is a preview", "“1 One” is not answered"):
        assert sum(expected in problem for problem in problems) == 1


def test_the_number_of_pages_paper_size_and_file_size_are_checked(tmp_path, report, monkeypatch):
    pdf = tmp_path / "other.pdf"
    css = "@page { size: A5 } p { break-after: page }"
    weasyprint.HTML(string=f"<style>{css}</style><p>x<p>y").write_pdf(pdf)
    monkeypatch.setattr(submission, "MAX_MB", 1e-4)
    problems = " ".join(submission_problems(pdf, report[1], planted.AUTHORS, synthetic=False))
    assert "has 2 pages, not one" in problems and "is not A4" in problems and "more than 0.0001: use fewer" in problems


def test_a_font_that_is_not_embedded_is_named(tmp_path, report):
    pdf = tmp_path / "plain.pdf"
    with rc_context({"pdf.use14corefonts": True}):
        figure = Figure(figsize=(210 / 25.4, 297 / 25.4))
        figure.text(0.5, 0.5, "x")
        figure.savefig(pdf)
    assert submission_problems(pdf, report[1], planted.AUTHORS, synthetic=False) == [
        f"{pdf} does not contain its fonts Helvetica: use those that base.css names"
    ]


def test_the_archive_holds_its_files_by_name_and_equal_files_give_equal_bytes(tmp_path):
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_text(file.name)
    names = ["metrics/vae/a.json", "b.txt"]
    lines = manifest(names, files).splitlines()
    assert lines[0] == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b.txt"
    for name in ("1.zip", "2.zip"):
        write_zip(tmp_path / name, dict(zip(names, files, strict=True)))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.read("metrics/vae/a.json") == b"a" and len(archive.namelist()) == 2
