"""A withdrawal code as somebody types it: read it, or say where it is wrong.

The check shows every single mistake and every swap, but not where: a letter that no code has, or a word that no code
has, is the only mistake whose place can be told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.records.codewords import CODE_WORDS
from fieldsurvey.records.errors import CodeError
from fieldsurvey.records.withdrawal import WORD_COUNT, WithdrawalCode

_WHY: Final = {
    "letters": n_("it has a sign that no code has"),
    "length": n_("it has too many or too few: 17 letters and digits, or seven words"),
    "check": n_("one or more of its letters or digits is wrong, or two are swapped"),
    "word": n_("word {place} is not one of a code's words"),
}
_GAPS: Final = re.compile(r"[\s,;]+")
_KNOWN: Final = frozenset(CODE_WORDS)


class MistypedCodeError(InputError):
    """A withdrawal code that is not one."""

    code = "input.code_mistyped"
    template = "That is not a withdrawal code: {why}."
    hint = (
        "Nothing was changed. Compare it with the slip, letter by letter. Capitals, spaces and hyphens do not matter."
    )


def read_code(typed: str) -> WithdrawalCode:
    """The code, from letters or from words. Raises MistypedCodeError, which never holds what was typed."""
    try:
        return WithdrawalCode.parse(typed)
    except CodeError as error:
        raise MistypedCodeError(why=_why(typed, str(error.details["reason"]))) from None


def _why(typed: str, reason: str) -> str:
    plain = unicodedata.normalize("NFD", typed.casefold())
    words = [word for word in _GAPS.split("".join(c for c in plain if not unicodedata.combining(c))) if word]
    strange = [place for place, word in enumerate(words, 1) if word not in _KNOWN]
    looks_like_words = len(words) >= WORD_COUNT - 1 and len(strange) < len(words) / 2
    if looks_like_words and strange:
        return _(_WHY["word"]).format(place=strange[0])
    return _(_WHY["length" if looks_like_words and len(words) != WORD_COUNT else reason])
