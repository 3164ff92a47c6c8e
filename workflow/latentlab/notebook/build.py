"""A notebook from its text and its executed cells, and a page that shows it without Jupyter."""

import base64
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jupytext
from markupsafe import Markup
from nbconvert import HTMLExporter

from latentlab.notebook.run import Notebook
from latentlab.records.provenance import Provenance
from latentlab.report.answers import answer_numbers, replaced_answers
from latentlab.report.metrics_context import Metrics
from latentlab.report.render import Page
from latentlab.report.templates import render_template
from latentlab.report.text import shorten
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import write_text

CELL_MARK = "\0"  # around the name of a cell; in no text, which is cleaned of control characters
ATTACHMENT = re.compile(r"\(attachment:(\w+)\.png\)")


def place_cell(name: str) -> Markup:
    """What a template writes where the cell `name` belongs."""
    return Markup(f"{CELL_MARK}{name}{CELL_MARK}")


def attached_figure(name: str, alt: str) -> Markup:
    """The Markdown of a figure that is attached to its cell."""
    return Markup(f"![{alt}](attachment:{name}.png)")


def render_text(
    template: str | Path, page: Page, metrics: Metrics, provenance: Provenance, answers: str | Path | None = None
) -> str:
    """The Markdown of a notebook, with marks where its cells and figures belong.

    Args:
        template: path of a {notebook}.md.j2.
        metrics: from `gather_metrics`; each name in it is a variable of the template.
        answers: path of a student's Markdown, which replaces answers by their numbers.

    Raises:
        UserError: the student's text cannot be read, or quotes an unknown metric or section, or the template uses a
            metric that its models do not have.
    """
    template = Path(template)
    numbers = answer_numbers(template)
    own = replaced_answers(answers, metrics, numbers) if answers else {}

    def answer(number: str, caller: Callable[[], str]) -> str:
        return own[number] if number in own else caller()

    context = {
        "answer": answer,
        "cell": place_cell,
        "figure": attached_figure,
        "page": page,
        "provenance": provenance,
        "synthetic": any(data.source == "synthetic" for data in provenance.data),
    }
    return render_template(template, dict(metrics) | context)


def build_notebook(text: str, code: Notebook, figures: Mapping[str, Callable[[], bytes]]) -> dict[str, Any]:
    """The notebook of a rendered template: its Markdown, and the executed cells in their places.

    Args:
        text: Markdown, in which `place_cell` marks the places of cells and `attached_figure` those of figures.
        code: the executed notebook; the IDs of its cells are their names.
        figures: name of a figure → a function that draws it as PNG; those that the text shows are drawn.
    """
    executed = {cell["id"]: cell for cell in code["cells"]}
    cells = []
    for number, part in enumerate(text.split(CELL_MARK)):
        if number % 2:
            cells.append(executed[part])
        elif part.strip():
            cells.append(_markdown_cell(part.strip(), f"text-{number // 2 + 1}", figures))
    return dict(code) | {"cells": cells}


def save_notebook_html(path: str | Path, notebook: str | Path, title: str, template: str | Path) -> None:
    """Write a notebook as one self-contained page: images, style and formulas (as MathML) are inside it.

    Args:
        notebook: the .ipynb file.
        template: the folder with nbconvert's template for this page.
    """
    node, template = jupytext.read(notebook), Path(template)
    for cell in node.cells:
        cell.source = _embedded(cell.source, cell.get("attachments", {}))
    exporter = HTMLExporter(template_name=template.name, extra_template_basedirs=[str(template.parent)])
    exporter.register_filter("markdown2html", markdown_to_html)
    html, _ = exporter.from_notebook_node(node, {"metadata": {"name": title}})
    write_text(path, html)


def markdown_to_html(text: str) -> str:
    """Markdown with formulas between dollar signs as HTML; HTML inside it is escaped.

    Raises:
        UserError: a formula is not valid.
    """
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def render_formula(tex: str, options: dict) -> str:
        try:
            return convert(tex, display="block" if options["display_mode"] else "inline")
        except Exception as error:
            raise UserError(
                f"the formula “{shorten(tex, 80)}” of the notebook is not valid; correct it, or write \\$ for a dollar"
            ) from error

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=render_formula).render(text)


def _markdown_cell(source: str, name: str, figures: Mapping[str, Callable[[], bytes]]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}
    shown = [figure for figure in dict.fromkeys(ATTACHMENT.findall(source)) if figure in figures]
    if shown:
        images = {figure: base64.b64encode(figures[figure]()).decode() for figure in shown}
        cell["attachments"] = {f"{figure}.png": {"image/png": image} for figure, image in images.items()}
    return cell


def _embedded(source: str, attachments: Mapping[str, Any]) -> str:
    """Markdown with its attachments inside it."""
    for name, image in attachments.items():
        source = source.replace(f"(attachment:{name})", f"(data:image/png;base64,{image['image/png']})")
    return source
