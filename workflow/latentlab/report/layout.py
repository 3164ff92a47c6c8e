"""Checks that everything on a printed page can be read: nothing is cut off, overlaps or lies outside the margins. The
number of pages says nothing about any of this.

Boxes are (left, top, right, bottom) in millimetres from the top left corner of the page.
"""

import html
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument

from latentlab.report.text import shorten, strip_tags
from latentlab.runtime.errors import UserError

Box = tuple[float, float, float, float]
Placed = list[tuple[str, Box]]  # texts, or alternative texts of figures, with their boxes

WIDTH_MM, HEIGHT_MM = 210, 297
TOP_MM, SIDE_MM, BOTTOM_MM = 11, 12, 15  # the margins in base.css
FOOTER_MM = 9  # the part of the bottom margin that holds the footer
TOLERANCE_MM = 0.5
PX, PT = 25.4 / 96, 25.4 / 72  # millimetres
LINE_END_HYPHEN = "\x02"  # how pdfium reports a hyphen at the end of a line
N_LAST_LETTERS = 30  # the discussion is complete if its last letters are on the page
MIN_FORMULA_SCALE = 0.6  # of a formula that is made smaller to fit into its column


def check_layout(name: str | Path, page: Any, pdf: str | Path, discussion: str) -> None:
    """Check a printed page.

    Args:
        name: of the page, for the message.
        page: the page as WeasyPrint laid it out, for its text in reading order, its figures and the boxes that hide
            what does not fit into them.
        pdf: path of the same page as printed, for its words.
        discussion: HTML that has to be on the page to its end.

    Raises:
        UserError: some of it cannot be read.
    """
    words, figures, formulas = printed_words(pdf), placed_images(page), placed_images(page, formulas=True)
    problem = (
        _outside_margins(figures, formulas, words)
        or _too_small(page)
        or _overlaps(figures, words + formulas)
        or _clipped(page)
        or _missing_end(page, discussion)
    )
    if problem:
        raise UserError(f"{name}: {problem}")


def printed_words(pdf: str | Path) -> Placed:
    """The words on the first page with their boxes, in the order in which they are drawn. Text that is not horizontal
    (the stamp of synthetic data) is left out."""
    words: Placed = []
    in_word = False
    with PdfDocument(pdf) as document:
        height, text = document[0].get_height(), document[0].get_textpage()
        for i in range(text.count_chars()):
            character = chr(pdfium.FPDFText_GetUnicode(text, i))
            if character.isspace() or character == LINE_END_HYPHEN:
                in_word = False
            elif pdfium.FPDFText_GetCharAngle(text, i) == 0:
                left, bottom, right, top = (PT * position for position in text.get_charbox(i))
                box = left, PT * height - top, right, PT * height - bottom
                word, start = words.pop() if in_word else ("", box)
                words.append((word + character, _union(start, box)))
                in_word = True
    return [(_join_surrogates(word), box) for word, box in words]


def placed_images(page: Any, formulas: bool = False) -> Placed:
    """The figures on WeasyPrint's page, or its formulas, as their alternative texts with their boxes."""
    return [
        (image.element.get("alt", ""), _box(image, image.content_box_x(), image.content_box_y()))
        for image in _images(page)
        if _is_formula(image) == formulas
    ]


def _outside_margins(figures: Placed, formulas: Placed, words: Placed) -> str | None:
    for kind, remedy, bottom, placed in (
        ("figure", "make it or the figures beside it smaller in assignment.yaml", BOTTOM_MM, figures),
        ("formula", "divide it", BOTTOM_MM, formulas),
        ("word", "shorten or divide it", BOTTOM_MM - FOOTER_MM, words),
    ):
        for text, box in placed:
            excess = _excess(box, bottom)
            if excess > TOLERANCE_MM:
                return f"the {kind} “{shorten(text)}” extends {excess:.0f} mm over the page's margin: {remedy}"
    return None


def _too_small(page: Any) -> str | None:
    """A formula that is wider than its column is made as narrow as the column."""
    for image in _images(page):
        if _is_formula(image) and image.style["width"] != "auto":
            scale = image.width / image.style["width"].value
            if scale < MIN_FORMULA_SCALE:
                return f"the formula “{shorten(image.element.get('alt', ''))}” is too wide for its column: divide it"
    return None


def _excess(box: Box, bottom_margin: float) -> float:
    """How far a box extends over the margins; negative if it does not."""
    left, top, right, bottom = box
    return max(SIDE_MM - left, right - (WIDTH_MM - SIDE_MM), TOP_MM - top, bottom - (HEIGHT_MM - bottom_margin))


def _overlaps(figures: Placed, words: Placed) -> str | None:
    if pair := _overlapping_words(words):
        first, second = pair
        return f"the words “{shorten(first)}” and “{shorten(second)}” overlap: shorten the text there"
    for alt, box in figures:
        for other_alt, other_box in figures:
            if alt != other_alt and _overlap(box, other_box) > TOLERANCE_MM:
                return (
                    f"the figures “{shorten(alt)}” and “{shorten(other_alt)}” overlap: make one smaller in "
                    "assignment.yaml"
                )
        for word, word_box in words:
            if _overlap(box, word_box) > TOLERANCE_MM:
                return f"the word “{shorten(word)}” overlaps the figure “{shorten(alt)}”: shorten the text beside it"
    return None


def _overlapping_words(words: Placed) -> tuple[str, str] | None:
    from_top = sorted(range(len(words)), key=lambda i: words[i][1][1])
    for position, i in enumerate(from_top):
        box = words[i][1]
        for j in from_top[position + 1 :]:
            other_box = words[j][1]
            if other_box[1] > box[3]:
                break  # so do all after it
            if _overlap(box, other_box) > TOLERANCE_MM:
                return words[min(i, j)][0], words[max(i, j)][0]
    return None


def _clipped(page: Any) -> str | None:
    """What a box with `overflow: hidden` hides."""
    for box in _boxes(page):
        if box.style["overflow"] == "visible" or hasattr(box, "replacement"):
            continue
        visible = _box(box, box.padding_box_x(), box.padding_box_y())
        for inner in box.descendants():
            if getattr(inner, "text", "").strip():
                left, top, right, bottom = _box(inner, inner.position_x, inner.position_y)
                if max(visible[0] - left, visible[1] - top, right - visible[2], bottom - visible[3]) > TOLERANCE_MM:
                    return f"“{shorten(inner.text)}” is cut off by its box: shorten the text there"
    return None


def _missing_end(page: Any, discussion: str) -> str | None:
    """Compares with the text that WeasyPrint laid out. In the PDF the same text has other characters (ligatures,
    characters that no font has), and one that runs from right to left another order."""
    text = html.unescape(strip_tags(discussion))
    printed = "".join(
        box.text
        for box in _boxes(page)
        if hasattr(box, "text")
        and box.style["visibility"] == "visible"
        and "::" not in str(box.element_tag)  # the number of a list's item is not in the HTML
    )
    if _letters(text)[-N_LAST_LETTERS:] not in _letters(printed):
        last_words = " ".join(text.split()[-6:])[-60:]
        return f"the discussion's last words, “{last_words}”, are not on the printed page: shorten it"
    return None


def _images(page: Any) -> Iterator[Any]:
    return (box for box in _boxes(page) if box.element_tag == "img" and hasattr(box, "replacement"))


def _is_formula(image: Any) -> bool:
    return "formula" in image.element.get("class", "").split()


def _boxes(page: Any) -> Iterator[Any]:
    return page._page_box.descendants()  # WeasyPrint has no public name for it


def _box(box: Any, x: float, y: float) -> Box:
    return PX * x, PX * y, PX * (x + box.width), PX * (y + box.height)


def _union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _overlap(a: Box, b: Box) -> float:
    """How far two boxes overlap; negative if they do not."""
    return min(min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))


def _letters(text: str) -> str:
    """Text without spaces and hyphens, which line breaks add and remove, and without invisible characters."""
    return "".join(
        character
        for character in text
        if not (character.isspace() or character in "-\u2010" or unicodedata.category(character).startswith("C"))
    )


def _join_surrogates(text: str) -> str:
    """pdfium gives the two halves of a character beyond U+FFFF one by one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
