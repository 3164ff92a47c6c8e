"""The page: measured figures and templates to one self-contained HTML file, and that file to one side of A4.

Computes nothing: each number on the page is read from a metrics file. Text from outside (names, a student's
Markdown) is data, never a template; nothing is fetched while a page is made.
"""

import hashlib
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from latentlab import discussion, fonts, layout, provenance
from latentlab.errors import UserError
from latentlab.files import read_json, whole

FONT_FACE = re.compile(r"@font-face {[^}]*}")
SIZES = [size / 10 for size in range(85, 101)]  # points: the body text is as large as fits


@dataclass
class Page:
    """What the page says besides its figures and measurements. Text from outside is cleaned here, once."""

    title: str
    course: str | None
    authors: list
    classes: list
    sections: dict = field(default_factory=dict)  # number → heading, in the sheet's order
    figures: dict = field(default_factory=dict)  # name → path of an SVG
    discussion: str | None = None  # path of a student's Markdown
    explorer: bool = False  # whether explorer.html lies beside it

    def __post_init__(self):
        self.title, self.course = fonts.clean(self.title), fonts.clean(self.course or "")
        self.authors = [
            {key: fonts.clean(str(author.get(key) or "")) for key in ("name", "id", "email")} for author in self.authors
        ]


def complaints(title, course, authors, path):
    """A sentence for each text from outside that the page cannot show as it stands; `path` of the student's Markdown,
    or None."""
    texts = {"title": title, "course": course or ""}
    texts |= {f"authors.{i}": " ".join(map(str, author.values())) for i, author in enumerate(authors)}
    return list(fonts.complaints(texts | ({f"discussion ({path})": discussion.read(path)} if path else {})))


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


def provenance_of(metrics, records, config):
    """What the numbers rest on: the commit, versions, the configuration, all the data, and each model's settings, seed
    and weights."""
    from latentlab.data import digest

    said = ("model", "settings", "latent_dim", "seed", "seeds", "weights")
    models = {name: {key: values[key] for key in said if key in values} for name, values in metrics.items()}
    commit = provenance.commit()
    return {
        "commit": commit,
        "clean": None if commit == "unknown" else not commit.endswith("+"),
        "versions": provenance.versions("latentlab", "torch", "numpy", "matplotlib", "weasyprint"),
        "config": {"sha256": provenance.digest(config)},
        "data": [
            {key: r[key] for key in ("dataset", "source", "training_size")} | {"sha256": digest(r)} for r in records
        ],
        "models": models,
        "weights": {"sha256": provenance.digest([models[name].get("weights") for name in sorted(models)])},
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
    replaced = discussion.to_html(page.discussion, metrics, page.sections) if page.discussion else {}
    context = {
        "page": page,
        "replaced": {number: Markup(html) for number, html in replaced.items()},
        "image": lambda name: Markup(fonts.data_uri(Path(page.figures[name]).read_bytes(), "image/svg+xml")),
        "css": Markup((template.parent.parent / "base.css").read_text(encoding="utf-8")),
        "provenance": provenance,
        "models": metrics,
    }
    html = fill_in(template, context | metrics | {"fonts": Markup("@fonts@")})
    return html.replace("@fonts@", fonts.font_faces(html), 1)


def fill_in(template, context):
    """The text of a template of a hand-in's folder: values escaped, an unknown name an error, nothing else within reach
    than that folder and the shared base one folder up.

    Raises:
        UserError: it names what there is not.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, template.parent.parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "percent": percent}
    try:
        return environment.get_template(template.name).render(context)
    except jinja2.UndefinedError as error:
        raise UserError(
            f"{template}: it quotes what was not measured ({error.message}): its models are of another kind "
            "than it was written for; change them back, or its text"
        ) from error


def number(value, digits=1):
    """12345.678 → 12 345.7, with a real minus and thin spaces."""
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")


def percent(share, digits=0):
    """0.123 → 12 %."""
    return number(100 * share, digits) + "\u202f%"


def print_pdf(html, pdf, attachments=()):
    """Print the file `html` on one side of A4 in the largest body text that fits, and return its size in points.

    Raises:
        UserError: it does not fit in the smallest size either, or not all of it can be read; or Pango is missing.
    """
    weasyprint = _weasyprint()
    text = Path(html).read_text(encoding="utf-8")
    try:
        size, page = _fit(weasyprint, html, text)
    except weasyprint.urls.FatalURLFetchingError as error:
        raise UserError(f"{html}: {error}: refused, for a page may hold nothing from elsewhere") from error
    page.metadata.attachments = [_attachment(weasyprint, path) for path in attachments]
    with whole(pdf) as partial:
        page.write_pdf(partial, pdf_variant="pdf/a-3a", pdf_identifier=hashlib.sha256(text.encode()).digest()[:16])
        layout.check(html, page.pages[0], partial, discussed(text))
    return size


def _fit(weasyprint, html, text):
    """The largest size of the body text at which the page takes one side, and the page in that size."""
    fetcher, known = _only_data(weasyprint), weasyprint.text.fonts.FontConfiguration()
    head, body = text.split("</head>", 1)
    faces = FONT_FACE.findall(head)  # unpacked here once, not for every size that is tried
    weasyprint.CSS(string="".join(faces), url_fetcher=fetcher, font_config=known)
    document = weasyprint.HTML(string=FONT_FACE.sub("", head) + "</head>" + body, url_fetcher=fetcher)

    @cache
    def render(size, page="A4"):
        style = f"@page {{ size: {page} !important }} :root {{ --body: {size}pt !important }}"
        return document.render(font_config=known, stylesheets=[weasyprint.CSS(string=style)])

    size = _largest(SIZES, lambda size: len(render(size).pages) == 1)
    if size is None:
        raise UserError(_too_long(html, text, render(SIZES[0], "210mm 5000mm").pages[0]))
    return size, render(size)


def discussed(html):
    """The discussion of a page's HTML."""
    return re.findall(r'id="discussion"[^>]*>(.*)<div id="end"', html, re.DOTALL)[0]


def _attachment(weasyprint, path):
    fixed = datetime(2000, 1, 1, tzinfo=UTC)  # equal inputs give equal bytes
    path = Path(path)
    return weasyprint.Attachment(
        string=path.read_bytes(), name=path.name, created=fixed, modified=fixed, relationship="Data"
    )


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
    over = end - (layout.HEIGHT_MM - layout.BOTTOM_MM)
    words = len(re.sub(r"<[^>]*>", " ", discussed(text)).split())
    return (
        f"{html}: too long for one side of A4 by {math.ceil(over)} mm in the smallest text ({SIZES[0]} pt): "
        f"shorten the discussion by about {math.ceil(over / (end - start) * words)} of its {words} words"
    )
