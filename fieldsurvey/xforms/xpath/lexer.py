"""Characters to tokens: one regular expression, and the two rules of XPath 1.0 section 3.7 that need the token before.

A token is a tuple (kind, text, offset). It does not know the grammar.
"""

from __future__ import annotations

import re
from functools import cache

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import XPathSyntaxError

Token = tuple[str, str, int]

MAX_LENGTH = 200_000
"""Characters of one expression: hundreds of times the longest seen in public forms."""

_START = "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
_START += "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
_PART = f"{_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040"


def _token(start: str, part: str) -> re.Pattern[str]:
    """One token after white space; a name begins with one of `start` and goes on with any of `part`."""
    ncname = f"[{start}][{part}]*"
    return re.compile(
        rf"""[ \t\r\n]*(?:
          (?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
        | (?P<literal>"[^"]*"|'[^']*')
        | (?P<name>{ncname}(?::(?!:)(?:{ncname}|\*))?)
        | (?P<symbol>::|//|\.\.|!=|<=|>=|[()\[\].@,/|+\-=<>*])
        | (?P<variable>\$(?:{ncname}:)?{ncname})
        | (?P<end>\Z)
        )""",
        re.VERBOSE,
    )


_ASCII = _token("A-Z_a-z", r"A-Z_a-z\-.0-9")


@cache
def _unicode() -> re.Pattern[str]:
    """Names as XML has them. Start-up: compiling it takes 10 ms, and most expressions are ASCII."""
    return _token(_START, _PART)


_OPERATOR_NAMES = frozenset({"and", "or", "div", "mod"})
_OPERATOR_SYMBOLS = frozenset({"=", "!=", "<", "<=", ">", ">=", "+", "-", "|"})
_NO_OPERAND_BEFORE = frozenset({"operator", "("}) | {"::", "@", ",", "/", "//", "["}


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, ended by ("end", "", length). Kinds: number, literal, name, variable, operator, end, and
    each remaining symbol as a kind of its own.

    Raises XPathSyntaxError for a character that cannot stand anywhere, and beyond MAX_LENGTH.
    """
    if len(text) > MAX_LENGTH:
        raise XPathSyntaxError(MAX_LENGTH, _("the expression is too long"))
    tokens: list[Token] = []
    append = tokens.append
    match_at = (_ASCII if text.isascii() else _unicode()).match
    position = 0
    before = "operator"  # the kind of the token before, "operator" at the start: an operand is due
    while True:
        match = match_at(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind = match.lastgroup or "end"
        word = match[kind]
        start = match.start(kind)
        position = match.end()
        if kind == "name":
            if before not in _NO_OPERAND_BEFORE:
                kind, word, position = _operator_name(word, start, position)
        elif kind == "symbol":
            if word in _OPERATOR_SYMBOLS or (word == "*" and before not in _NO_OPERAND_BEFORE):
                kind = "operator"
            elif word == "*":
                kind = "name"
            else:
                kind = word
        elif kind == "end":
            append(("end", "", len(text)))
            return tokens
        append((kind, word, start))
        before = kind


def _operator_name(word: str, start: int, end: int) -> tuple[str, str, int]:
    """After an operand a name must be an operator; JavaRosa also reads one that is glued to the name after it."""
    if word in _OPERATOR_NAMES:
        return "operator", word, end
    for operator in ("and", "or", "div", "mod"):
        if word.startswith(operator):
            return "operator", operator, start + len(operator)
    raise XPathSyntaxError(start, _("an operator, a comma or the end was expected"))


def _unreadable(text: str, position: int) -> XPathSyntaxError:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    if text[position] in "'\"":
        return XPathSyntaxError(position, _("this quotation mark is never closed"))
    return XPathSyntaxError(position, _("this character cannot stand here"))
