"""Comparison and arithmetic of possible values, as JavaRosa does them of values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from fieldsurvey.xforms.check.possible import (
    EITHER,
    NO,
    PRODUCT,
    YES,
    Held,
    Possible,
    Truth,
    admits,
    exactly,
    meet,
    number_of,
    numbers,
    plain,
    without_blank,
)
from fieldsurvey.xforms.xpath.convert import TINY, equal, to_boolean
from fieldsurvey.xforms.xpath.operators import divide, remainder

Spend = Callable[[int], None]
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": divide,
    "mod": remainder,
}


def compare(op: str, left: Possible, right: Possible, spend: Spend) -> tuple[bool, bool]:
    """(may be true, may be false) of a comparison."""
    if left.impossible or right.impossible:
        return False, False
    if op == "!=":
        yes, no = compare("=", left, right, spend)
        return no, yes
    if left.values is not None and right.values is not None and len(left.values) * len(right.values) <= PRODUCT:
        spend(len(left.values) * len(right.values) // 8)
        found = {_holds(op, one, other) for one, other in product(left.values, right.values)}
        return True in found, False in found
    if op == "=":
        return _may_equal(left, right), True
    low, high, none = numbers(left)
    other_low, other_high, other_none = numbers(right)
    if low > high or other_low > other_high:  # one of them is never a number
        return False, True
    if op in {"<", "<="}:
        return ORDER[op](low, other_high), none or other_none or not ORDER[op](high, other_low)
    return ORDER[op](high, other_low), none or other_none or not ORDER[op](low, other_high)


def _holds(op: str, left: Held, right: Held) -> bool:
    if op == "=":
        return equal(plain(left), plain(right))
    return ORDER[op](number_of(left), number_of(right))


def _may_equal(left: Possible, right: Possible) -> bool:
    if right.values is not None:
        return any(admits(left, value) for value in right.values)
    if left.values is not None:
        return any(admits(right, value) for value in left.values)
    if left.tokens is not None or right.tokens is not None or left.odd or right.odd:
        return True
    if left.blank and right.blank:
        return True
    return left.low - 2 * TINY <= right.high and right.low - 2 * TINY <= left.high


def narrowed(was: Possible, op: str, other: Possible, *, want: bool, flipped: bool) -> Possible:
    """What an answer may be when `answer op other` is `want` (with `flipped`, `other op answer`)."""
    if flipped:
        op = FLIP[op]
    if was.values is not None and other.values is not None and len(was.values) * len(other.values) <= PRODUCT:
        return kept(was.values, op, other.values, want=want)
    if op in {"=", "!="}:
        return _equal(was, other) if (op == "=") is want else _unequal(was, other)
    if was.values is not None or was.tokens is not None:
        return was  # tried value by value
    low, high, none = numbers(other)
    if low > high:
        return was
    if want:
        sure = not was.odd or was.pure
        return _bounded(replace(was, blank=False, odd=was.odd and not sure), op, low, high)
    if none or was.odd:
        return was  # it may be false because one of them is no number
    return _bounded(was, OPPOSITE[op], low, high)


def kept(values: frozenset[Held], op: str, others: frozenset[Held], *, want: bool) -> Possible:
    """The values for which `value op other` may be `want`."""
    if op == "!=":
        op, want = "=", not want
    return Possible(frozenset(one for one in values if any(_holds(op, one, other) is want for other in others)))


def _bounded(was: Possible, op: str, low: float, high: float) -> Possible:
    """`answer op x` for some x within low and high."""
    if op == "<":
        bounds = Possible(high=math.nextafter(high, -math.inf))
    elif op == "<=":
        bounds = Possible(high=high)
    elif op == ">":
        bounds = Possible(low=math.nextafter(low, math.inf))
    else:
        bounds = Possible(low=low)
    return meet(was, bounds)


def _equal(was: Possible, other: Possible) -> Possible:
    if other.values is None or any(isinstance(value, Truth) for value in other.values):
        return was
    if was.values is None and was.tokens is None and was.pure and all(isinstance(v, str) for v in other.values):
        return exactly(value for value in other.values if admits(was, value))
    if other.values == frozenset({""}) and (was.tokens is not None or not was.odd or was.pure):
        return exactly({""} if admits(was, "") else ())
    if "" not in other.values:
        was = without_blank(was)
    real = [number_of(value) for value in other.values]
    if was.values is None and was.tokens is None and not was.odd and not any(math.isnan(number) for number in real):
        return meet(was, Possible(low=min(real) - 2 * TINY, high=max(real) + 2 * TINY))
    return was


def _unequal(was: Possible, other: Possible) -> Possible:
    if other.values == frozenset({""}) and (
        was.values is not None or was.pure or was.tokens is not None or not was.odd
    ):
        return without_blank(was)
    return was


def arithmetic(op: str, left: Possible, right: Possible, spend: Spend) -> Possible:
    """The numbers that `left op right` may be."""
    if op not in ARITHMETIC:  # a union of nodes
        return Possible()
    if left.values is not None and right.values is not None and len(left.values) * len(right.values) <= PRODUCT:
        spend(len(left.values) * len(right.values) // 8)
        return exactly(
            ARITHMETIC[op](number_of(one), number_of(other)) for one, other in product(left.values, right.values)
        )
    low, high, none = numbers(left)
    other_low, other_high, other_none = numbers(right)
    ends = [(low, other_low), (low, other_high), (high, other_low), (high, other_high)]
    if op not in {"+", "-", "*"} or low > high or other_low > other_high:
        return Possible(blank=False, odd=True)
    results = [ARITHMETIC[op](one, another) for one, another in ends]
    whole = left.whole and right.whole and left.values is None and right.values is None
    if any(math.isnan(number) for number in results):
        return Possible(None, whole=whole, blank=False, odd=True)
    return Possible(None, min(results), max(results), whole, blank=False, odd=none or other_none)


def negative(operand: Possible) -> Possible:
    """`-operand`."""
    if operand.values is not None:
        return exactly(-number_of(value) for value in operand.values)
    low, high, none = numbers(operand)
    return Possible(None, -high, -low, operand.whole, blank=False, odd=none)


def as_possible(truth: tuple[bool, bool]) -> Possible:
    """A truth value as a value."""
    return EITHER if truth == (True, True) else YES if truth[0] else NO if truth[1] else exactly(())


def truths(possible: Possible) -> tuple[bool, bool]:
    """(may be true, may be false) of a value as a condition."""
    if possible.values is not None:
        found = {to_boolean(plain(value)) for value in possible.values}
        return True in found, False in found
    if possible.tokens is not None or possible.pure:
        return True, possible.blank
    low, high, none = numbers(possible)
    return (low, high) != (0, 0) or possible.odd, none or low <= 0 <= high
