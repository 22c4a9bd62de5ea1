"""What a value may be: always a superset, so that what is ruled out is ruled out for good.

A `Possible` lists every value where there are few, else it bounds the value's number and says whether it may be blank
or text that is no number. Answers of several choices are sets of tokens. Values are those that expressions see
(xpath/convert.py); booleans are the members of Truth, since Python takes True and 1.0 for the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from fieldsurvey.xforms.xpath.convert import NAN, TINY, equal, to_number


class Truth(Enum):
    """A boolean inside a set of values."""

    NO = False
    YES = True


Held = str | float | date | Truth
MANY = 50_000
"""More values than this are not listed."""
PRODUCT = 4096
"""More combinations than this are not tried."""


@dataclass(frozen=True, slots=True)
class Possible:
    """A superset of the values something may have.

    With `values` these are all. Else: numbers within `low` and `high` (both included) unless `numeric` is False;
    "" when `blank`; text that reads as no number when `odd`. `pure` says that what is not listed is text, never a
    number, date or boolean. With `tokens` it is text of some of these, separated by spaces, with all of `must`.
    """

    values: frozenset[Held] | None = None
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    blank: bool = True
    odd: bool = True
    pure: bool = False
    tokens: frozenset[str] | None = None
    must: frozenset[str] = frozenset()

    @property
    def impossible(self) -> bool:
        """Whether nothing is left."""
        if self.values is not None:
            return not self.values
        if self.tokens is not None:
            return not self.must <= self.tokens or (not self.blank and not self.tokens)
        return not self.blank and not self.odd and self.low > self.high

    @property
    def filled(self) -> bool:
        """Whether it cannot be blank."""
        return "" not in self.values if self.values is not None else not self.blank


ANYTHING = Possible()
TEXT = Possible(pure=True)
NUMBER = Possible(blank=False, odd=True)
"""A number or NaN."""
YES = Possible(frozenset({Truth.YES}))
NO = Possible(frozenset({Truth.NO}))
EITHER = Possible(frozenset({Truth.YES, Truth.NO}))
BLANK = Possible(frozenset({""}))


def exactly(values: Iterable[Held]) -> Possible:
    """One of these; ANYTHING when there are too many."""
    found = frozenset(NAN if isinstance(value, float) and math.isnan(value) else value for value in values)
    return Possible(found) if len(found) <= MANY else ANYTHING


def number_between(low: float, high: float, *, blank: bool, odd: bool = False, whole: bool = False) -> Possible:
    """A number within bounds, both included."""
    if whole:
        low, high = _up(low), _down(high)
    if low > high and not odd:
        return BLANK if blank else exactly(())
    return Possible(None, low, high, whole, blank, odd)


def _up(number: float) -> float:
    return float(math.ceil(number)) if math.isfinite(number) else number


def _down(number: float) -> float:
    return float(math.floor(number)) if math.isfinite(number) else number


def plain(value: Held) -> str | float | bool | date:
    """A value as the engine holds it."""
    return value.value if isinstance(value, Truth) else value


def held(value: object) -> Held | None:
    """The engine's value as it is kept in a set; None for nodes."""
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, str | float | date):
        return value
    return None


def number_of(value: Held) -> float:
    """Its number; NaN when it has none."""
    return to_number(plain(value))


def numbers(possible: Possible) -> tuple[float, float, bool]:
    """(low, high, whether it may have no number) of the number that it converts to."""
    if possible.values is not None:
        found = [number_of(value) for value in possible.values]
        real = [number for number in found if not math.isnan(number)]
        if not real:
            return math.inf, -math.inf, bool(found)
        return min(real), max(real), len(real) < len(found)
    return possible.low, possible.high, possible.blank or possible.odd


def admits(possible: Possible, value: Held) -> bool:
    """Whether something that equals `value` may be among them."""
    if possible.values is not None:
        return value in possible.values or any(equal(plain(value), plain(other)) for other in possible.values)
    if possible.tokens is not None:
        if not isinstance(value, str):
            return True
        words = set(value.split())
        return words <= possible.tokens and possible.must <= words and (bool(words) or possible.blank)
    if isinstance(value, Truth | date):
        return True
    if value == "":
        return possible.blank
    number = number_of(value)
    if math.isnan(number):
        return possible.odd
    return possible.odd or possible.low - 2 * TINY <= number <= possible.high + 2 * TINY


def meet(one: Possible, other: Possible) -> Possible:
    """What may be both."""
    if one.values is not None:
        return Possible(frozenset(value for value in one.values if admits(other, value)))
    if other.values is not None:
        return meet(other, one)
    if one.tokens is not None:
        if other.tokens is None:
            return replace(one, blank=one.blank and other.blank)
        return Possible(
            blank=one.blank and other.blank, tokens=one.tokens & other.tokens, must=one.must | other.must, pure=True
        )
    if other.tokens is not None:
        return meet(other, one)
    low, high = max(one.low, other.low), min(one.high, other.high)
    whole = one.whole or other.whole
    blank, odd = one.blank and other.blank, one.odd and other.odd
    if whole:
        low, high = _up(low), _down(high)
    if low > high and not odd:
        return BLANK if blank else exactly(())
    return Possible(None, low, high, whole, blank, odd, one.pure or other.pure)


def join(one: Possible, other: Possible) -> Possible:
    """What may be either."""
    if one == other or other.impossible:
        return one
    if one.impossible:
        return other
    if one.values is not None and other.values is not None:
        return exactly(one.values | other.values)
    if one.tokens is not None and other.tokens is not None:
        return Possible(
            blank=one.blank or other.blank, tokens=one.tokens | other.tokens, must=one.must & other.must, pure=True
        )
    first, second = _loose(one), _loose(other)
    return Possible(
        None,
        min(first.low, second.low),
        max(first.high, second.high),
        first.whole and second.whole,
        first.blank or second.blank,
        first.odd or second.odd,
        first.pure and second.pure,
    )


def _loose(possible: Possible) -> Possible:
    """The same as bounds."""
    if possible.tokens is not None:
        return Possible(blank=possible.blank, pure=True)
    if possible.values is None:
        return possible
    low, high, _none = numbers(possible)
    others = [value for value in possible.values if math.isnan(number_of(value)) and value != ""]
    real = [number_of(value) for value in possible.values if not math.isnan(number_of(value))]
    return Possible(
        None,
        low,
        high,
        all(number.is_integer() for number in real if math.isfinite(number)),
        "" in possible.values,
        bool(others) or any(isinstance(value, date | Truth) for value in possible.values),
        all(isinstance(value, str) for value in possible.values),
    )


def without_blank(possible: Possible) -> Possible:
    """The same, filled in."""
    if possible.values is not None:
        return Possible(possible.values - {""})
    return replace(possible, blank=False)
