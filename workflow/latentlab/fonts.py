"""The page's letters: fonts that come with it, and text that they can show."""

import base64
import io
import re
import unicodedata
from functools import cache
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont, newTable

FONTS = {  # family, style and weight in base.css: the file
    ("Source Serif", "normal", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Regular.ttf"),
    ("Source Serif", "italic", 400): Path(font_source_serif_pro.font_directory, "SourceSerifPro-It.ttf"),
    ("Source Serif", "normal", 700): Path(font_source_serif_pro.font_directory, "SourceSerifPro-Semibold.ttf"),
    ("Source Sans", "normal", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-Regular.ttf"),
    ("Source Sans", "italic", 400): Path(font_source_sans_pro.font_directory, "SourceSansPro-It.ttf"),
    ("Source Sans", "normal", 700): Path(font_source_sans_pro.font_directory, "SourceSansPro-Semibold.ttf"),
}
FALLBACKS = {  # for what some text font lacks
    ("STIX", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/STIXGeneral.ttf"),
    ("DejaVu", "normal", 400): Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"),
}
ALWAYS = set(map(chr, range(0x20, 0x7F))) | {"\u2010"}  # hyphens come with hyphenation
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the text that follows round
INVISIBLE = {"\n", "\t", "\r", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\ufe0e", "\ufe0f", "\ufeff"}


def font_faces(html):
    """@font-face rules for the characters of `html`, as woff2 inside the page: no machine's fonts are needed."""
    wanted = set(re.sub(r"data:[^\"')]*", "", html)) | ALWAYS
    faces = [_face(*face, path, wanted) for face, path in FONTS.items()]
    missing = wanted - set.intersection(*map(_known, FONTS.values()))
    for face, path in FALLBACKS.items():
        if missing & _known(path):
            faces.append(_face(*face, path, missing))
            missing -= _known(path)
    return "\n".join(faces)


def _face(family, style, weight, path, letters):
    font = data_uri(_subset(path, letters & _known(path)), "font/woff2")
    return f"@font-face {{ font-family: '{family}'; font-style: {style}; font-weight: {weight}; src: url({font}) }}"


def data_uri(raw, media_type):
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}"


def clean(text):
    """`text` on one line, without characters that control a machine or turn the writing direction of what follows."""
    return " ".join("".join(" " if _forbidden(letter) else letter for letter in text).split())


def complaints(texts):
    """A sentence for each of `texts` (key → text) that the page cannot show as it stands, naming the characters."""
    known = INVISIBLE.union(*map(_known, [*FONTS.values(), *FALLBACKS.values()]))
    for key, text in texts.items():
        letters = dict.fromkeys(text)
        dropped = [letter for letter in letters if _forbidden(letter) and letter not in INVISIBLE]
        missing = [letter for letter in letters if letter not in known and not _forbidden(letter)]
        if dropped:
            yield f"{key}: left out {_named(dropped)}, which control a machine and show nothing; take them out"
        if missing:
            yield f"{key}: the page's fonts lack {_named(missing)}, so boxes stand there; write it in other letters"


def _forbidden(letter):
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in TURNING


def _named(letters, most=8):
    shown = [
        f"{letter} (U+{ord(letter):04X})" if letter.isprintable() else f"U+{ord(letter):04X}" for letter in letters
    ]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


@cache
def _known(path):
    """The characters that a font has."""
    return set(map(chr, TTFont(path, lazy=True).getBestCmap() or {}))


def _subset(path, letters):
    options = subset.Options(flavor="woff2", recalc_timestamp=False)
    options.notdef_outline = True  # browsers refuse a font without any outline, such as one of a space alone
    options.drop_tables += ["FFTM", "name"]  # a font editor's dates; and what takes half of the time
    font = subset.load_font(path, options)
    family = font["name"].getDebugName(1)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(letters)))
    subsetter.subset(font)
    font["name"] = newTable("name")  # but browsers refuse a font without one
    font["name"].names = []
    font["name"].setName(family, 1, 3, 1, 0x409)  # in Windows's Unicode and English, as is the custom
    file = io.BytesIO()
    subset.save_font(font, file, options)
    return file.getvalue()
