"""A notebook from Markdown: its cells, its execution, and a page that shows it without Jupyter."""

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import jupytext
from markupsafe import Markup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from latentlab.runtime.errors import UserError
from latentlab.runtime.files import write_text

Notebook = Any  # nbformat.NotebookNode

TIME_LIMIT = 1200  # seconds, for a cell
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def library_source(module: str, *names: str) -> Markup:
    """The source code of classes and functions of `latentlab.{module}`, for a cell of a template."""
    library_module = importlib.import_module(f"latentlab.{module}")
    return Markup("\n\n\n".join(inspect.getsource(getattr(library_module, name)).rstrip() for name in names))


def build_notebook(markdown: str) -> Notebook:
    """The notebook of a Markdown text, whose fenced Python blocks become code cells."""
    notebook = jupytext.reads(markdown, fmt="md")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"  # the default is random, so that no two notebooks would be equal
    return notebook


def run_notebook(notebook: Notebook, folder: str | Path) -> None:
    """Run all cells in `folder` and store their outputs in the notebook.

    Raises:
        UserError: a cell failed.
    """
    client = NotebookClient(
        notebook,
        timeout=TIME_LIMIT,
        record_timing=False,
        coalesce_streams=True,  # a kernel splits what a cell prints by time, which differs from run to run
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise UserError(f"a cell of the notebook failed: {error.ename}: {error.evalue}") from error


def save_notebook(path: str | Path, notebook: Notebook) -> None:
    """Write an .ipynb file; equal notebooks give equal bytes."""
    write_text(path, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def save_notebook_html(path: str | Path, notebook: Notebook, title: str, template: str | Path) -> None:
    """Write the notebook as one self-contained page: images, style and formulas (as MathML) are inside it.

    Args:
        template: the folder with nbconvert's template for this page.
    """
    template = Path(template)
    exporter = HTMLExporter(template_name=template.name, extra_template_basedirs=[str(template.parent)])
    exporter.register_filter("markdown2html", markdown_to_html)
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    write_text(path, html)


def markdown_to_html(text: str) -> str:
    """Markdown with formulas between dollar signs as HTML; HTML inside it is escaped."""
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def render_formula(tex: str, options: dict) -> str:
        return convert(tex, display="block" if options["display_mode"] else "inline")

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=render_formula).render(text)
