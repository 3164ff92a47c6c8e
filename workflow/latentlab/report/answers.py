"""A student's own answers in a notebook: Markdown that replaces those of its template, section by section."""

from collections.abc import Collection
from pathlib import Path

from jinja2 import nodes
from markupsafe import Markup

from latentlab.report.discussion import quote_metrics, read_discussion
from latentlab.report.metrics_context import Metrics, quotable_metrics
from latentlab.report.templates import template_environment

SETTING = "notebook_answers"


def answer_numbers(template: str | Path) -> list[str]:
    """The numbers of the answers in a notebook's template: those of its blocks `{% call answer("1.2") %}`, in order."""
    template = Path(template)
    tree = template_environment(template.parent).parse(template.read_text(encoding="utf-8"))
    calls = [block.call for block in tree.find_all(nodes.CallBlock)]
    named = [call for call in calls if isinstance(call.node, nodes.Name) and call.node.name == "answer" and call.args]
    return [call.args[0].value for call in named if isinstance(call.args[0], nodes.Const)]


def replaced_answers(path: str | Path, metrics: Metrics, numbers: Collection[str]) -> dict[str, Markup]:
    """The Markdown at `path` by the numbers of the answers that it replaces, with the metrics that it quotes. HTML is
    escaped.

    Args:
        numbers: of the notebook's answers, in order.

    Raises:
        UserError: see `read_discussion`, `quote_metrics` and `markdown_sections`.
    """
    from latentlab.report.markdown import markdown_sections  # not needed to read an answer's number

    text = quote_metrics(read_discussion(path, SETTING), quotable_metrics(metrics), str(path))
    return {number: Markup(part) for number, part in markdown_sections(text, numbers, str(path)).items()}
