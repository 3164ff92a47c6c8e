"""A student's own discussion: Markdown that quotes metrics by name. It is text and never evaluated as a template."""

import re
import stat
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path

from latentlab.report.metrics_context import Metrics, quotable_metrics
from latentlab.report.text import MINUS, format_number, format_percent, shorten
from latentlab.runtime.errors import UserError

PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
SUFFIXES = (".md", ".markdown", ".txt")
MAX_BYTES = 20_000  # twice what fits on a page, and too little to keep the typesetting busy for long
FORMATS = {"number": format_number, "percent": format_percent}
FORMAT = re.compile(rf"({'|'.join(FORMATS)})(?:\((\d)\))?")
METRICS_REFERENCE = "docs/metrics.md"


def read_discussion(path: str | Path, setting: str = "discussion") -> str:
    """The text of a Markdown file, without a byte-order mark; messages name the setting that names the file.

    Raises:
        UserError: it is not a regular file with one of `SUFFIXES`, cannot be read, is not UTF-8 text, or is far longer
            than a page.
    """

    def refusal(reason: str) -> UserError:
        name = str(path).replace("\0", "\\0")
        return UserError(f"config: {setting}: {name}: {reason}; name a Markdown file, or null")

    try:
        status = Path(path).stat()  # before it is opened: opening a named pipe waits for its other end
        if not stat.S_ISREG(status.st_mode):
            raise refusal("is a directory" if stat.S_ISDIR(status.st_mode) else "is not a regular file")
        if Path(path).suffix.lower() not in SUFFIXES:
            raise refusal(f"its name does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refusal(str(error.strerror).lower()) from error
    except ValueError as error:
        raise refusal("a path cannot contain NUL characters") from error
    if len(raw) > MAX_BYTES:
        raise UserError(
            f"config: {setting}: {path}: {max(status.st_size, len(raw)):,} bytes are far more than one page holds: "
            f"shorten it to {MAX_BYTES:,} at most"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("is not UTF-8 text") from error
    if "\0" in text:
        raise refusal("contains NUL characters, so it is not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def quote_metrics(text: str, values: Mapping[str, str | float], source: str = "discussion") -> str:
    """`text` with each `{{ name }}` replaced by the metric of that name: to four significant digits, or as the format
    behind it says, `{{ name | number(1) }}` or `{{ name | percent }}`.

    Args:
        values: the metrics by name (`quotable_metrics`).
        source: name of the text in error messages.

    Raises:
        UserError: there is no metric of that name, or no such format; the message says in which line it is quoted.
    """

    def replace_in(line: str, number: int) -> str:
        def value_of(match: re.Match[str]) -> str:
            name, bar, form = (part.strip() for part in match[1].partition("|"))
            place = f"{source}, line {number}"
            if name not in values:
                raise UserError(f"{place}: there is no metric {shorten(name, 80)!r}; {_suggestion(name, values)}")
            value = values[name]
            if not bar:
                return _format_value(value)
            if isinstance(value, str):
                raise UserError(f"{place}: {name} is a text: quote it without a format")
            if not (known := FORMAT.fullmatch(form)):
                formats = "number, number(2), percent or percent(1), with another digit"
                raise UserError(f"{place}: there is no format {shorten(form, 80)!r}: write {formats}, or none")
            kind, digits = known.groups()
            return FORMATS[kind](value, *([int(digits)] if digits else []))

        return PLACEHOLDER.sub(value_of, line)

    return "\n".join(replace_in(line, number) for number, line in enumerate(text.split("\n"), 1))


def discussion_to_html(path: str | Path, metrics: Metrics, sections: Collection[str] = ()) -> dict[str, str]:
    """The Markdown at `path` as HTML, by the numbers of the sections that it replaces (see `markdown_to_html`). HTML
    inside it is escaped.

    Args:
        sections: the numbers of the assignment's sections, in order.

    Raises:
        UserError: see `read_discussion`, `quote_metrics` and `markdown_to_html`.
    """
    from latentlab.report.markdown import markdown_to_html  # not needed to read a discussion, as every job does

    text = quote_metrics(read_discussion(path), quotable_metrics(metrics), str(path))
    return markdown_to_html(text, sections, str(path))


def _format_value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return (f"{value:.4g}" if isinstance(value, float) else str(value)).replace("-", MINUS)


def _suggestion(name: str, values: Mapping[str, str | float]) -> str:
    close = get_close_matches(name, values, 3, 0.5)
    if close:
        return f"did you mean {' or '.join(close)}? {METRICS_REFERENCE} lists them all"
    return (
        "a name is that of a model and the path to a key of its metrics file, as in vae.test.kl; "
        f"{METRICS_REFERENCE} lists them all"
    )
