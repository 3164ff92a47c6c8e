"""PDFs conform to PDF/A-3a and PDF/UA-1, whatever text is in them."""

import random
import zlib

import pdfplumber
import planted
import pydyf
import pypdfium2
import pytest

from latentlab.records.settings import Author
from latentlab.report import render
from latentlab.report.conformance import _avoid_final_return, conform, is_unambiguous, violations
from latentlab.report.pdf import print_pdf
from latentlab.runtime.errors import UserError

# Blocks of Unicode, among them scripts that the fonts lack, combining marks, private characters and noncharacters.
BLOCKS = [
    *[(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x4FF), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F)],
    *[(0x1100, 0x11FF), (0x2000, 0x20CF), (0x2190, 0x22FF), (0x2460, 0x27BF), (0x3040, 0x30FF), (0x4E00, 0x4FFF)],
    *[(0xAC00, 0xACFF), (0xE000, 0xE0FF), (0xFB00, 0xFB4F), (0xFE00, 0xFE2F), (0xFFF0, 0xFFFF), (0x1D400, 0x1D7FF)],
    *[(0x1F300, 0x1F6FF), (0xE0000, 0xE007F), (1, 31)],
]
MARKDOWN = [
    "- one\n- two\n  - three\n    - four",
    "- one\n\n- two\n\n  more\n\n  - three",
    "1. a\n2. b",
    "> quoted\n> text",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "| a head alone |\n|---|",
    "`code` **bold** *italic* ***both***",
    "[link](https://example.org/x)",
    "$q(z|x)$ and\n\n$$\\frac{1}{2}$$",
    "# Heading\n\ntext\n\n### Another\n\ntext",
    "```\ncode block\n```\n\n---",
    "<b>HTML</b> <script>x</script> &amp; &nbsp; &#0;",
    "cafe\u0301 and a family 👨‍👩‍👧",
]


def random_text(rng, n_words):
    def word():
        start, end = rng.choice(BLOCKS) if rng.random() < 0.6 else (0x61, 0x7A)
        return "".join(chr(rng.randint(start, end)) for _ in range(rng.randint(1, 9)))

    return " ".join(word() for _ in range(rng.randint(1, n_words)))


def print_random_page(rng, folder):
    """A page of assignment lab8 with random texts, printed. Those that cannot be laid out are refused, and tried again
    with others."""
    assignment = planted.load("lab8")
    metrics = planted.metrics(assignment, folder)
    template = planted.TEMPLATES / "lab8/page.html.j2"
    while True:
        parts = [rng.choice([random_text(rng, 12), *rng.sample(MARKDOWN, 2)]) for _ in range(rng.randint(1, 10))]
        (folder / "mine.md").write_text("\n\n".join(parts), encoding="utf-8")
        author = Author(name=random_text(rng, 3), id=random_text(rng, 1), email=random_text(rng, 1))
        texts = {"title": random_text(rng, 5), "course": random_text(rng, 4), "authors": [author]}
        page = planted.page(assignment, folder, discussion=folder / "mine.md", **texts)
        try:
            html = render.render_page(template, page, metrics, planted.provenance(metrics))
            (folder / "page.html").write_text(html, encoding="utf-8")
            print_pdf(folder / "page.html", folder / "page.pdf")
            return
        except UserError:
            continue


def structure(folder, discussion):
    """The elements of the tag tree of a page of lab8 with this discussion."""
    assignment = planted.load("lab8")
    (folder / "mine.md").write_text(discussion, encoding="utf-8")
    page = planted.page(assignment, folder, discussion=folder / "mine.md")
    metrics = planted.metrics(assignment, folder)
    html = render.render_page(planted.TEMPLATES / "lab8/page.html.j2", page, metrics, planted.provenance(metrics))
    (folder / "page.html").write_text(html)
    print_pdf(folder / "page.html", folder / "page.pdf")
    assert not list(violations(folder / "page.pdf"))
    with pdfplumber.open(folder / "page.pdf") as pdf:
        elements = list(pdf.structure_tree)
        for element in elements:
            elements += element.get("children", [])
    return elements


def test_formulas_and_figures_are_told_apart(tmp_path):
    elements = structure(tmp_path, "Its loss is $-\\log p(x)$ and $$\\frac{1}{2}$$")
    formulas, figures = (
        [element["alt_text"] for element in elements if element["type"] == kind] for kind in ("Formula", "Figure")
    )
    assert formulas == ["-log p(x)", r"\frac{1}{2}"] and len(figures) == len(planted.load("lab8").spec.figures)


def test_the_paragraphs_of_a_list_item_are_its_body(tmp_path):
    elements = structure(tmp_path, "- one\n\n- two\n\n  more\n\n  - three\n")
    items = [[kid["type"] for kid in element["children"]] for element in elements if element["type"] == "LI"]
    assert items.count(["Lbl", "LBody"]) == 3
    assert all(kids in (["Lbl", "LBody"], ["LBody"]) for kids in items)  # one that goes on in the next column


@pytest.mark.parametrize("seed", range(4))
def test_pages_with_random_texts_conform(tmp_path, seed):
    print_random_page(random.Random(seed), tmp_path)
    assert list(violations(tmp_path / "page.pdf")) == []


@pytest.mark.long
def test_many_pages_with_random_texts_conform(tmp_path, request):
    rng = random.Random(100)
    for _ in range(request.config.getoption("--pages")):
        print_random_page(rng, tmp_path)
        assert list(violations(tmp_path / "page.pdf")) == [], (tmp_path / "page.html").read_text()[-3000:]


def test_a_violation_is_named_with_its_rule(tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.report.pdf.conform", lambda document, pdf, **options: None)
    (tmp_path / "page.html").write_text(planted.html("lab8", tmp_path))
    print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    assert any(violation.startswith("PDFUA1-ID-SCHEMA-001: XMP") for violation in violations(tmp_path / "page.pdf"))


def write_small_pdf(path, seed, attempt):
    pdf = pydyf.PDF()
    pdf.add_object(pydyf.Stream([random.Random(seed).randbytes(30 + seed)]))
    pdf.add_page(pydyf.Dictionary({"Type": "/Page", "MediaBox": pydyf.Array([0, 0, 9, 9])}))
    conform(None, pdf, attempt=attempt)
    with path.open("wb") as file:
        pdf.write(file, version=b"1.7", identifier=True, compress=True)


def test_another_attempt_changes_how_the_tables_of_objects_end(tmp_path):
    path, repeated = tmp_path / "x.pdf", 0
    for seed in range(600):
        attempt = 0
        write_small_pdf(path, seed, attempt)
        while not is_unambiguous(path):
            attempt += 1
            write_small_pdf(path, seed, attempt)
        repeated += attempt > 0
        assert attempt < 5
    assert repeated


def test_a_page_is_written_until_it_is_unambiguous(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text(planted.html("lab8", tmp_path))
    print_pdf(tmp_path / "page.html", tmp_path / "first.pdf", {"page.html": tmp_path / "page.html"})
    answers = iter([False, False, True])
    monkeypatch.setattr("latentlab.report.pdf.is_unambiguous", lambda path: next(answers))
    print_pdf(tmp_path / "page.html", tmp_path / "third.pdf", {"page.html": tmp_path / "page.html"})
    assert next(answers, None) is None and not list(violations(tmp_path / "third.pdf"))
    assert (tmp_path / "first.pdf").read_bytes() != (tmp_path / "third.pdf").read_bytes()
    for name in ("first.pdf", "third.pdf"):
        attachment = pypdfium2.PdfDocument(tmp_path / name).get_attachment(0)
        assert bytes(attachment.get_data()) == (tmp_path / "page.html").read_bytes()


def test_no_compressed_stream_ends_with_a_carriage_return():
    """One in 256 does: of these pages some."""
    changed = 0
    for seed in range(1000):
        content = random.Random(seed).randbytes(30)
        stream = pydyf.Stream([content], compress=True)
        before = stream.data
        _avoid_final_return(stream)
        data = stream.data.partition(b"stream\n")[2].removesuffix(b"\nendstream")
        changed += stream.data != before
        assert not data.endswith(b"\r") and zlib.decompressobj().decompress(data) == content
        assert b"/Length %d" % len(data) in stream.data and b"/Filter /FlateDecode" in stream.data
    assert changed
