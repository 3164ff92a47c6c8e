"""Compares a report that was handed in with the one that was made again from it."""

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pdfplumber
import pypdfium2
import yaml

from latentlab.records.assignments import ATTACHMENTS
from latentlab.records.provenance import Provenance
from latentlab.records.settings import OWN_TEXTS
from latentlab.report.handed_in import HandedIn
from latentlab.report.text import MINUS, THIN_SPACE, shorten

NUMBER = re.compile(rf"[-{MINUS}]?\d[\d{THIN_SPACE},]*(?:\.\d+)?")
# Among them those that reverse the direction of what follows.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LINE_END_HYPHENS = "[\x02\ufffe][ \r\n]*"  # as pdfium reports them
RELATIVE_TOLERANCE, DIGITS_TOLERANCE = 0.02, 2  # of numbers from another kind of processor: a share, or last digits
PICTURE_TOLERANCE = 6.0  # of its figures: mean absolute difference of the pixels, of 255
RESOLUTION = 60 / 72  # pixels per point at which pages are compared
MAX_SENTENCES_OF_FILE = 3
MAX_WORDS = 5_000  # that are compared; a page has some 1,500
NEVER_COMPARED = ("manifest.txt", *OWN_TEXTS.values())  # the last ones are what it was made from
FROM_TRAINING = {"weights", "config", "instruction_set", "precision"}  # differ with the processor, in provenance.json
FROM_CODE = {"commit", "clean", "latentlab"}  # differ with the commit


@dataclass(frozen=True)
class Comparison:
    """What was handed in, beside what was made again from it."""

    handed_in: HandedIn
    made: Mapping[str, Path]
    """Name of a member → path of what was made."""
    provenance: Provenance
    """Of what was made."""

    @property
    def other_commit(self) -> bool:
        return self.handed_in.provenance.commit != self.provenance.commit

    @property
    def other_processor(self) -> bool:
        """Whether models were trained with other instructions than those of this machine."""
        return _instruction_sets(self.handed_in.provenance) != _instruction_sets(self.provenance)

    def differences(self) -> list[str]:
        """A sentence for everything that is not the same. Of a report from another kind of processor, numbers may
        differ in their last digits and figures by little."""
        pdf = next(path for name, path in self.made.items() if name.endswith(".pdf")).read_bytes()
        sentences = [*self._word_differences(pdf), *self._figure_differences(pdf), *self._member_differences()]
        explained = self.other_commit or self.other_processor
        if not sentences and pdf != self.handed_in.pdf and not explained:
            return ["page: its bytes differ, but no word, number or figure that a reader sees"]
        return [without_control_characters(sentence) for sentence in sentences]

    def _member_differences(self) -> Iterator[str]:
        theirs = self.handed_in.members
        expected = self.made.keys() if self.handed_in.is_archive else set(ATTACHMENTS)
        for name in sorted((expected | theirs.keys()) - set(NEVER_COMPARED)):
            if name not in self.made:
                yield f"{name}: is no part of the report"
            elif name not in theirs:
                yield f"{name}: missing"
            elif not name.endswith(".pdf") and theirs[name] != (ours := self.made[name].read_bytes()):
                yield from self._content_differences(name, theirs[name], ours)

    def _content_differences(self, name: str, theirs: bytes, ours: bytes) -> Iterator[str]:
        if name.endswith(".json"):
            try:
                sentences = list(self._json_differences(f"{name}:", json.loads(theirs), json.loads(ours)))
            except (ValueError, RecursionError):
                sentences = [f"{name}: damaged"]
            yield from sentences[:MAX_SENTENCES_OF_FILE]
            if len(sentences) > MAX_SENTENCES_OF_FILE:
                yield f"{name}: … and {len(sentences) - MAX_SENTENCES_OF_FILE} more values"
        elif name == "config.yaml":
            settings, used = yaml.safe_load(theirs), yaml.safe_load(ours)
            # Another commit may have more settings; what is not handed in has no influence.
            yield from self._json_differences(f"{name}:", settings, {key: used.get(key) for key in settings})
        elif not (self.other_commit or self.other_processor):
            yield f"{name}: its bytes differ"

    def not_compared(self) -> list[str]:
        """The files, other than the PDF and those with values, whose bytes differ for more than the name of the commit,
        and may do so for another commit or processor."""
        names = self.handed_in.members.keys() & self.made.keys() if self.other_commit or self.other_processor else set()
        return [
            name
            for name in sorted(names - set(NEVER_COMPARED))
            if not name.endswith((".pdf", ".json", ".yaml"))
            and self._without_commit(self.handed_in.members[name]) != self._without_commit(self.made[name].read_bytes())
        ]

    def _without_commit(self, content: bytes) -> bytes:
        commits = {self.handed_in.provenance.commit, self.provenance.commit}
        for commit in sorted(commits, key=len, reverse=True):  # one may be the other with a mark for changed files
            content = content.replace(commit.encode(), b"")
        return content

    def _json_differences(self, place: str, theirs: Any, ours: Any) -> Iterator[str]:
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in sorted(theirs.keys() | ours.keys()):
                if not self._is_explained(key):
                    yield from self._json_differences(f"{place} {key}", theirs.get(key), ours.get(key))
        elif isinstance(theirs, list) and isinstance(ours, list):
            for i, pair in enumerate(zip_longest(theirs, ours)):
                yield from self._json_differences(f"{place} {i}", *pair)
        elif theirs != ours and not (self.other_processor and _are_close(theirs, ours)):
            yield f"{place}: {shorten(str(theirs))} was handed in, {shorten(str(ours))} made"

    def _is_explained(self, key: str) -> bool:
        return (self.other_processor and key in FROM_TRAINING) or (self.other_commit and key in FROM_CODE)

    def _word_differences(self, pdf: bytes) -> Iterator[str]:
        """Words and numbers of the page that differ, with the word before them."""
        theirs, ours = _words(self.handed_in.pdf), _words(pdf)
        for tag, i, j, k, m in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
            old, new = theirs[i:j], ours[k:m]
            if tag == "equal" or (len(old) == len(new) and all(map(self._are_same_word, old, new))):
                continue
            before = f" after “{theirs[i - 1]}”" if i else ""
            yield f"page{before}: “{shorten(' '.join(old))}” was handed in, “{shorten(' '.join(new))}” made"

    def _are_same_word(self, one: str, other: str) -> bool:
        """Whether two words are the same, or differ as the other commit or the other processor explains."""
        origins = [
            (provenance.commit, provenance.config.sha256[:8], provenance.weights.sha256[:8])
            for provenance in (self.handed_in.provenance, self.provenance)
        ]
        by_commit, *by_processor = zip(*origins, strict=True)
        if self.other_processor and ((one, other) in by_processor or are_same_number(one, other)):
            return True
        return one == other or (one, other) == by_commit

    def _figure_differences(self, pdf: bytes) -> Iterator[str]:
        """Figures that look different, by their alternative texts."""
        if _page_size(self.handed_in.pdf) != _page_size(pdf):
            yield "page: it does not have the size that was made"
            return
        difference = np.abs(_picture(self.handed_in.pdf) - _picture(pdf))
        tolerance = PICTURE_TOLERANCE if self.other_processor else 0.0
        alts = Counter(alt for alt, _ in _figures(self.handed_in.pdf))
        for alt, box in _figures(pdf):
            if not self.other_processor and not alts[alt]:
                yield f"figure “{shorten(alt, 80)}”: it has another text for those who do not see it"
            x0, y0, x1, y1 = (round(value * RESOLUTION) for value in box)
            part = difference[y0:y1, x0:x1]
            if part.size and part.mean() > tolerance:
                yield f"figure “{shorten(alt, 80)}”: it looks different"


def without_control_characters(text: str) -> str:
    """A text in which what was handed in may be quoted, without what would control a terminal."""
    return CONTROL_CHARACTERS.sub("�", text)


def are_same_number(one: str, other: str) -> bool:
    """Whether two words are numbers, with the same marks around them, that differ little or in their last digits."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = list(zip(NUMBER.findall(one), NUMBER.findall(other), strict=True))
    return bool(pairs) and all(_differ_little(*pair) for pair in pairs)


def _differ_little(one: str, other: str) -> bool:
    values = [float(re.sub(rf"[{THIN_SPACE},]", "", text).replace(MINUS, "-")) for text in (one, other)]
    last_digit = float(f"1e-{len(one.partition('.')[2])}")
    return math.isclose(*values, rel_tol=RELATIVE_TOLERANCE, abs_tol=DIGITS_TOLERANCE * last_digit)


def _are_close(one: Any, other: Any) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    return numbers and math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-3)


def _instruction_sets(provenance: Provenance) -> set[str | None]:
    return {model.settings.instruction_set for model in provenance.models.values() if model.settings}


def _words(pdf: bytes) -> list[str]:
    """The words of a PDF in reading order, those that are divided at the end of a line in one piece."""
    text = "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return re.findall(r"[^ \r\n]+", re.sub(LINE_END_HYPHENS, "", text))[:MAX_WORDS]


def _page_size(pdf: bytes) -> tuple[int, float, float]:
    """Number of pages, width and height of the first, points."""
    document = pypdfium2.PdfDocument(pdf)
    return len(document), *document[0].get_size()


def _picture(pdf: bytes) -> np.ndarray:
    page = pypdfium2.PdfDocument(pdf)[0]
    return np.asarray(page.render(scale=RESOLUTION, grayscale=True).to_numpy(), dtype=float).squeeze()


def _figures(pdf: bytes) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """The alternative text of each figure of a page and where it lies, points from the top left."""
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        elements = list(document.structure_tree)
        while elements:
            element = elements.pop()
            elements += element.get("children", [])
            box = (element.get("attributes") or {}).get("BBox")
            if element.get("type") == "Figure" and box and element.get("alt_text"):
                x0, y0, x1, y1 = (0.75 * float(value) for value in box)  # WeasyPrint gives CSS pixels
                yield element["alt_text"], (x0, y0, x1, y1)
