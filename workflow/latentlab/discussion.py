"""A student's own discussion: Markdown that quotes measured figures by name. It is data and never a template."""

import re
from pathlib import Path

from latentlab.errors import UserError

NAME = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
HEADING = re.compile(r"^##[ \t]+(\d+(?:\.\d+)*|[A-Z])\.?(?=\s|$).*$", re.MULTILINE)
WHOLE = ""  # stands for the number of a section where all of them are replaced
LIMIT = 50_000  # bytes: ten times what fits on a page, and nothing to keep a typesetter busy for minutes


def read(path):
    """The text of `path`.

    Raises:
        UserError: it is not a readable UTF-8 text, or far longer than a page.
    """
    try:
        raw = Path(path).read_bytes()
        if len(raw) > LIMIT:
            raise UserError(
                f"config: discussion: {path}: {len(raw):,} bytes are far more than one page holds: shorten it to "
                f"{LIMIT:,} at most"
            )
        return raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror).lower()
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


def to_html(path, metrics, sections=()):
    """The Markdown at `path` as HTML, by the numbers of the sections that it replaces; HTML inside it stays text.

    Raises:
        UserError: as `read`, `quote` and `divide` say.
    """
    from markdown_it import MarkdownIt

    text = quote(read(path), flatten(metrics), str(path))
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return {number: markdown.render(part) for number, part in divide(text, sections, str(path)).items()}


def divide(text, sections, source="discussion"):
    """A student's text by the sections that it replaces: number → text below the heading `## number …`.

    Where no heading has the number of one of `sections`, the text replaces them all: `{WHOLE: text}`.

    Raises:
        UserError: beside such headings there is one of an unknown number, one twice, or text before the first.
    """
    start, *parts = HEADING.split(text)
    numbers, bodies = parts[::2], parts[1::2]
    if not set(numbers) & set(sections):
        return {WHOLE: text}
    unknown = [number for number in numbers if number not in sections]
    twice = [number for number in numbers if numbers.count(number) > 1]
    if unknown:
        raise UserError(f"{source}: there is no section {unknown[0]}; this hand-in has {', '.join(sections)}")
    if twice:
        raise UserError(f"{source}: section {twice[0]} is there twice; join the two")
    if start.strip():
        raise UserError(f"{source}: the text before '## {numbers[0]}' is in no section; put it below a heading")
    return dict(zip(numbers, bodies, strict=True))


def _close(name, figures):
    from difflib import get_close_matches

    close = get_close_matches(name, figures, 3, 0.5)
    return f"did you mean {' or '.join(close)}?" if close else "the names are the keys of the metrics.json files"
