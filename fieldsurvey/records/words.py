"""Passphrases that people can read out, type and remember: our own list of everyday Spanish words, 4 to 8 letters, no
accent and no ñ (so that any keyboard types them), no two alike in their first four letters, none that hurts.

Whether a passphrase opens something is decided elsewhere (`slots`); here it is only made, normalised and weighed.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.records.wordlist import TEXT

WORDS: Final[tuple[str, ...]] = tuple(TEXT.split())
"""Sorted; at least 2,048, so that a word is worth 11 bits or more."""

MINIMUM_WORDS: Final = 6
_KNOWN: Final = frozenset(WORDS)
_MINIMUM_BITS: Final = 60.0
_GAPS = re.compile(r"[\s\-\u2010-\u2015_]+")


class WeakPassphraseError(RefusedError):
    """A passphrase chosen by hand that could be guessed."""

    code = "passphrase.weak"
    template = "This passphrase is too easy to guess."
    hint = "Nothing was changed. Use six words picked by the program, or at least sixteen mixed characters."


def generate_passphrase(minimum_bits: float = _MINIMUM_BITS, *, rng_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Six words or more separated by a space, drawn evenly: always as strong as `check_strength` asks.

    No word comes twice, since a repeated one counts once there; that costs six words less than a hundredth of a bit.
    """
    wanted = max(MINIMUM_WORDS, math.ceil(minimum_bits / math.log2(len(WORDS))))
    drawn: list[str] = []
    while len(drawn) < wanted:
        word = WORDS[_below(len(WORDS), rng_bytes)]
        if word not in drawn:
            drawn.append(word)
    return " ".join(drawn)


def normalise_passphrase(typed: str) -> str:
    """What two typings of one passphrase have in common: NFKC, case folded, runs of spaces and hyphens one space.

    It knows nothing of the word list, so that a later list still opens what an earlier one locked.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
    return " ".join(_GAPS.sub(" ", folded).split())


def passphrase_bits(passphrase: str) -> float:
    """A cautious estimate of the guesses it takes, as bits: words of the list by count, else by kinds of character.

    Repeated words and characters count once.
    """
    words = normalise_passphrase(passphrase).split()
    if words and all(word in _KNOWN for word in words):
        return len(set(words)) * math.log2(len(WORDS))
    text = "".join(words)
    kinds = 0
    for found, size in (
        (any(c.isascii() and c.isalpha() for c in text), 26),
        (any(c.isdigit() for c in text), 10),
        (any(not c.isalnum() for c in text), 20),
        (any(not c.isascii() for c in text), 20),
    ):
        kinds += size if found else 0
    return len(set(text)) * math.log2(kinds) if kinds else 0.0


def check_strength(passphrase: str, minimum_bits: float = _MINIMUM_BITS) -> None:
    """Raises WeakPassphraseError under the floor (60 bits unless the project asks for more)."""
    if passphrase_bits(passphrase) < minimum_bits:
        raise WeakPassphraseError


def _below(limit: int, rng_bytes: Callable[[int], bytes]) -> int:
    """An even draw from 0 to limit - 1, for limits up to 65,536: what would favour small numbers is drawn again."""
    even = 65536 - 65536 % limit
    while True:
        drawn = int.from_bytes(rng_bytes(2), "big")
        if drawn < even:
            return drawn % limit
