"""A notebook from Markdown: its cells, its run, and the page that shows it to those who have no Jupyter."""

import importlib
import inspect
import json
from pathlib import Path

import jupytext
from markupsafe import Markup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from latentlab.errors import UserError
from latentlab.files import write_text

TIME_LIMIT = 1200  # seconds, for a cell
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def source(module, *names):
    """The code of this library's classes and functions `names`, for a cell of a template."""
    module = importlib.import_module(f"latentlab.{module}")
    return Markup("\n\n\n".join(inspect.getsource(getattr(module, name)).rstrip() for name in names))


def build(markdown):
    """The notebook of a Markdown text: its fenced Python blocks are the code cells."""
    notebook = jupytext.reads(markdown, fmt="md")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"  # else random, and no two files alike
    return notebook


def run(notebook, folder):
    """Run all cells in `folder`, outputs into the notebook.

    Raises:
        UserError: a cell failed.
    """
    client = NotebookClient(
        notebook, timeout=TIME_LIMIT, record_timing=False, resources={"metadata": {"path": str(folder)}}
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise UserError(f"a cell of the notebook failed: {error.ename}: {error.evalue}") from error


def save(path, notebook):
    write_text(path, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def save_html(path, notebook, title, template):
    """One self-contained page: images, style and formulas (as MathML) inside, nothing loaded from elsewhere.

    Args:
        template: a folder that holds nbconvert's template of this page.
    """
    template = Path(template)
    exporter = HTMLExporter(template_name=template.name, extra_template_basedirs=[str(template.parent)])
    exporter.register_filter("markdown2html", markdown_to_html)
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    write_text(path, html)


def markdown_to_html(text):
    """Markdown with formulas between dollars; HTML inside it stays text."""
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(tex, options):
        return convert(tex, display="block" if options["display_mode"] else "inline")

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=formula).render(text)
