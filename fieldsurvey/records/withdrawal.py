"""Withdrawal codes and tombstones: how a respondent, later and unnamed, takes a case back.

The record's header carries the tag, a hash of the code; who shows the code proves the right to erase. A tombstone
reveals the code and the day of the request, so that whoever meets it can check it. Merging is not done here.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator

from fieldsurvey.records.codewords import from_words, to_words
from fieldsurvey.records.errors import CodeError, FieldError
from fieldsurvey.records.labels import TOMBSTONE_CHECK, WITHDRAWAL_TAG, hash_of
from fieldsurvey.records.wire import Day, Id, Wire

BITS: Final = 77
"""Seven words of 2,048 are 77 bits; as sixteen characters the code has room for 80, of which the first three are 0."""
WORD_COUNT: Final = 7
CHECK_BYTES: Final = 8

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford, www.crockford.com/base32.html
_VALUE = {letter: i for i, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_GAPS = re.compile(r"[\s\-\u2010-\u2015_.]+")


@dataclass(frozen=True, slots=True)
class WithdrawalCode:
    """77 random bits: `XXXX-XXXX-XXXX-XXXX-C`, or seven words. C shows every single mistake and every swap."""

    value: int

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> WithdrawalCode:
        """A new code; `random(n)` gives n random bytes."""
        return cls(int.from_bytes(random(10), "big") >> (80 - BITS))

    @classmethod
    def parse(cls, typed: str) -> WithdrawalCode:
        """Read either form: capitals, accents, spaces and hyphens do not matter, O is 0, I and L are 1.

        Raises CodeError.
        """
        plain = unicodedata.normalize("NFD", typed)
        words = [word for word in _GAPS.split("".join(c for c in plain if not unicodedata.combining(c))) if word]
        if len(words) == WORD_COUNT and (value := from_words([word.lower() for word in words])) is not None:
            return cls(value)
        return cls._parse_letters("".join(words).upper())

    @classmethod
    def _parse_letters(cls, letters: str) -> WithdrawalCode:
        if any(letter not in _VALUE for letter in letters):
            raise CodeError(reason="letters")
        if len(letters) != 17:
            raise CodeError(reason="length")
        digits = [_VALUE[letter] for letter in letters]
        value = 0
        for digit in digits[:16]:
            value = value << 5 | digit
        if _check(digits[:16]) != digits[16] or value >= 1 << BITS:
            raise CodeError(reason="check")
        return cls(value)

    @property
    def raw(self) -> str:
        """Sixteen characters, no check and no hyphens."""
        return "".join(_ALPHABET[digit] for digit in _digits(self.value))

    @property
    def text(self) -> str:
        """As it is printed and read out: `XXXX-XXXX-XXXX-XXXX-C`."""
        raw = self.raw
        return "-".join([*(raw[i : i + 4] for i in range(0, 16, 4)), _ALPHABET[_check(_digits(self.value))]])

    @property
    def words(self) -> str:
        """Seven Spanish words separated by spaces."""
        return to_words(self.value, WORD_COUNT)

    def tag(self, project: str) -> str:
        """What a record's header carries: 64 hexadecimal digits, different in every project."""
        return hash_of(WITHDRAWAL_TAG, bytes.fromhex(project), self.raw.encode("ascii")).hex()

    def __repr__(self) -> str:
        return "WithdrawalCode(…)"  # a code in a log would be a code that leaked


def _raw_code(raw: str) -> str:
    digits = [_ALPHABET.find(letter) for letter in raw]
    if len(raw) != 16 or min(digits) < 0 or digits[0] >= 1 << (BITS - 75):
        raise ValueError("code")
    return raw


class _Request(Wire):
    what: ClassVar[str] = "tombstone"
    max_bytes: ClassVar[int] = 1024
    magic: ClassVar[bytes] = b"FSW1\x01"

    format: Literal["fieldsurvey tombstone"] = "fieldsurvey tombstone"
    format_version: Literal[1] = 1
    project: Id
    code: Annotated[str, AfterValidator(_raw_code)]
    requested: Day


class Tombstone(_Request):
    """A withdrawal as it travels. `code` is its sixteen characters, `requested` the day of the request.

    Its bytes end with a check over the rest, so that damage cannot move the day. It is no signature: who holds the
    code may withdraw.
    """

    def to_bytes(self) -> bytes:
        """The one encoding."""
        plain = super().to_bytes()
        return plain + hash_of(TOMBSTONE_CHECK, plain)[:CHECK_BYTES]

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The inverse. Raises FieldError or NotCanonicalError."""
        plain = data[:-CHECK_BYTES]
        if data[-CHECK_BYTES:] != hash_of(TOMBSTONE_CHECK, plain)[:CHECK_BYTES]:
            raise FieldError(what=cls.what, field="*", reason="check")
        return cls.model_validate(dict(_Request.from_bytes(plain)))

    @property
    def tag(self) -> str:
        """The tag of the headers it withdraws."""
        value = 0
        for letter in self.code:
            value = value << 5 | _VALUE[letter]
        return WithdrawalCode(value).tag(self.project)

    def __repr__(self) -> str:
        return f"Tombstone(tag={self.tag[:16]}…, requested={self.requested})"

    __str__ = __repr__


def _digits(value: int) -> list[int]:
    return [value >> shift & 31 for shift in range(75, -1, -5)]


def _times_two(digit: int) -> int:
    """In the field of 32 elements, modulo x^5 + x^2 + 1."""
    doubled = digit << 1
    return doubled ^ 0b100101 if doubled & 32 else doubled


def _check(digits: list[int]) -> int:
    """The sum of digit i times 2^(16 - i), by Horner: sixteen different weights, so a swap of any two always shows."""
    total = 0
    for digit in digits:
        total = _times_two(total ^ digit)
    return total
