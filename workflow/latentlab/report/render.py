"""From metrics and templates to one self-contained HTML page.

Nothing is computed: each number on the page is read from a metrics file. Text that a user writes (names, titles, a
discussion) is data and never a template; nothing is loaded from elsewhere.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from latentlab.records.provenance import Provenance
from latentlab.records.settings import Author
from latentlab.report.discussion import discussion_to_html, read_discussion
from latentlab.report.fonts import clean_text, data_uri, font_faces, unsupported_characters
from latentlab.report.metrics_context import Metrics
from latentlab.report.templates import render_template

UNTITLED = "Report"  # where nothing of a title can be seen
FONTS_PLACEHOLDER = "\0fonts\0"  # in no text: user text is cleaned of control characters


@dataclass
class Page:
    """What a page shows besides metrics. Text that a user writes is cleaned here, once."""

    title: str
    course: str | None
    authors: Sequence[Author]
    classes: Sequence[str]
    """Class names, in the order of the labels."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Number → heading, in the order of the assignment."""
    figures: Mapping[str, str | Path] = field(default_factory=dict)
    """Name → path of an SVG file."""
    discussion: str | Path | None = None
    """Path of a student's Markdown."""
    explorer: bool = False
    """Whether there is an explorer.html beside the page."""
    preview: bool = False
    """Whether it is a first look, from coarse settings, and marked as such."""

    def __post_init__(self) -> None:
        self.title, self.course = clean_text(self.title) or UNTITLED, clean_text(self.course or "")
        self.authors = [
            Author(
                name=clean_text(author.name), id=clean_text(str(author.id or "")), email=clean_text(author.email or "")
            )
            for author in self.authors
        ]


def text_warnings(
    title: str, course: str | None, authors: Sequence[Author], discussion: str | Path | None
) -> list[str]:
    """A sentence for each text of a user that the page cannot show as it is.

    Args:
        discussion: path of a student's Markdown.

    Raises:
        UserError: the discussion cannot be read.
    """
    texts = {"title": title, "course": course or ""}
    for i, author in enumerate(authors):
        texts[f"authors.{i}"] = " ".join(str(value) for value in (author.name, author.id, author.email) if value)
    if discussion:
        texts[f"discussion ({discussion})"] = read_discussion(discussion)
    return list(unsupported_characters(texts))


def svg_width(svg: str) -> str:
    """The printed width of an SVG file, as its root element gives it: "257.9pt"."""
    return re.findall(r'<svg\b[^>]*?\bwidth="([\d.]+pt)"', svg)[0]


def render_page(template: str | Path, page: Page, metrics: Metrics, provenance: Provenance) -> str:
    """The HTML of a page, with its figures, style and fonts inside.

    Args:
        template: path of an assignment's page.html.j2; the shared base is in the folder above.
        metrics: from `gather_metrics`; each name in it is a variable of the template.

    Raises:
        UserError: the student's discussion cannot be read or quotes an unknown metric, or the template uses a metric
            that its models do not have.
    """
    template = Path(template)
    replaced = discussion_to_html(page.discussion, metrics, page.sections) if page.discussion else {}
    context = {
        "page": page,
        "replaced": {number: Markup(html) for number, html in replaced.items()},
        "image": lambda name: Markup(data_uri(Path(page.figures[name]).read_bytes(), "image/svg+xml")),
        "image_width": lambda name: svg_width(Path(page.figures[name]).read_text(encoding="utf-8")),
        "css": Markup((template.parent.parent / "base.css").read_text(encoding="utf-8")),
        "provenance": provenance,
        "models": metrics,
        "fonts": Markup(FONTS_PLACEHOLDER),
    }
    html = render_template(template, dict(metrics) | context)
    return html.replace(FONTS_PLACEHOLDER, font_faces(html.replace(FONTS_PLACEHOLDER, "")))
