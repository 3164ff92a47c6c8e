"""Text of a page: numbers as they are printed, and the parts of its HTML."""

import re

THIN_SPACE, MINUS = "\u202f", "\u2212"


def format_number(value: float, digits: int = 1) -> str:
    """12345.678 → 12 345.7, with a minus sign instead of a hyphen and narrow no-break spaces."""
    return f"{value:,.{digits}f}".replace(",", THIN_SPACE).replace("-", MINUS)


def format_percent(share: float, digits: int = 0) -> str:
    """0.123 → 12 %."""
    return f"{format_number(100 * share, digits)}{THIN_SPACE}%"


def strip_tags(html: str) -> str:
    """HTML with a space in place of each tag."""
    return re.sub(r"<[^>]*>", " ", html)


def extract_discussion(html: str) -> str:
    """The discussion in the HTML of a page."""
    return re.findall(r'id="discussion"[^>]*>(.*)<div id="end"', html, re.DOTALL)[0]


def shorten(text: str, limit: int = 40) -> str:
    """`text` with an ellipsis in place of what is beyond `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
