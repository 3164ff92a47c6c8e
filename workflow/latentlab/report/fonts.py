"""The fonts inside a page, and which text they can show."""

import base64
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont, newTable

FONTS = {  # family, style and weight in base.css → file
    ("Source Serif", "normal", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Regular.ttf"),
    ("Source Serif", "italic", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-It.ttf"),
    ("Source Serif", "normal", 700): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Semibold.ttf"),
    ("Source Sans", "normal", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-Regular.ttf"),
    ("Source Sans", "italic", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-It.ttf"),
    ("Source Sans", "normal", 700): Path(font_source_sans_pro.font_directory, "SourceSansPro-Semibold.ttf"),
}
FALLBACKS = {  # for characters that some text font lacks
    ("STIX", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/STIXGeneral.ttf"),
    ("DejaVu", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"),
}
ALWAYS = set(map(chr, range(0x20, 0x7F))) | {"\u2010"}  # hyphenation adds hyphens
SPACES = {" ", "\u00a0", "\u2009", "\u202f"}  # one beside a character of a fallback is set in its font
BOX = "□"  # printed in place of a character that no font has: in PDF/A, the box of a font itself is forbidden
# Characters that would change the writing direction of the text after them, or that begin and end an annotation.
FORMAT_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufff9\ufffa\ufffb")
INVISIBLE = {"\n", "\t", "\r", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\ufe0e", "\ufe0f", "\ufeff"}


def font_faces(html: str) -> str:
    """@font-face rules for the characters of `html`, each with its font as woff2: the page needs no installed fonts."""
    needed = set(re.sub(r"data:[^\"')]*", "", html)) | ALWAYS | ({BOX} if _unsupported(html) else set())
    faces = [_face(*face, path, needed) for face, path in FONTS.items()]
    missing = needed - _in_all_styles()
    for face, path in FALLBACKS.items():
        if missing & _characters(path):
            faces.append(_face(*face, path, missing | SPACES))
            missing -= _characters(path)
    return "\n".join(faces)


def with_boxes(html: str) -> str:
    """`html` with a box in place of each character that no font has."""
    return html.translate({ord(character): BOX for character in _unsupported(html)})


def data_uri(raw: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}"


def clean_text(text: str) -> str:
    """`text` on one line, without control characters and those that change the writing direction after them."""
    return " ".join("".join(" " if _is_control(character) else character for character in text).split())


def without_controls(text: str) -> str:
    """`text` without control characters and those that change the writing direction after them; its lines stay."""
    return "".join(character for character in text if character in "\n\t" or not _is_control(character))


def missing_in_formulas(latex: str) -> str:
    """The names of the characters of a formula that its font lacks; empty if it has all of them."""
    font = _characters(FALLBACKS["STIX", "normal", 400])
    return _names([character for character in dict.fromkeys(latex) if not (character.isspace() or character in font)])


def unsupported_characters(texts: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each of `texts` (key → text) that a page cannot show as it is; the sentence names the
    characters."""
    for key, text in texts.items():
        characters = dict.fromkeys(text)
        removed = [character for character in characters if _is_control(character) and character not in INVISIBLE]
        if removed:
            yield f"{key}: {_names(removed)} left out: control characters show nothing; remove them"
        if missing := _unsupported(text):
            yield f"{key}: the page's fonts lack {_names(missing)}, which appear as boxes; write it in other letters"


def _unsupported(text: str) -> list[str]:
    """The characters of `text` that some style of it cannot show, in their order; control characters are left out
    elsewhere."""
    supported = INVISIBLE.union(_in_all_styles(), *map(_characters, FALLBACKS.values()))
    return [character for character in dict.fromkeys(text) if character not in supported and not _is_control(character)]


@cache
def _in_all_styles() -> set[str]:
    return set.intersection(*map(_characters, FONTS.values()))


def _face(family: str, style: str, weight: int, path: Path, characters: set[str]) -> str:
    font = data_uri(_subset(path, characters & _characters(path)), "font/woff2")
    return f"@font-face {{ font-family: '{family}'; font-style: {style}; font-weight: {weight}; src: url({font}) }}"


def _is_control(character: str) -> bool:
    if ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF:  # no character, and not allowed in XML
        return True
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in FORMAT_CONTROLS


def _names(characters: Sequence[str], limit: int = 8) -> str:
    names = [
        f"{character} (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
        for character in characters
    ]
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


@cache
def _characters(path: Path) -> set[str]:
    """The characters that a font has."""
    return set(map(chr, TTFont(path, lazy=True).getBestCmap() or {}))


def _subset(path: Path, characters: set[str]) -> bytes:
    """A font file reduced to these characters, as woff2."""
    options = subset.Options(flavor="woff2", recalc_timestamp=False)
    options.notdef_outline = True  # browsers refuse a font without any outline, such as one that has only the space
    options.drop_tables += ["FFTM", "name"]  # the dates of a font editor, and a table that takes half of the time
    font = subset.load_font(path, options)
    family = font["name"].getDebugName(1)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    font["name"] = newTable("name")  # browsers refuse a font without this table
    font["name"].names = []
    font["name"].setName(family, 1, 3, 1, 0x409)  # for Windows, in Unicode and English, as is the convention
    file = io.BytesIO()
    subset.save_font(font, file, options)
    return file.getvalue()
