"""A student's own discussion: Markdown that quotes measured figures by name. It is data and never a template."""

import re
from pathlib import Path

from latentlab.errors import UserError

NAME = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def read(path):
    """The text of `path`.

    Raises:
        UserError: it is not a readable UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror.lower()
        raise UserError(f"config: discussion: {path}: {reason}; name a Markdown file, or null") from error


def flatten(metrics, prefix=""):
    """{"vae": {"test": {"elbo": 1.5}}} → {"vae.test.elbo": 1.5}: numbers and texts only, items of lists by position."""
    flat = {}
    for key, value in metrics.items() if isinstance(metrics, dict) else enumerate(metrics):
        name = f"{prefix}{key}"
        if isinstance(value, dict | list):
            flat |= flatten(value, name + ".")
        else:
            flat[name] = value
    return flat


def quote(text, figures, source="discussion"):
    """`text` with each `{{ name }}` replaced by that figure, floats to four significant digits.

    Raises:
        UserError: no figure has that name; the sentence says in which line.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):

        def figure(match, number=number):
            name = match[1]
            if name not in figures:
                raise UserError(f"{source}, line {number}: no figure is called {name!r}; {_close(name, figures)}")
            value = figures[name]
            return (f"{value:.4g}" if isinstance(value, float) else str(value)).replace("-", "\u2212")

        lines[number - 1] = NAME.sub(figure, line)
    return "\n".join(lines)


def to_html(path, metrics):
    """The Markdown at `path` as HTML; HTML inside it stays text."""
    from markdown_it import MarkdownIt

    text = quote(read(path), flatten(metrics), str(path))
    return MarkdownIt("commonmark", {"html": False}).enable("table").render(text)


def _close(name, figures):
    from difflib import get_close_matches

    close = get_close_matches(name, figures, 3, 0.5)
    return f"did you mean {' or '.join(close)}?" if close else "the names are the keys of the metrics.json files"
