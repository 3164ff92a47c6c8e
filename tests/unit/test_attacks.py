"""What comes from outside does nothing but stand on the page: no file is read, nothing is fetched, no code runs."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pdfplumber
import planted
import pytest

from latentlab import data, discussion, fonts, notebook, report
from latentlab.errors import UserError

SECRET = "the-secret-of-another-file"
NESTED = "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22%3E{}%3C/svg%3E"


@pytest.fixture
def host():
    """A server on this machine, and what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


# In HTML, should anything of it ever get there: `{url}` is refused, or not asked for at all.
MARKUP = {
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
    "image in an SVG": f'<img src="{NESTED.format("%3Cimage href=%22{url}%22 width=%229%22 height=%229%22/%3E")}">',
    "style in an SVG": f'<img src="{NESTED.format("%3Cstyle%3E@import url({url});%3C/style%3E")}">',
    "symbol in an SVG": f'<img src="{NESTED.format("%3Cuse href=%22{url}#x%22/%3E")}">',
}


@pytest.mark.parametrize("attack", MARKUP)
@pytest.mark.parametrize("kind", ["file", "network"])
def test_nothing_is_read_or_fetched(attack, kind, tmp_path, host):
    server, asked = host
    (tmp_path / "secret.txt").write_text(SECRET)
    url = (tmp_path / "secret.txt").as_uri() if kind == "file" else f"{server}/secret"
    page = tmp_path / "page.html"
    page.write_text(
        f'<!DOCTYPE html><html lang="en"><head><title>t</title>{MARKUP[attack].format(url=url)}</head>'
        '<body><p id="discussion">words</p><div id="end"></div></body></html>'
    )
    try:
        report.print_pdf(page, tmp_path / "page.pdf")
    except UserError as error:
        assert "refused" in str(error) and not (tmp_path / "page.pdf").exists()
    else:
        assert SECRET.encode() not in everything_in(tmp_path / "page.pdf")
    assert asked == []


def everything_in(path):
    """The bytes of all of a PDF's streams, unpacked."""
    from pdfminer.pdftypes import PDFStream

    with pdfplumber.open(path) as pdf:
        things = [pdf.doc.getobj(number) for xref in pdf.doc.xrefs for number in xref.get_objids()]
        return b"".join(thing.get_data() for thing in things if isinstance(thing, PDFStream))


INJECTIONS = [
    "{{ 7 * 191 }}",
    "{% for x in page %}{{ x }}{% endfor %}",
    "{{ page.__class__.__mro__ }}",
    "{% include 'base.css' %}",
    "{# x #}",
    "@fonts@",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><b>out</b>',
    "</title><b>out</b>",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_names_and_titles_are_only_text(text, tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "font_faces", lambda html: "")
    authors = [{"name": text, "id": text, "email": text}]
    html = planted.html("lab8", tmp_path, title=text, course=text, authors=authors)
    assert planted.words(html).count(text) >= 4 or text == "@fonts@"
    assert not any(tag in html for tag in ("<script", "<b>out", "onerror=alert(1)>")) and "1337" not in html


@pytest.mark.parametrize("text", [*INJECTIONS[3:], "![picture](file:///etc/hostname)", "[x](javascript:alert(1))"])
def test_a_discussion_is_only_text(text, tmp_path):
    (tmp_path / "mine.md").write_text(f"Words. {text}")
    (html,) = discussion.to_html(tmp_path / "mine.md", {}).values()
    assert not any(tag in html for tag in ("<script", "<b>", "<img", "<a ")) and planted.words(html) == f"Words. {text}"


def test_a_picture_from_elsewhere_in_a_discussion_is_refused(tmp_path, host, monkeypatch):
    server, asked = host
    monkeypatch.setattr(fonts, "font_faces", lambda html: "")
    (tmp_path / "mine.md").write_text(f"![picture]({server}/picture.png)")
    (tmp_path / "page.html").write_text(planted.html("lab8", tmp_path, discussion=tmp_path / "mine.md"))
    with pytest.raises(UserError, match=r"picture\.png.*refused"):
        report.print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    assert asked == []


def test_a_name_puts_no_cell_into_the_notebook():
    name = "Ada\n\n```python\nimport os\n```\n"
    page = report.Page("T", None, [{"name": name}], data.CLASSES["MNIST"])
    cells = notebook.build(f"# {page.title}\n\n{page.authors[0]['name']}\n").cells
    assert [cell.cell_type for cell in cells] == ["markdown"]


def test_two_megabytes_are_refused_at_once(tmp_path):
    (tmp_path / "mine.md").write_text("word " * 400_000)
    with pytest.raises(UserError, match=r"mine\.md: 2,000,000 bytes are far more than one page holds"):
        discussion.read(tmp_path / "mine.md")


@pytest.mark.parametrize(
    ("name", "shown", "complaint"),
    [
        ("Zoë Łukasz Ωmega Иван", "Zoë Łukasz Ωmega Иван", None),
        ("Ada\x07\x00 B", "Ada B", "authors.0: left out U+0007, U+0000, which control a machine"),
        ("Ada \u202egnp.exe", "Ada gnp.exe", "left out U+202E"),
        ("شيرين ‏", "شيرين", None),
        ("王小明", "王小明", "authors.0: the page's fonts lack 王 (U+738B), 小 (U+5C0F), 明 (U+660E)"),
        ("Ada 🦆", "Ada 🦆", "authors.0: the page's fonts lack 🦆 (U+1F986)"),
    ],
)
def test_what_the_fonts_cannot_show_is_said_and_the_page_is_made(name, shown, complaint, tmp_path):
    authors = [{"name": name}]
    said = report.complaints("T", None, authors, None)
    assert [complaint in sentence for sentence in said] == [True] * bool(complaint)
    html = tmp_path / "page.html"
    html.write_text(planted.html("lab8", tmp_path, authors=authors))
    assert shown in html.read_text()
    report.print_pdf(html, tmp_path / "page.pdf")
    with pdfplumber.open(tmp_path / "page.pdf") as pdf:
        assert len(pdf.pages) == 1 and pdf.metadata["Author"].startswith(shown[:3])


def test_a_discussion_s_letters_are_looked_through_too(tmp_path):
    (tmp_path / "mine.md").write_text("Fine, and then 漢.")
    (sentence,) = report.complaints("T", None, [], tmp_path / "mine.md")
    assert "mine.md" in sentence and "漢 (U+6F22)" in sentence
