"""What is handed in: whether it may be, and one archive of it."""

import html as html_module
import re
from pathlib import Path

import pdfplumber
from pdfminer.pdftypes import resolve1

from latentlab.files import sha256
from latentlab.report import discussed

LIMIT_MB = 10  # of the PDF: what most course systems take
A4_PT = (595, 842)
EXAMPLE = "Your Name"  # as config.yaml comes


def missing(pdf, html, authors, stand_in):
    """A sentence for everything that is not yet as it must be to be handed in.

    Args:
        pdf, html: paths of the page.
        authors: as config.yaml has them.
        stand_in: whether the data are the project's own pictures.
    """
    found = list(_of_the_pdf(pdf))
    names = [author["name"].strip() for author in authors]
    if not names or not all(names) or EXAMPLE in names:
        found.append("authors in config.yaml: put your own name there")
    if stand_in:
        found.append("the page was made on stand-in data: get the published data with `snakemake --cores 1 data`")
    sections = unanswered(Path(html).read_text(encoding="utf-8"))
    return found + [f"“{heading}” is not answered: write something below that heading" for heading in sections]


def _of_the_pdf(path):
    size = Path(path).stat().st_size / 1e6
    if size > LIMIT_MB:
        yield f"{path} has {size:.1f} MB, more than {LIMIT_MB}: use fewer embedding_points, or fewer figures"
    with pdfplumber.open(path) as pdf:
        pages = [(round(page.width), round(page.height)) for page in pdf.pages]
        fonts = loose_fonts(pdf.doc)
    if len(pages) != 1:
        yield f"{path} has {len(pages)} pages, not one: shorten the discussion"
    if set(pages) != {A4_PT}:
        yield f"{path} is not A4: leave `@page` in base.css as it was"
    if fonts:
        yield f"{path} does not hold its fonts {', '.join(fonts)}: use those that base.css names"


def loose_fonts(document):
    """The names of fonts that a PDF (pdfminer's document) uses without holding them."""
    things = [resolve1(document.getobj(number)) for xref in document.xrefs for number in xref.get_objids()]
    things = [thing for thing in things if isinstance(thing, dict)]
    loose = set()
    for font in things:
        if _name(font.get("Type")) == "Font" and _name(font.get("Subtype")) not in ("Type0", "Type3"):
            described = resolve1(font.get("FontDescriptor")) or {}
            if not any(key.startswith("FontFile") for key in described):
                loose.add(_name(font.get("BaseFont")))
    return sorted(loose)


def unanswered(html):
    """The headings of the page's discussion that have nothing below them."""
    before, *parts = re.split(r"<h2[^>]*>(.*?)</h2>", discussed(html), flags=re.DOTALL)
    pairs = list(zip(parts[::2], parts[1::2], strict=True)) or [("the discussion", before)]
    return [html_module.unescape(heading) for heading, text in pairs if not re.sub(r"<[^>]*>|\s", "", text)]


def manifest(names, files):
    """A line a file, as `sha256sum --check` reads it."""
    return "".join(f"{sha256(file)}  {name}\n" for name, file in sorted(zip(names, files, strict=True)))


def _name(value):
    """A PDF name as text."""
    value = resolve1(value)
    return getattr(value, "name", value)
