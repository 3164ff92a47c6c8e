"""What a submission contains, and what is missing before it can be handed in."""

import html as html_module
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pdfplumber
from pdfminer.pdftypes import resolve1

from latentlab.records.settings import EXAMPLE_NAME, Author
from latentlab.report.text import extract_discussion, strip_tags
from latentlab.runtime.files import sha256

MAX_MB = 10  # of the PDF: the limit of most course systems
A4_PT = (595, 842)


def submission_problems(
    pdf_path: str | Path, html_path: str | Path, authors: Sequence[Author], synthetic: bool, preview: bool = False
) -> list[str]:
    """A sentence for everything that keeps a report from being handed in.

    Args:
        authors: as in config.yaml.
        synthetic: whether the report was made on synthetic data.
        preview: whether it is a first look from coarse settings.
    """
    problems = list(_pdf_problems(pdf_path))
    names = [author.name.strip() for author in authors]
    if not names or not all(names) or EXAMPLE_NAME in names:
        problems.append("authors in config.yaml: put your own name there")
    if synthetic:
        problems.append("the page was made on synthetic data: get the published data with `snakemake --cores 1 data`")
    if preview:
        problems.append("the page is a preview: make the report with `./run report`")
    headings = unanswered_sections(Path(html_path).read_text(encoding="utf-8"))
    return problems + [f"“{heading}” is not answered: write something below that heading" for heading in headings]


def unanswered_sections(html: str) -> list[str]:
    """The headings in a page's discussion that have neither text nor a formula below them."""
    start, *parts = re.split(r"<h2[^>]*>(.*?)</h2>", extract_discussion(html), flags=re.DOTALL)
    sections = list(zip(parts[::2], parts[1::2], strict=True)) or [("the discussion", start)]
    empty = [heading for heading, text in sections if not strip_tags(text).strip() and "<img" not in text]
    return [html_module.unescape(heading) for heading in empty]


def unembedded_fonts(document: Any) -> list[str]:
    """The names of the fonts that a PDF (a PDFDocument of pdfminer) uses without containing them."""
    objects = [resolve1(document.getobj(number)) for xref in document.xrefs for number in xref.get_objids()]
    names = set()
    for font in (value for value in objects if isinstance(value, dict)):
        if _name(font.get("Type")) == "Font" and _name(font.get("Subtype")) not in ("Type0", "Type3"):
            descriptor = resolve1(font.get("FontDescriptor")) or {}
            if not any(key.startswith("FontFile") for key in descriptor):
                names.add(_name(font.get("BaseFont")))
    return sorted(names)


def manifest(names: Sequence[str], files: Iterable[str | Path]) -> str:
    """A line for each file with its SHA-256 and its name, sorted by name, as `sha256sum --check` reads it."""
    return "".join(f"{sha256(file)}  {name}\n" for name, file in sorted(zip(names, files, strict=True)))


def _pdf_problems(path: str | Path) -> Iterator[str]:
    size = Path(path).stat().st_size / 1e6
    if size > MAX_MB:
        yield f"{path} has {size:.1f} MB, more than {MAX_MB}: use fewer embedding_points, or fewer figures"
    with pdfplumber.open(path) as pdf:
        pages = [(round(page.width), round(page.height)) for page in pdf.pages]
        fonts = unembedded_fonts(pdf.doc)
    if len(pages) != 1:
        yield f"{path} has {len(pages)} pages, not one: shorten the discussion"
    if set(pages) != {A4_PT}:
        yield f"{path} is not A4: leave `@page` in base.css as it was"
    if fonts:
        yield f"{path} does not contain its fonts {', '.join(fonts)}: use those that base.css names"


def _name(value: Any) -> Any:
    """A PDF name as text."""
    value = resolve1(value)
    return getattr(value, "name", value)
