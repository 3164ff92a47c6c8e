"""A student's Markdown as HTML, divided into the sections of an assignment, with formulas as pictures."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from latentlab.report.fonts import without_controls
from latentlab.report.text import shorten
from latentlab.runtime.errors import UserError

ALL_SECTIONS = ""  # in place of a section's number: the text replaces the whole discussion
NUMBER = r"(\d+(?:\.\d+)*|[A-Z])[.:)]?(?=\s|$)"  # of a section, at the start of a heading
UNSPACED_HEADING = re.compile(rf"( {{0,3}}(?:##+|#(?=\d+\.\d)))(?={NUMBER})")
MAX_PARTS = 1000  # paragraphs, items, cells, formulas and emphasised words; the time to lay them out grows faster
MAX_FORMULA_LENGTH = 1000  # characters, several times what fits into a column
MAX_NESTING = 20  # levels of quotations, lists and emphasis
AMOUNT = re.compile(r"\d[\d.,]*\s+[A-Za-z]{2,}")  # after a dollar sign: "$5 and 6$" is no formula
# Unbroken text whose line breaks take minutes to find, in scripts that separate words by spaces.
LONG_WORD = re.compile(r"[!-\u058f]{301,}")

_parse_formula = math_inline_dollar(allow_space=False, allow_digits=False, allow_double=True)


def markdown_to_html(text: str, sections: Collection[str] = (), source: str = "discussion") -> dict[str, str]:
    """Markdown as HTML, by the sections that it replaces: number → what is below the heading that begins with that
    number, whatever its level. If there is no such heading, the text replaces all: `{ALL_SECTIONS: html}`.

    HTML in the text is escaped. `$…$` and `$$…$$` are formulas in LaTeX; the dollar signs of amounts, as in "$5 and
    $6", and `\\$` are text.

    Args:
        sections: the numbers of the assignment's sections, in order.
        source: name of the text in error messages.

    Raises:
        UserError: a formula cannot be parsed, a word is too long or the text nested too deep; or besides headings of
            sections there is one with an unknown number, a number occurs twice, or there is text before the first one.
    """
    markdown = _parser()
    text = _space_headings(markdown, without_controls(text), sections)
    links = {}  # those that are defined anywhere in the text
    tokens = markdown.parse(text, links)
    _check_tokens(tokens, source)
    _draw_formulas(tokens, source)
    _ensure_table_bodies(tokens)
    parts = _split_sections(tokens, sections, source)
    for number, part in parts.items():
        _nest_headings(part, 1 if number == ALL_SECTIONS else 2)
    return {number: markdown.renderer.render(part, markdown.options, links) for number, part in parts.items()}


def markdown_sections(text: str, sections: Collection[str], source: str) -> dict[str, str]:
    """Markdown by the sections that it replaces, as in `markdown_to_html`, but still Markdown. HTML in it is escaped.

    Raises:
        UserError: as `markdown_to_html`; or the text has no heading of a section, or shows an image.
    """
    text = escape_html(without_controls(text))
    markdown = _parser()
    text = _space_headings(markdown, text, sections)
    tokens = markdown.parse(text)
    _check_tokens(tokens, source)
    for token in tokens:
        if any(child.type == "image" for child in token.children or ()):
            raise UserError(f"{_place(token, source)}: a notebook's answers cannot show images; take this one out")
    parts = _split_sections(tokens, sections, source)
    if ALL_SECTIONS in parts:
        raise UserError(
            f"{source}: no heading begins with the number of an answer; begin each answer with one, as "
            f"'## {next(iter(sections))}' (there are {', '.join(sections)})"
        )
    _draw_formulas(tokens, source)  # only to see that each can be drawn
    lines = text.split("\n")
    blocks = {number: [token.map for token in part if token.map] for number, part in parts.items()}
    return {
        number: "\n".join(lines[maps[0][0] : max(end for _, end in maps)]).strip("\n") if maps else ""
        for number, maps in blocks.items()
    }


def _ensure_table_bodies(tokens: Sequence[Token]) -> None:
    """Make the only row of a table its body: PDF/UA forbids a table that has a head alone."""
    for start, token in enumerate(tokens):
        if token.type == "table_open":
            table = list(takewhile(lambda token: token.type != "table_close", tokens[start:]))
            if not any(token.tag == "tbody" for token in table):
                for token in table:
                    token.tag = "tbody" if token.tag == "thead" else token.tag


def _nest_headings(tokens: Sequence[Token], level: int) -> None:
    """Let headings skip no level, which PDF/UA forbids: below one of `level`, the next is at most one level deeper."""
    for token in tokens:
        if token.type == "heading_open":
            level = min(int(token.tag[1]), level + 1)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"


def escape_html(text: str) -> str:
    """Markdown in which HTML is text; code and formulas stay as they are."""
    markdown = _parser(html=True)
    while True:
        lines, found = text.split("\n"), False
        for token in markdown.parse(text):
            tags = [token.content] if token.type == "html_block" else []
            tags += [child.content for child in token.children or () if child.type == "html_inline"]
            if tags and token.map:
                found = True
                start, end = token.map
                block = "\n".join(lines[start:end])
                for tag in sorted(set(tags), key=len, reverse=True):
                    for line in tag.split("\n"):  # a block quotation has its own marks in front of each
                        block = block.replace(line, line.replace("<", "&lt;"))
                lines[start:end] = block.split("\n")
        if not found:
            return text
        text = "\n".join(lines)


def _parser(html: bool = False) -> MarkdownIt:
    """The parser of a student's text; with `html`, its tokens tell HTML from text."""
    markdown = MarkdownIt("commonmark", {"html": html, "maxNesting": MAX_NESTING}).enable("table")
    markdown.use(dollarmath_plugin, allow_labels=False, allow_blank_lines=False)
    markdown.inline.ruler.at("math_inline", _formula_rule)
    return markdown


def _formula_rule(state: StateInline, silent: bool) -> bool:
    """The rule of the plugin for `$…$`, which notes the line of the formula.

    The plugin takes the last character of a text for the one before its first: "$z$ has length 2" would begin with a
    dollar sign after a digit, so with an amount.
    """
    start, source, position_end = state.pos, state.src, state.posMax
    if source[start] != "$" or AMOUNT.match(source, start + 1):
        return False
    state.src, state.pos, state.posMax = f" {source}", start + 1, position_end + 1
    try:
        matched = _parse_formula(state, silent)
    finally:
        state.src, state.pos, state.posMax = source, state.pos - 1, position_end
    if matched and not silent:
        state.tokens[-1].meta["line"] = source.count("\n", 0, start)
    return matched


def _space_headings(markdown: MarkdownIt, text: str, sections: Collection[str]) -> str:
    """`text` with a space after the number signs of headings such as `##2.2`, which Markdown takes for text."""
    lines = text.split("\n")
    matches = {i: match for i, line in enumerate(lines) if (match := UNSPACED_HEADING.match(line))}
    if any(match[2] in sections for match in matches.values()):
        literal = {
            i
            for token in markdown.parse(text)
            if token.type in ("fence", "code_block", "math_block") and token.map
            for i in range(*token.map)
        }
        for i, match in matches.items():
            if match[2] in sections and i not in literal:
                lines[i] = f"{match[1]} {lines[i][match.end() :]}"
    return "\n".join(lines)


def _check_tokens(tokens: Sequence[Token], source: str) -> None:
    """Refuse what Markdown would leave out, and what cannot be laid out in reasonable time."""
    n_parts = sum(
        (token.nesting == 0)
        + sum(child.nesting >= 0 and child.type not in ("text", "softbreak") for child in token.children or ())
        for token in tokens
    )
    if n_parts > MAX_PARTS:
        raise UserError(
            f"{source}: {n_parts:,} paragraphs, list items, table cells, formulas and emphasised words are far more "
            f"than one page holds: shorten it to {MAX_PARTS:,} at most"
        )
    for token in tokens:
        children = token.children or ()
        # Markdown leaves out what is in a deeper container
        is_deep = token.type in ("blockquote_open", "list_item_open") and token.level >= MAX_NESTING - 1
        if is_deep or any(child.level > MAX_NESTING for child in children):
            raise UserError(
                f"{_place(token, source)}: lists, quotations and emphasis are nested too deep: use fewer than "
                f"{MAX_NESTING} levels"
            )
        for part in (token, *children):
            if part.type in ("text", "code_inline", "fence", "code_block") and (word := LONG_WORD.search(part.content)):
                raise UserError(
                    f"{_place(token, source)}: the word “{shorten(word[0], 20)}” of {len(word[0]):,} characters is too "
                    "long for a line: divide it"
                )


def _draw_formulas(tokens: Sequence[Token], source: str) -> None:
    """Replace tokens of formulas by their pictures."""
    for token in tokens:
        for part in (token, *(token.children or ())):
            if not part.type.startswith("math_"):
                continue
            picture = _picture(part.content, _place(token, source, part.meta.get("line", 0)))
            if part.type == "math_block":
                part.type, part.content = "html_block", f'<p class="display">{picture}</p>\n'
            elif part.type == "math_inline_double":
                part.type, part.content = "html_inline", f'<span class="display">{picture}</span>'
            else:
                part.type, part.content = "html_inline", picture


def _picture(latex: str, place: str) -> str:
    from latentlab.report.formulas import formula_to_html  # it takes half a second, and most texts have no formula

    try:
        if len(latex) > MAX_FORMULA_LENGTH:
            raise ValueError(f"it has more than {MAX_FORMULA_LENGTH} characters")
        return formula_to_html(latex)
    except ValueError as error:
        formula = shorten(" ".join(latex.split()), 80)
        raise UserError(
            f"{place}: the formula “{formula}” cannot be drawn: {error}; correct it, or write \\$ for a dollar sign"
        ) from error


def _place(token: Token, source: str, line: int = 0) -> str:
    """For a message: the source and the line in which a token, or the given line of it, begins."""
    return f"{source}, line {token.map[0] + line + 1}" if token.map else source


def _split_sections(tokens: Sequence[Token], sections: Collection[str], source: str) -> dict[str, Sequence[Token]]:
    """Number of a section → the tokens below its heading."""
    headings = list(_numbered_headings(tokens))
    known = [(i, number) for i, number in headings if number in sections]
    if not known:
        depths = {section.count(".") for section in sections if section[0].isdigit()}
        for _, number in headings:
            if number[0].isdigit() and number.count(".") in depths:
                raise _unknown_section(number, sections, source)
        return {ALL_SECTIONS: tokens}
    rank = tokens[known[0][0]].tag  # h1 to h6
    for i, number in headings:
        if number in sections:
            rank = tokens[i].tag
        elif tokens[i].tag <= rank and (number[0].isdigit() or any(section.isalpha() for section in sections)):
            raise _unknown_section(number, sections, source)
    numbers = [number for _, number in known]
    repeated = [number for number in numbers if numbers.count(number) > 1]
    if repeated:
        raise UserError(f"{source}: section {repeated[0]} occurs twice; join the two")
    starts = [i for i, _ in known]
    if starts[0] > 0:
        heading = f"{'#' * int(tokens[starts[0]].tag[1])} {numbers[0]}"
        raise UserError(f"{source}: the text before '{heading}' is in no section; put it below a heading")
    ends = [*starts[1:], len(tokens)]
    return {
        number: tokens[start + 3 : end]  # a heading is three tokens
        for number, start, end in zip(numbers, starts, ends, strict=True)
    }


def _unknown_section(number: str, sections: Collection[str], source: str) -> UserError:
    return UserError(f"{source}: there is no section {number}; this assignment has {', '.join(sections)}")


def _numbered_headings(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """The index of each heading that begins with a number and is not part of a list or quotation; and that number."""
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            text = "".join(child.content for child in tokens[i + 1].children or ())
            if match := re.match(NUMBER, text.lstrip()):
                yield i, match[1]
