"""Formulas in LaTeX as pictures: mathtext lays them out in the STIX fonts, and their outlines become an SVG.

A page loads no script and needs no installed font, so a formula is an image with its LaTeX as alternative text.
"""

import re
import unicodedata
from functools import cache
from html import escape, unescape

import numpy as np
from latex2mathml.symbols_parser import convert_symbol
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

from latentlab.report.fonts import data_uri, missing_in_formulas

EM = TextToPath.FONT_SCALE  # units of the outlines
COLOUR = "#1a1a1a"  # of the text in base.css; an image does not inherit it
X_HEIGHT_RATIO = 1.05  # Source Serif's small letters are that much higher than those of STIX
SVG_COMMANDS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
ALIASES = {  # common commands that mathtext lacks → what it has
    "le": r"\leq",
    "ge": r"\geq",
    "ne": r"\neq",
    "lt": "<",
    "gt": ">",
    "lVert": r"\|",
    "rVert": r"\|",
    "lvert": "|",
    "rvert": "|",
    "tfrac": r"\frac",
    "big": "",
    "Big": "",
    "bigl": "",
    "bigr": "",
}
COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
TYPEFACE = re.compile(
    r"\\(?:math(?:rm|bb|bf|cal|it|sf|scr|frak|tt|regular)|text|operatorname|boldsymbol)\b *\{([^{}]*)\}"
)
SPACE = re.compile(r"\\(?:[,;:! ]|q?quad\b)")
SIZE = re.compile(r"\\(?:left|right|[Bb]ig[lr]?)\b *")
FUNCTION = re.compile(r"\\(arg|cos|det|dim|exp|inf|lim|ln|log|max|min|sin|sup|tanh)\b")


def formula_to_html(latex: str) -> str:
    """An `<img>` of a formula, sized relative to the text around it and standing on its baseline.

    Raises:
        ValueError: mathtext cannot parse it; the message says why.
    """
    svg, width, depth = formula_to_svg(latex)
    return (
        f'<img class="formula" src="{data_uri(svg.encode(), "image/svg+xml")}" alt="{escape(readable_latex(latex))}" '
        f'style="width: {width:.3f}em; vertical-align: {-depth:.3f}em">'
    )


def formula_texts(html: str) -> set[str]:
    """The alternative texts of the formulas in HTML."""
    return {unescape(text) for text in re.findall(r'<img class="formula"[^>]* alt="([^"]*)"', html)}


@cache
def formula_to_svg(latex: str) -> tuple[str, float, float]:
    """A formula as SVG, with its width and its depth below the baseline in em. Equal formulas give equal bytes.

    Raises:
        ValueError: mathtext cannot parse it; the message says why.
    """
    if missing := missing_in_formulas(latex):
        raise ValueError(f"its font lacks {missing}")
    source = COMMAND.sub(lambda match: ALIASES.get(match[1], match[0]), " ".join(latex.split()))
    font = FontProperties(size=EM, math_fontfamily="stix")
    try:
        width, height, depth, *_ = MathTextParser("path").parse(f"${source}$", 72, font)
        vertices, codes = TextToPath().get_text_path(font, f"${source}$", ismath=True)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValueError as error:
        raise ValueError(_reason(error)) from error
    if not len(vertices):
        raise ValueError("it shows nothing")
    outline = Path(np.asarray(vertices) * (1, -1), codes)  # y runs downwards in SVG
    ink = outline.get_extents()
    left, right = min(0, ink.x0), max(width, ink.x1)  # the box that mathtext reports, and slanted ink beyond it
    top, bottom = min(depth - height, ink.y0), max(depth, ink.y1)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}">'
        f'<path fill="{COLOUR}" d="{_path_data(outline)}"/></svg>'
    )
    return svg, X_HEIGHT_RATIO * (right - left) / EM, X_HEIGHT_RATIO * bottom / EM


def readable_latex(latex: str) -> str:
    """LaTeX to be read aloud: commands that stand for one character or one word are replaced by it, and those that only
    change typeface, size or space are left out."""

    def character(match: re.Match[str]) -> str:
        code = convert_symbol(match[0])
        symbol = chr(int(code, 16)) if code and "-" not in code else ""
        return symbol if symbol and not unicodedata.combining(symbol) else match[0]

    text = TYPEFACE.sub(r"\1", SIZE.sub("", SPACE.sub(" ", latex)))
    text = COMMAND.sub(character, FUNCTION.sub(r"\1", text))
    text = re.sub(r"([_^])\{(\w)\}", r"\1\2", text)
    return " ".join(text.split())


def _path_data(outline: Path) -> str:
    commands = []
    for numbers, code in outline.iter_segments(simplify=False):
        points = [] if code == Path.CLOSEPOLY else numbers  # matplotlib repeats the first point there
        commands.append(SVG_COMMANDS[code] + " ".join(f"{number:.1f}".removesuffix(".0") for number in points))
    return "".join(commands)


def _reason(error: ValueError) -> str:
    """What mathtext says is wrong, without the position, or a plain sentence where it only lists its grammar."""
    reason = re.sub(r"^\w+: |,? found .*|\s*\(at char.*", "", str(error).splitlines()[-1])
    if len(reason) > 60 or reason.startswith("Expected end"):
        return "it is not complete, or has a command that mathtext lacks"
    return reason[0].lower() + reason[1:]
