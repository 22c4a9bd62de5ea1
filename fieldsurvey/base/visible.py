"""Text that is not ours, made harmless to print: file names on a stick, names in a batch, what a server says.

A terminal obeys what it prints: escape sequences move its cursor and rewrite lines above, a bidi override turns a name
around (UTS #55; CVE-2021-42574), what has no width makes two names look alike, and half a character (PEP 383) cannot be
printed at all. All of that is shown as an escape; nothing is left out, and what is shown can be read aloud.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, Final
from unicodedata import category

# Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties) that is a letter or a mark: no width, yet "printable".
_NO_WIDTH: Final = re.compile(
    "[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\ufe00-\\ufe0f\\uffa0\\U000e0100-\\U000e01ef]"
)
_LAID_OUT: Final = frozenset("\n\t")


def visible(text: object) -> str:
    """`text` on one line, everything in it that acts or hides shown as an escape: `\\x1b`, `\\n`, `\\u202e`."""
    said = str(text)
    return said if _plain(said) else "".join(c if _seen(c) else _escape(c) for c in said)


def visible_lines(text: str) -> str:
    """The same for whole lines of ours: line ends and tabs stay as they are."""
    return text if _plain(text) else "".join(c if c in _LAID_OUT or _seen(c) else _escape(c) for c in text)


def filled(template: str, /, **values: object) -> str:
    """`template.format(**values)` with every value visible; a tuple or list of texts becomes as many lines."""
    return _FILLER.vformat(template, (), values)


def visible_json(data: Mapping[str, Any]) -> str:
    """One line of JSON that says the same: the escapes are JSON's own, and reading it gives `data` back."""
    said = json.dumps(data, ensure_ascii=False, default=str)
    return said if _plain(said) else "".join(c if _seen(c) else json.dumps(c)[1:-1] for c in said)


class _Filler(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return "\n".join(map(visible, value))
        return visible(format(value, format_spec))


_FILLER: Final = _Filler()


def _plain(text: str) -> bool:
    return text.isprintable() and _NO_WIDTH.search(text) is None


def _seen(letter: str) -> bool:
    """Spaces of every width are seen, as a gap; a line separator (Zl, Zp) is none."""
    return (letter.isprintable() or category(letter) == "Zs") and _NO_WIDTH.match(letter) is None


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
