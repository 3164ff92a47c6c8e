"""Whether everything on a printed page can be read: nothing cut off, nothing on top of something else, nothing off the
side. Counting pages tells none of this."""

import html
import re
from itertools import combinations

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument

from latentlab.errors import UserError

WIDTH_MM, HEIGHT_MM = 210, 297
TOP_MM, SIDE_MM, BOTTOM_MM = 11, 12, 15  # margins of the page in base.css
FOOTER_MM = 9  # of the bottom margin belong to the footer
SLACK_MM = 0.5
PX, PT = 25.4 / 96, 25.4 / 72  # millimetres
HYPHENATED = "\x02"  # what pdfium makes of a hyphen that ends a line
END = 30  # letters: the text arrived if its last ones did


def check(name, laid_out, pdf, discussion):
    """Raise UserError unless the page can be read as a whole.

    Args:
        name: of the page, for the sentence.
        laid_out: WeasyPrint's page, for its figures and the boxes that hide what does not fit into them.
        pdf: path of the same page as printed, for its words.
        discussion: the HTML that must be there to its end.
    """
    printed, flow = words(pdf)
    shown = figures(laid_out)
    for found in (_off_the_page(shown, printed), _on_top(shown, printed), _hidden(laid_out), _cut(discussion, flow)):
        if found:
            raise UserError(f"{name}: {found}")


def words(pdf):
    """Words as (text, box), boxes as (left, top, right, bottom) in millimetres, and all text in reading order. What is
    written across the page (the stand-in data's stamp) is left out."""
    placed, within = [], False
    with PdfDocument(pdf) as document:
        height, text = document[0].get_height(), document[0].get_textpage()
        for i in range(text.count_chars()):
            letter = chr(pdfium.FPDFText_GetUnicode(text, i))
            if letter.isspace() or letter == HYPHENATED:
                within = False
            elif pdfium.FPDFText_GetCharAngle(text, i) == 0:
                left, bottom, right, top = (PT * place for place in text.get_charbox(i))
                box = left, PT * height - top, right, PT * height - bottom
                word, start = placed.pop() if within else ("", box)
                placed.append((word + letter, (*map(min, start[:2], box[:2]), *map(max, start[2:], box[2:]))))
                within = True
    return placed, " ".join(text for text, _ in placed)


def figures(laid_out):
    """Pictures as (alternative text, box)."""
    pictures = [box for box in _boxes(laid_out) if box.element_tag == "img" and hasattr(box, "replacement")]
    return [(box.element.get("alt", ""), _box(box, box.content_box_x(), box.content_box_y())) for box in pictures]


def _off_the_page(shown, printed):
    for alt, (left, top, right, bottom) in shown:
        over = max(SIDE_MM - left, right - (WIDTH_MM - SIDE_MM), TOP_MM - top, bottom - (HEIGHT_MM - BOTTOM_MM))
        if over > SLACK_MM:
            return (
                f"the figure “{_short(alt)}” reaches {over:.0f} mm over the page's margin: make it or its neighbours "
                "smaller in handin.yaml"
            )
    for text, (left, top, right, bottom) in printed:
        over = max(
            SIDE_MM - left, right - (WIDTH_MM - SIDE_MM), TOP_MM - top, bottom - (HEIGHT_MM - BOTTOM_MM + FOOTER_MM)
        )
        if over > SLACK_MM:
            return f"the word “{_short(text)}” reaches {over:.0f} mm over the page's margin: shorten or divide it"
    return None


def _on_top(shown, printed):
    for (text, box), (other, place) in combinations(printed, 2):
        if _overlap(box, place) > SLACK_MM:
            return f"the words “{_short(text)}” and “{_short(other)}” lie on top of each other: shorten the text there"
    for alt, box in shown:
        for other, place in shown:
            if alt != other and _overlap(box, place) > SLACK_MM:
                return f"the figures “{_short(alt)}” and “{_short(other)}” overlap: make one smaller in handin.yaml"
        for text, place in printed:
            if _overlap(box, place) > SLACK_MM:
                return f"the word “{_short(text)}” lies on the figure “{_short(alt)}”: shorten the text beside it"
    return None


def _hidden(laid_out):
    """What a box with `overflow: hidden` does not show."""
    for box in _boxes(laid_out):
        if box.style["overflow"] == "visible" or hasattr(box, "replacement"):
            continue
        inside = _box(box, box.padding_box_x(), box.padding_box_y())
        for inner in box.descendants():
            if getattr(inner, "text", "").strip():
                left, top, right, bottom = _box(inner, inner.position_x, inner.position_y)
                if max(inside[0] - left, inside[1] - top, right - inside[2], bottom - inside[3]) > SLACK_MM:
                    return f"“{_short(inner.text)}” is cut off by its box: shorten the text there"
    return None


def _cut(discussion, flow):
    said = _letters(html.unescape(re.sub(r"<[^>]*>", " ", discussion)))
    if said[-END:] not in _letters(flow):
        return f"the discussion's last words, “{said[-END:]}”, are not on the printed page: shorten it"
    return None


def _boxes(laid_out):
    return laid_out._page_box.descendants()  # WeasyPrint has no public name for it


def _box(box, x, y):
    return PX * x, PX * y, PX * (x + box.width), PX * (y + box.height)


def _overlap(a, b):
    """How deep two boxes lie in each other, in millimetres; negative if they do not."""
    return min(min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))


def _letters(text):
    """Without spaces and hyphens, which lines add and take."""
    return re.sub(r"[\s\u2010\u00ad-]", "", text)


def _short(text, most=40):
    return text if len(text) <= most else text[: most - 1] + "…"
