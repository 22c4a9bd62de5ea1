"""A 32-byte key as three printable sheets of which any two give it back (SLIP-39, satoshilabs/slips).

Sheets are kept by different people in different places; one alone says nothing about the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.errors import MissingExtraError, SharesError

THRESHOLD: Final = 2
SHEETS: Final = 3
_WORD = re.compile(r"^\s*\d+\s+([a-z]{4,8})\s*$", re.MULTILINE)
_ITERATION_EXPONENT = 1


def split(secret: bytes) -> tuple[str, str, str]:
    """Three lists of 33 words; any two give `secret` (32 bytes) back. Raises MissingExtraError."""
    shamir = _library()
    one, two, three = shamir.generate_mnemonics(
        1, [(THRESHOLD, SHEETS)], secret, iteration_exponent=_ITERATION_EXPONENT
    )[0]
    return one, two, three


def combine(mnemonics: Iterable[str]) -> bytes:
    """The secret of two or three lists of words. Raises SharesError, MissingExtraError."""
    shamir = _library()
    given = [" ".join(words.lower().split()) for words in mnemonics]
    try:
        secret: bytes = shamir.combine_mnemonics(list(dict.fromkeys(given))[:THRESHOLD])
    except (shamir.MnemonicError, ValueError):  # too few, of different keys, a mistyped word, a checksum
        raise SharesError from None
    return secret


def sheet(words: str, *, project: str, fingerprint_words: str, what: str, number: int) -> str:
    """A page to print: which key of which project, the words one a line, and what the keeper does with it."""
    lines = [
        _("fieldsurvey · key sheet {number} of {total}").format(number=number, total=SHEETS),
        "",
        _("Project: {name}").format(name=project),
        _("Root fingerprint: {words}").format(words=fingerprint_words),
        _("Key: {what}").format(what=what),
        "",
        _("Any {threshold} of the {total} sheets give this key back. One alone gives nothing.").format(
            threshold=THRESHOLD, total=SHEETS
        ),
        _("Print it, give each sheet to another person, and delete the files. Do not photograph it."),
        "",
        *(f"{i:>3}  {word}" for i, word in enumerate(words.split(), 1)),
        "",
    ]
    return "\n".join(lines)


def words_of_sheet(text: str) -> str:
    """The words on a sheet, or the words themselves when they were typed without one."""
    found = _WORD.findall(text)
    return " ".join(found) if found else " ".join(text.split())


def _library() -> Any:
    try:
        import shamir_mnemonic  # only those who make or recover keys need it, and laptops do not have it
    except ModuleNotFoundError:
        raise MissingExtraError(package="shamir-mnemonic", extra="hmu") from None
    return shamir_mnemonic
