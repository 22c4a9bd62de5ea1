r"""Regular expressions as Java writes them, run by the `regex` library: `\p{…}` classes, `\Q…\E`, nested classes, `\z`.

`\d`, `\w`, `\s` and `\b` know ASCII only, as in Java. What cannot be said there is refused, never ignored. `regex`
rather than `re`: a pattern that backtracks without end is stopped after PATIENCE seconds and is an error at its node.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import EvaluationError

_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@\\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \\t",
    "Cntrl": "\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": " \\t\\n\\x0b\\f\\r",
}
_NAMED = {"IsAlphabetic": "L", "IsLetter": "L", "IsDigit": "Nd", "IsUppercase": "Lu", "IsLowercase": "Ll"}
_ESCAPES = {"z": r"\Z", "Z": r"(?=\n?\Z)", "h": r"[ \t\xa0]", "R": r"(?:\r\n|[\n-\r\x85])", "e": r"\x1b"}
MAX_PATTERN = 10_000
PATIENCE = 0.5


@lru_cache(maxsize=64)
def _ranges(category: str) -> str:
    """The characters of a Unicode category (`L`, `Lu`, …) as ranges for a class, in the Basic Multilingual Plane."""
    ranges: list[str] = []
    start = previous = -2
    for point in range(min(sys.maxunicode, 0xFFFF) + 1):
        if not unicodedata.category(chr(point)).startswith(category):
            continue
        if point != previous + 1:
            if start >= 0:
                ranges.append(f"\\u{start:04x}-\\u{previous:04x}")
            start = point
        previous = point
    if start >= 0:
        ranges.append(f"\\u{start:04x}-\\u{previous:04x}")
    return "".join(ranges)


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.index = 0
        self.out: list[str] = []

    def refuse(self) -> EvaluationError:
        return EvaluationError(_("this regular expression cannot be used"))

    def run(self) -> str:
        pattern = self.pattern
        while self.index < len(pattern):
            character = pattern[self.index]
            if character == "\\":
                self.out.append(self.escape(inside=False))
            elif character == "[":
                self.out.append(self.char_class())
            else:
                self.out.append(character)
                self.index += 1
        return "".join(self.out)

    def escape(self, *, inside: bool) -> str:
        pattern = self.pattern
        self.index += 1
        if self.index >= len(pattern):
            raise self.refuse()
        letter = pattern[self.index]
        self.index += 1
        if letter == "Q":
            end = pattern.find("\\E", self.index)
            quoted = pattern[self.index : end if end >= 0 else len(pattern)]
            self.index = end + 2 if end >= 0 else len(pattern)
            return re.escape(quoted)
        if letter in "pP":
            return self.property(negated=letter == "P", inside=inside)
        if letter == "x" and pattern[self.index : self.index + 1] == "{":
            end = pattern.find("}", self.index)
            digits = pattern[self.index + 1 : end] if end >= 0 else ""
            if not re.fullmatch(r"[0-9a-fA-F]{1,6}", digits) or int(digits, 16) > sys.maxunicode:
                raise self.refuse()
            self.index = end + 1
            return re.escape(chr(int(digits, 16)))
        if letter in _ESCAPES and not inside:
            return _ESCAPES[letter]
        return "\\" + letter

    def property(self, *, negated: bool, inside: bool) -> str:
        pattern = self.pattern
        if pattern[self.index : self.index + 1] == "{":
            end = pattern.find("}", self.index)
            name = pattern[self.index + 1 : end] if end >= 0 else ""
            self.index = end + 1
        else:
            name = pattern[self.index : self.index + 1]
            self.index += 1
        if name in _POSIX:
            body = _POSIX[name]
        else:
            category = _NAMED.get(name, name.removeprefix("Is"))
            body = _ranges(category) if re.fullmatch(r"[LMNPSZC][a-z]?", category) else ""
        if not body or (negated and inside):
            raise self.refuse()
        if inside:
            return body
        return f"[{'^' if negated else ''}{body}]"

    def char_class(self) -> str:
        """A class; a class inside it that is not negated is a union, as in Java."""
        pattern = self.pattern
        self.index += 1
        out = ["["]
        depth = 1
        if pattern[self.index : self.index + 1] == "^":
            out.append("^")
            self.index += 1
        if pattern[self.index : self.index + 1] == "]":
            out.append("\\]")
            self.index += 1
        while self.index < len(pattern):
            character = pattern[self.index]
            if character == "\\":
                out.append(self.escape(inside=True))
                continue
            if character == "[":
                if pattern[self.index + 1 : self.index + 2] == "^":
                    raise self.refuse()
                depth += 1
            elif character == "]":
                depth -= 1
                if depth == 0:
                    self.index += 1
                    return "".join([*out, "]"])
            elif pattern.startswith("&&", self.index):
                raise self.refuse()
            else:
                out.append("\\" + character if character in "&~|" else character)
            self.index += 1
        raise self.refuse()


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import regex  # start-up: 15 ms, and most forms have no pattern

    translator = _Translator(pattern)
    if len(pattern) > MAX_PATTERN:
        raise translator.refuse()
    try:
        return regex.compile(translator.run(), regex.ASCII | regex.VERSION0)
    except (regex.error, OverflowError, RecursionError) as error:
        raise translator.refuse() from error


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches. Raises EvaluationError for a pattern that cannot be used or takes long."""
    try:
        return _compiled(pattern).fullmatch(text, timeout=PATIENCE) is not None
    except TimeoutError:
        raise EvaluationError(_("this regular expression takes too long")) from None
