"""Prints a page on one side of A4, in the largest text that fits."""

import functools
import hashlib
import itertools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from latentlab.report.conformance import conform, is_unambiguous
from latentlab.report.fonts import with_boxes
from latentlab.report.formulas import formula_texts
from latentlab.report.layout import BOTTOM_MM, HEIGHT_MM, PX, TOP_MM, check_layout
from latentlab.report.text import extract_discussion, shorten, strip_tags
from latentlab.report.time_limit import TimeLimitExceeded, time_limit
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import atomic_write

FONT_FACE = re.compile(r"@font-face {[^}]*}")
SIZES = [size / 10 for size in range(85, 101)]  # points, of the body text
MARKED_SIZES = [size / 10 for size in range(65, 101)]  # of a page that cannot be handed in
REFUSED = "refused, because a page may not load anything from elsewhere"
TIME_LIMIT_S = 120.0  # a page that fits takes a few seconds
ENDLESS_MM = 5000  # height of the paper on which a page that is too long is measured
MANY_PAGES = 4  # what takes more in a middling size fits in none
USUAL_HEADER_MM, LONG_HEADER_MM = 25, 50  # height of the title and the authors
MIN_DISCUSSION_MM = 20  # where less is left for it, the discussion is not what is too long
MANY_WORDS, MANY_BLOCKS, LONG_WORD = 2000, 300, 300  # of a discussion: what makes the layout slow
NOTICE = '<p class="notice">'  # of a page on synthetic data, or of a preview
DESCRIPTIONS = {  # of attachments
    "config.yaml": "The settings of the run that made this report",
    "provenance.json": "Versions, data, models and checksums of the run that made this report",
    "discussion.md": "The author's text of this report",
    "notebook_answers.md": "The author's answers in the notebook",
}
FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # of attachments and fonts: equal inputs give equal bytes


def print_pdf(
    html_path: str | Path,
    pdf_path: str | Path,
    attachments: Mapping[str, str | Path] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> float:
    """Print an HTML page on one side of A4, as PDF/A-3a and PDF/UA-1.

    Args:
        attachments: files to attach to the PDF, name → path.
        time_limit_s: seconds after which to give up.

    Returns:
        The size of the body text, points.

    Raises:
        UserError: the page does not fit in the smallest size either, refers to anything outside it, has a damaged
            image or takes too long, or some of it cannot be read; or Pango is missing.
    """
    weasyprint = _import_weasyprint()
    html = Path(html_path).read_text(encoding="utf-8")
    try:
        with time_limit(time_limit_s):
            return _print(weasyprint, html_path, html, pdf_path, attachments or {})
    except TimeLimitExceeded as error:
        raise UserError(f"{html_path}: {_time_limit_message(html, time_limit_s)}") from error


def _print(
    weasyprint: Any, html_path: str | Path, html: str, pdf_path: str | Path, attachments: Mapping[str, str | Path]
) -> float:
    size, document = _fit(weasyprint, html_path, html)
    identifier = hashlib.sha256(html.encode()).digest()[:16]
    with atomic_write(pdf_path) as partial:
        for attempt in itertools.count():
            document.metadata.attachments = [
                _attachment(weasyprint, name, Path(path).read_bytes()) for name, path in attachments.items()
            ]
            finisher = functools.partial(conform, formulas=formula_texts(html), attempt=attempt)
            document.write_pdf(partial, pdf_variant="pdf/a-3a", pdf_identifier=identifier, finisher=finisher)
            if is_unambiguous(partial):
                break
        check_layout(html_path, document.pages[0], partial, with_boxes(extract_discussion(html)))
    return size


def _fit(weasyprint: Any, name: str | Path, html: str) -> tuple[float, Any]:
    """The largest size of the body text in which `html` fits on one page, and the document in that size."""
    fetcher, font_config = _data_only_fetcher(weasyprint), weasyprint.text.fonts.FontConfiguration()
    head, body = html.split("</head>", 1)  # the head's title and authors remain as they are: no font shows them
    body = with_boxes(body)
    font_faces = FONT_FACE.findall(head)  # unpacked once, not for every size that is tried
    try:
        weasyprint.CSS(string="".join(font_faces), url_fetcher=fetcher, font_config=font_config)
    except weasyprint.urls.FatalURLFetchingError as error:
        raise UserError(f"{name}: {shorten(str(error), 200)}: {REFUSED}") from error
    document = weasyprint.HTML(string=FONT_FACE.sub("", head) + "</head>" + body, url_fetcher=fetcher)
    images = {}  # URL → image, None if it is damaged: decoded once, too

    @functools.cache
    def render(size: float, paper: str = "A4", css: str = "") -> Any:
        style = f"@page {{ size: {paper} !important }} :root {{ --body: {size}pt !important }} {css}"
        stylesheets = [weasyprint.CSS(string=style)]
        try:
            pages = document.render(font_config=font_config, stylesheets=stylesheets, cache=images)
        except weasyprint.urls.FatalURLFetchingError as error:
            raise UserError(f"{name}: {_fetching_message(document, str(error))}") from error
        for url, image in images.items():
            if image is None:
                raise UserError(f"{name}: {_damaged_message(document, url)}")
        return pages

    size, sizes = None, MARKED_SIZES if NOTICE in body else SIZES
    if len(render(sizes[len(sizes) // 2]).pages) <= MANY_PAGES:
        size = _largest_fitting(sizes, lambda size: len(render(size).pages) == 1)
    if size is None:
        endless = f"210mm {ENDLESS_MM}mm"
        page = render(sizes[0], endless)
        rest = render(sizes[0], endless, "#discussion { display: none !important }")
        raise UserError(f"{name}: {_too_long_message(html, page, rest, sizes[0])}")
    return size, render(size)


def _largest_fitting(sizes: Sequence[float], fits: Callable[[float], bool]) -> float | None:
    """The largest of ascending `sizes` that fits, or None; by bisection."""
    low, high = -1, len(sizes) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(sizes[middle]) else (low, middle - 1)
    return sizes[low] if low >= 0 else None


def _too_long_message(html: str, page: Any, rest: Any, size: float) -> str:
    """What makes a page too long, and by how much.

    Args:
        page: the page as rendered on endless paper.
        rest: the same without its discussion.
        size: of its body text, points: the smallest.
    """
    bottom = HEIGHT_MM - BOTTOM_MM
    start, end = _position(page, "discussion"), _position(page, "end")
    excess, room = end - bottom, bottom - _position(rest, "end")
    header = _header_height(page)
    if header > LONG_HEADER_MM and (room < MIN_DISCUSSION_MM or excess < header - USUAL_HEADER_MM):
        return (
            f"too long for one side of A4: the title and the authors take {header:.0f} of {bottom - TOP_MM} mm: "
            "shorten the title in assignment.yaml or config.yaml, or the list of authors in config.yaml"
        )
    if room < MIN_DISCUSSION_MM:
        figures = bottom - TOP_MM - header - room
        return (
            f"too long for one side of A4: the figures and tables take {figures:.0f} of {bottom - TOP_MM} mm and leave "
            f"{max(room, 0):.0f} mm for the discussion: make figures smaller in assignment.yaml"
        )
    n_words = len(strip_tags(extract_discussion(html)).split())
    n_excess = min(math.ceil(excess / (end - start) * n_words), n_words)
    return (
        f"too long for one side of A4 by {math.ceil(excess)} mm in the smallest text ({size} pt): "
        f"shorten the discussion by about {n_excess} of its {n_words} words"
    )


def _position(document: Any, anchor: str) -> float:
    """How far below the top of the first page an element begins, millimetres, if the pages are joined to one."""
    for i, page in enumerate(document.pages):
        if anchor in page.anchors:
            return page.anchors[anchor][1] * PX + i * (ENDLESS_MM - TOP_MM - BOTTOM_MM)
    raise ValueError(f"the page has no element {anchor}")


def _header_height(document: Any) -> float:
    """Of the title and the authors, millimetres; 0 if the page has none."""
    boxes = document.pages[0]._page_box.descendants()  # WeasyPrint has no public name for it
    return max((box.margin_height() * PX for box in boxes if box.element_tag == "header"), default=0)


def _fetching_message(document: Any, error: str) -> str:
    url = error.partition('"')[2].rpartition('"')[0]
    if url.startswith("data:"):
        return _damaged_message(document, url)
    return f"{shorten(error, 200)}: {REFUSED}"


def _damaged_message(document: Any, url: str) -> str:
    if re.search(r"@import|(?:url\(|href=)[\"'\s]*(?!data:|#)\w", unquote(url)):  # of an SVG
        return f"the picture “{shorten(url)}” refers to something outside it: {REFUSED}"
    alts = [image.get("alt") for image in document.etree_element.iter("img") if image.get("src") == url]
    name = next(filter(None, alts), url)
    return f"the picture “{shorten(name)}” is damaged: its data cannot be decoded; replace it or leave it out"


def _time_limit_message(html: str, time_limit_s: float) -> str:
    """That a page took too long, and why as far as its discussion tells."""
    discussion = extract_discussion(html)
    words = strip_tags(discussion).split()
    n_blocks = len(re.findall(r"<(?:p|li|h\d|t[dhr]|pre|blockquote)\b", discussion))
    longest = max(map(len, words), default=0)
    if longest > LONG_WORD:
        cause = f"the discussion has a word of {longest:,} characters: divide it"
    elif len(words) > MANY_WORDS or n_blocks > MANY_BLOCKS:
        cause = f"the discussion has {len(words):,} words and {n_blocks:,} paragraphs, list items and cells: shorten it"
    else:
        cause = "run fewer jobs at a time (--cores 1), or make figures with fewer points (embedding_points)"
    return f"laying out the page took more than {time_limit_s:g} s: {cause}"


def _attachment(weasyprint: Any, name: str, content: bytes) -> Any:
    return weasyprint.Attachment(
        string=content,
        name=name,
        description=DESCRIPTIONS.get(name, name),
        created=FIXED_DATE,
        modified=FIXED_DATE,
        relationship="Data",
    )


def _data_only_fetcher(weasyprint: Any) -> Any:
    """A fetcher that fails on every URL but those that hold their data themselves."""
    return weasyprint.urls.URLFetcher(allowed_protocols=["data"], fail_on_errors=True)


def _import_weasyprint() -> Any:
    # Where HarfBuzz-subset is missing, WeasyPrint has fontTools reduce the fonts, which would date them.
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(FIXED_DATE.timestamp())))
    try:
        import weasyprint
    except OSError as error:  # a native library is missing
        raise UserError(
            "the PDF cannot be printed because the library Pango is missing (the HTML page is complete): install it "
            "with 'apt install libpangoft2-1.0-0 libharfbuzz-subset0', 'dnf install pango' or 'brew install pango', "
            "then run again"
        ) from error
    return weasyprint
