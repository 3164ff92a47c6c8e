"""The page: measured figures and templates to one self-contained HTML file, and that file to one side of A4.

Computes nothing: each number on the page is read from a metrics file. Text from outside (names, a student's
Markdown) is data, never a template; nothing is fetched while a page is made.
"""

import base64
import hashlib
import io
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import jinja2
import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont
from markupsafe import Markup

from latentlab import discussion, provenance
from latentlab.errors import UserError
from latentlab.files import read_json, whole

SIZES = [size / 10 for size in range(85, 101)]  # points: the body text is as large as fits
PAGE_MM, MARGIN_MM = 297, 15  # height of A4, and its bottom margin in base.css
FONTS = {  # family, style and weight in base.css: the file
    ("Source Serif", "normal", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Regular.ttf"),
    ("Source Serif", "italic", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-It.ttf"),
    ("Source Serif", "normal", 700): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Semibold.ttf"),
    ("Source Sans", "normal", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-Regular.ttf"),
    ("Source Sans", "italic", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-It.ttf"),
    ("Source Sans", "normal", 700): Path(font_source_sans_pro.font_directory, "SourceSansPro-Semibold.ttf"),
    ("STIX", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/STIXGeneral.ttf"),
    ("DejaVu", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"),
}
ALWAYS = set(map(chr, range(0x20, 0x7F))) | {"\u2010"}  # hyphens come with hyphenation


@dataclass
class Page:
    """What the page says besides its figures and measurements."""

    title: str
    course: str | None
    authors: list
    classes: list
    figures: dict = field(default_factory=dict)  # name → path of an SVG
    discussion: str | None = None  # path of a student's Markdown


def gather(parts, paths):
    """What was measured by the names the template gives it.

    Args:
        parts: a name → its files' names; the figures of the first file lie at the top, the others' under their stems.
        paths: where those files are, in the same order.
    """
    paths, metrics = iter(paths), {}
    for name, files in parts.items():
        metrics[name] = read_json(next(paths))
        metrics[name] |= {Path(file).stem: read_json(next(paths)) for file in files[1:]}
    return metrics


def provenance_of(metrics, records):
    """What the numbers rest on: commit, versions, all the data, and each model's settings and seed."""
    from latentlab.data import digest

    said = ("model", "settings", "latent_dim", "seed", "seeds")
    return {
        "commit": provenance.commit(),
        "versions": provenance.versions("latentlab", "torch", "numpy", "matplotlib", "weasyprint"),
        "data": [{"dataset": r["dataset"], "source": r["source"], "sha256": digest(r)} for r in records],
        "models": {name: {key: values[key] for key in said if key in values} for name, values in metrics.items()},
    }


def render(template, page, metrics, provenance):
    """The HTML, with figures, style and fonts inside.

    Args:
        template: path of a hand-in's page.html.j2; its shared base lies one folder up.
        metrics: as `gather` gives them, each a name in the template.

    Raises:
        UserError: the student's discussion cannot be read, or quotes a figure that there is not.
    """
    template = Path(template)
    context = {
        "page": page,
        "discussion": Markup(discussion.to_html(page.discussion, metrics)) if page.discussion else None,
        "image": lambda name: Markup(data_uri(Path(page.figures[name]).read_bytes(), "image/svg+xml")),
        "css": Markup((template.parent.parent / "base.css").read_text(encoding="utf-8")),
        "provenance": provenance,
        "models": metrics,
    }
    html = fill_in(template, context | metrics | {"fonts": Markup("@fonts@")})
    return html.replace("@fonts@", font_faces(html), 1)


def fill_in(template, context):
    """The text of a template of a hand-in's folder: values escaped, an unknown name an error, nothing else within reach
    than that folder and the shared base one folder up."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, template.parent.parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "percent": percent}
    return environment.get_template(template.name).render(context)


def number(value, digits=1):
    """12345.678 → 12 345.7, with a real minus and thin spaces."""
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")


def percent(share, digits=0):
    """0.123 → 12 %."""
    return number(100 * share, digits) + "\u202f%"


def font_faces(html):
    """@font-face rules for the characters of `html`, as woff2 inside the page: no machine's fonts are needed."""
    wanted = set(re.sub(r"data:[^\"')]*", "", html)) | ALWAYS
    rules, covered = [], set()
    for (family, style, weight), path in FONTS.items():
        known = set(map(chr, TTFont(path, lazy=True).getBestCmap()))
        fallback = family in ("STIX", "DejaVu")  # these bring only what the text fonts lack
        if letters := (wanted & known) - (covered if fallback else set()):
            covered |= letters
            face = f"font-family: '{family}'; font-style: {style}; font-weight: {weight}"
            rules.append(f"@font-face {{ {face}; src: url({data_uri(_subset(path, letters), 'font/woff2')}) }}")
    return "\n".join(rules)


def _subset(path, letters):
    options = subset.Options(flavor="woff2", recalc_timestamp=False, layout_features=["*"])
    font = subset.load_font(path, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(letters)))
    subsetter.subset(font)
    file = io.BytesIO()
    subset.save_font(font, file, options)
    return file.getvalue()


def data_uri(raw, media_type):
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}"


def print_pdf(html, pdf, attachments=()):
    """Print the file `html` on one side of A4 in the largest body text that fits, and return its size in points.

    Raises:
        UserError: it does not fit in the smallest size either; or Pango is missing.
    """
    weasyprint = _weasyprint()
    text = Path(html).read_text(encoding="utf-8")
    document = weasyprint.HTML(string=text, url_fetcher=_only_data(weasyprint))

    def render(size, page="A4"):
        style = f"@page {{ size: {page} !important }} :root {{ --body: {size}pt !important }}"
        try:
            return document.render(stylesheets=[weasyprint.CSS(string=style)])
        except weasyprint.urls.FatalURLFetchingError as error:
            raise UserError(f"{html}: {error}: refused, for a page may hold nothing from elsewhere") from error

    fitting = _largest(SIZES, lambda size: len(render(size).pages) == 1)
    if fitting is None:
        raise UserError(_too_long(html, text, render(SIZES[0], "210mm 5000mm").pages[0]))
    fixed = datetime(2000, 1, 1, tzinfo=UTC)  # equal inputs give equal bytes
    attached = [
        weasyprint.Attachment(
            string=Path(path).read_bytes(), name=Path(path).name, created=fixed, modified=fixed, relationship="Data"
        )
        for path in attachments
    ]
    page = render(fitting)
    page.metadata.attachments = attached
    with whole(pdf) as partial:
        page.write_pdf(partial, pdf_variant="pdf/a-3a", pdf_identifier=hashlib.sha256(text.encode()).digest()[:16])
    return fitting


def _weasyprint():
    try:
        import weasyprint
    except OSError as error:  # a native library is missing
        raise UserError(
            "the PDF cannot be printed because the library Pango is missing (the HTML page is complete): install it "
            "with 'apt install libpangoft2-1.0-0 libharfbuzz-subset0', 'dnf install pango' or 'brew install pango', "
            "then run again"
        ) from error
    return weasyprint


def _only_data(weasyprint):
    return weasyprint.urls.URLFetcher(allowed_protocols=["data"], fail_on_errors=True)


def _largest(sizes, fits):
    """The largest of ascending `sizes` that fits, or None; by bisection."""
    low, high = -1, len(sizes) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(sizes[middle]) else (low, middle - 1)
    return sizes[low] if low >= 0 else None


def _too_long(html, text, tall):
    """How much too long the page is, from its rendering on paper without an end."""
    px = 25.4 / 96
    end, start = tall.anchors["end"][1] * px, tall.anchors["discussion"][1] * px
    over = end - (PAGE_MM - MARGIN_MM)
    discussed = re.search(r'id="discussion"[^>]*>(.*)<div id="end"', text, re.DOTALL)[1]
    words = len(re.sub(r"<[^>]*>", " ", discussed).split())
    return (
        f"{html}: too long for one side of A4 by {math.ceil(over)} mm in the smallest text ({SIZES[0]} pt): "
        f"shorten the discussion by about {math.ceil(over / (end - start) * words)} of its {words} words"
    )
