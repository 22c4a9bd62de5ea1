"""Numbers as Spanish words, eleven bits a word: withdrawal codes and fingerprints, to be read out and written down.

The 2,048 words and their order are part of the format and never change (a test holds their hash); the list from which
passphrases are drawn may grow beyond them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fieldsurvey.records.words import WORDS

CODE_WORDS: Final = WORDS[:2048]
_VALUE: Final = {word: i for i, word in enumerate(CODE_WORDS)}


def to_words(value: int, count: int) -> str:
    """The low `11 * count` bits of `value` as `count` words separated by spaces, the highest bits first."""
    return " ".join(CODE_WORDS[value >> shift & 2047] for shift in range(11 * (count - 1), -1, -11))


def from_words(words: Sequence[str]) -> int | None:
    """The inverse, for lower-case words; None when one of them is not ours."""
    value = 0
    for word in words:
        if word not in _VALUE:
            return None
        value = value << 11 | _VALUE[word]
    return value


def fingerprint_words(fingerprint: str) -> str:
    """The first 88 bits of a fingerprint (hexadecimal digits) as eight words."""
    return to_words(int(fingerprint[:22], 16), 8)
