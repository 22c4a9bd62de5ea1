"""A 32-byte key as printable sheets of which any two give it back (SLIP-39, satoshilabs/slips); three, as a rule.

Sheets are kept by different people in different places; one alone says nothing about the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.errors import (
    FewSheetsError,
    MissingExtraError,
    OtherSheetsError,
    SharesError,
    SheetChecksumError,
    SheetWordError,
)

THRESHOLD: Final = 2
SHEETS: Final = 3
_WORD = re.compile(r"^\s*\d+\s+([a-z]{4,8})\s*$", re.MULTILINE)
_ITERATION_EXPONENT = 1


def split(secret: bytes, count: int = SHEETS) -> tuple[str, ...]:
    """`count` lists (2 to 16) of 33 words; any two give `secret` (32 bytes) back. Raises MissingExtraError."""
    shamir = _library()
    made = shamir.generate_mnemonics(1, [(THRESHOLD, count)], secret, iteration_exponent=_ITERATION_EXPONENT)
    return tuple(made[0])


def combine(mnemonics: Iterable[str]) -> bytes:
    """The secret of two or more lists of words of one set; all that are given must be sound.

    Raises FewSheetsError, SheetWordError, SheetChecksumError, OtherSheetsError, SharesError, MissingExtraError. None of
    them says a word.
    """
    shamir = _library()
    given = [" ".join(words.lower().split()) for words in mnemonics]
    found = [_share(words, number) for number, words in enumerate(given, 1)]
    if len({share.index for share in found}) < THRESHOLD and len({share.identifier for share in found}) < THRESHOLD:
        raise FewSheetsError(needed=THRESHOLD)
    if len({share.common_parameters() for share in found}) > 1:
        raise OtherSheetsError
    try:
        secret: bytes = shamir.combine_mnemonics(list(dict.fromkeys(given))[:THRESHOLD])
    except (shamir.MnemonicError, ValueError):  # the digest of the secret, SLIP-39's last check
        raise SharesError from None
    return secret


def check(text: str, number: int) -> None:
    """Whether these are the words of a sheet, the `number`th given. Raises SheetWordError, SheetChecksumError."""
    _share(" ".join(words_of_sheet(text).lower().split()), number)


def _share(words: str, number: int) -> Any:
    shamir = _library()
    from shamir_mnemonic.share import Share  # as in _library: laptops do not have it
    from shamir_mnemonic.wordlist import WORDLIST

    unknown = [place for place, word in enumerate(words.split(), 1) if word not in WORDLIST]
    if unknown:
        raise SheetWordError(sheet=number, word=unknown[0])
    try:
        return Share.from_mnemonic(words)
    except (shamir.MnemonicError, ValueError):
        raise SheetChecksumError(sheet=number) from None


def pages(secret: bytes, *, project: str, fingerprint_words: str, what: str, key_id: str) -> Sequence[str]:
    """The three sheets of a key."""
    return [
        sheet(words, project=project, fingerprint_words=fingerprint_words, what=what, number=number, key_id=key_id)
        for number, words in enumerate(split(secret), 1)
    ]


def sheet(words: str, *, project: str, fingerprint_words: str, what: str, number: int, key_id: str = "–") -> str:
    """A page to print: which key of which project, the words one a line, and what the keeper does with it."""
    lines = [
        _("fieldsurvey · key sheet {number} of {total}").format(number=number, total=SHEETS),
        "",
        _("Project: {name}").format(name=project),
        _("Root fingerprint: {words}").format(words=fingerprint_words),
        _("Key: {what}").format(what=what),
        _("Id of the key: {id}").format(id=key_id),
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
