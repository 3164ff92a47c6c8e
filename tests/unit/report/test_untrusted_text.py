"""Text of users is only printed: it reads no file, loads nothing and runs no code."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pdfplumber
import planted
import pytest
from pdfminer.pdftypes import PDFStream

from latentlab.notebook.build import build_notebook
from latentlab.records.settings import Author
from latentlab.report import render
from latentlab.report.discussion import discussion_to_html, read_discussion
from latentlab.report.pdf import print_pdf
from latentlab.report.render import Page, text_warnings
from latentlab.runtime.errors import UserError

SECRET = "the-secret-of-another-file"
NESTED_SVG = "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22%3E{}%3C/svg%3E"


@pytest.fixture
def server():
    """The address of a server on this machine, and the list of paths that were requested from it."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *args):
            pass

    http_server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http_server.server_port}", requests
    http_server.shutdown()


# HTML that refers to another file, should any of it ever get into a page.
REFERENCES = {
    "image": '<img src="{url}">',
    "attachment": '<link rel="attachment" href="{url}">',
    "style sheet": '<link rel="stylesheet" href="{url}">',
    "import": '<style>@import "{url}";</style>',
    "font": "<style>@font-face {{ font-family: X; src: url({url}) }} p {{ font-family: X }}</style>",
    "background": '<p style="background: url({url})">x</p>',
    "base": '<base href="{url}/"><img src="picture.png">',
    "object": '<object data="{url}"></object>',
    "embed": '<embed src="{url}">',
    "frame": '<iframe src="{url}"></iframe>',
    "image in an SVG": f'<img src="{NESTED_SVG.format("%3Cimage href=%22{url}%22 width=%229%22 height=%229%22/%3E")}">',
    "style in an SVG": f'<img src="{NESTED_SVG.format("%3Cstyle%3E@import url({url});%3C/style%3E")}">',
    "symbol in an SVG": f'<img src="{NESTED_SVG.format("%3Cuse href=%22{url}#x%22/%3E")}">',
}


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("kind", ["file", "network"])
def test_nothing_is_read_or_fetched(reference, kind, tmp_path, server):
    address, requests = server
    (tmp_path / "secret.txt").write_text(SECRET)
    url = (tmp_path / "secret.txt").as_uri() if kind == "file" else f"{address}/secret"
    page = tmp_path / "page.html"
    page.write_text(
        f'<!DOCTYPE html><html lang="en"><head><title>t</title>{REFERENCES[reference].format(url=url)}</head>'
        '<body><p id="discussion">words</p><div id="end"></div></body></html>'
    )
    try:
        print_pdf(page, tmp_path / "page.pdf")
    except UserError as error:
        assert "refused" in str(error) and not (tmp_path / "page.pdf").exists()
    else:
        assert SECRET.encode() not in stream_contents(tmp_path / "page.pdf")
    assert requests == []


def stream_contents(path):
    """The unpacked bytes of all streams of a PDF."""
    with pdfplumber.open(path) as pdf:
        objects = [pdf.doc.getobj(number) for xref in pdf.doc.xrefs for number in xref.get_objids()]
        return b"".join(value.get_data() for value in objects if isinstance(value, PDFStream))


INJECTIONS = [
    "{{ 7 * 191 }}",
    "{% for x in page %}{{ x }}{% endfor %}",
    "{{ page.__class__.__mro__ }}",
    "{% include 'base.css' %}",
    "{# x #}",
    render.FONTS_PLACEHOLDER.strip("\0"),
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><b>out</b>',
    "</title><b>out</b>",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_names_and_titles_are_only_text(text, tmp_path, monkeypatch):
    monkeypatch.setattr(render, "font_faces", lambda html: "")
    authors = [Author(name=text, id=text, email=text)]
    html = planted.html("lab8", tmp_path, title=text, course=text, authors=authors)
    assert planted.plain_text(html).count(text) >= 4
    assert not any(tag in html for tag in ("<script", "<b>out", "onerror=alert(1)>")) and "1337" not in html


def test_a_title_cannot_take_the_place_of_the_fonts(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "font_faces", lambda html: "the fonts")
    html = planted.html("lab8", tmp_path, title=render.FONTS_PLACEHOLDER)
    assert html.count("the fonts") == 1 and "<title>fonts</title>" in html


@pytest.mark.parametrize("text", [*INJECTIONS[3:], "![picture](file:///etc/hostname)", "[x](javascript:alert(1))"])
def test_a_discussion_is_only_text(text, tmp_path):
    (tmp_path / "mine.md").write_text(f"Words. {text}")
    (html,) = discussion_to_html(tmp_path / "mine.md", {}).values()
    assert not any(tag in html for tag in ("<script", "<b>", "<img", "<a "))
    assert planted.plain_text(html) == f"Words. {text}"


def test_an_image_from_elsewhere_in_a_discussion_is_refused(tmp_path, server, monkeypatch):
    address, requests = server
    monkeypatch.setattr(render, "font_faces", lambda html: "")
    (tmp_path / "mine.md").write_text(f"![picture]({address}/picture.png)")
    (tmp_path / "page.html").write_text(planted.html("lab8", tmp_path, discussion=tmp_path / "mine.md"))
    with pytest.raises(UserError, match=r"picture\.png.*refused"):
        print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    assert requests == []


def test_a_name_adds_no_cell_to_the_notebook():
    name = "Ada\n\n```python\nimport os\n```\n\0data\0"
    page = Page("T", None, [Author(name=name)], [])
    notebook = build_notebook(f"# {page.title}\n\n{page.authors[0].name}\n", {"cells": []}, figures={})
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown"]


def test_a_discussion_of_two_megabytes_is_refused_at_once(tmp_path):
    (tmp_path / "mine.md").write_text("word " * 400_000)
    with pytest.raises(UserError, match=r"mine\.md: 2,000,000 bytes are far more than one page holds"):
        read_discussion(tmp_path / "mine.md")


@pytest.mark.parametrize(
    ("name", "printed", "warning"),
    [
        ("Zoë Łukasz Ωmega Иван", "Zoë Łukasz Ωmega Иван", None),
        ("Ada\x07\x00 B", "Ada B", "authors.0: U+0007, U+0000 left out: control characters show nothing"),
        ("Ada \u202egnp.exe", "Ada gnp.exe", "authors.0: U+202E left out"),
        ("شيرين ‏", "شيرين", None),
        ("王小明", "王小明", "authors.0: the page's fonts lack 王 (U+738B), 小 (U+5C0F), 明 (U+660E)"),
        ("Ada 🦆", "Ada 🦆", "authors.0: the page's fonts lack 🦆 (U+1F986)"),
    ],
)
def test_characters_that_the_fonts_lack_are_named_and_the_page_is_printed(name, printed, warning, tmp_path):
    authors = [Author(name=name)]
    warnings = text_warnings("T", None, authors, None)
    assert [warning in sentence for sentence in warnings] == [True] * bool(warning)
    path = tmp_path / "page.html"
    path.write_text(planted.html("lab8", tmp_path, authors=authors))
    assert printed in path.read_text()
    print_pdf(path, tmp_path / "page.pdf")
    with pdfplumber.open(tmp_path / "page.pdf") as pdf:
        assert len(pdf.pages) == 1 and pdf.metadata["Author"].startswith(printed[:3])


def test_the_characters_of_title_course_and_authors_are_all_checked():
    warnings = text_warnings("漢", "漢", [Author(name="A"), Author(name="B", id="漢")], None)
    assert [warning.split(":")[0] for warning in warnings] == ["title", "course", "authors.1"]


def test_the_characters_of_a_discussion_are_checked(tmp_path):
    (tmp_path / "mine.md").write_text("Fine, and then 漢.")
    (warning,) = text_warnings("T", None, [], tmp_path / "mine.md")
    assert "mine.md" in warning and "漢 (U+6F22)" in warning
