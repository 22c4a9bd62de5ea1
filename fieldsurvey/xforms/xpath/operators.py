"""Closures for operators, with short cuts for the shapes that forms are full of: `path = 'x'`, `path > 5`, `a and b`.

Every function takes compiled operands and gives a compiled result. Semantics: JavaRosa's XPathEqExpr, XPathCmpExpr,
XPathArithExpr, XPathBoolExpr. Plain XPath 1.0 comparisons are in native.py.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.convert import NAN, equal, to_number
from fieldsurvey.xforms.xpath.runtime import Context

Numeric = Callable[[Context], float]
Truth = Callable[[Context], bool]


def divide(left: float, right: float) -> float:
    """IEEE 754 division: x div 0 is an infinity, 0 div 0 is NaN."""
    if right == 0:
        if left == 0 or math.isnan(left):
            return NAN
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def remainder(left: float, right: float) -> float:
    """The remainder of a truncating division; it has the sign of the left operand (XPath 1.0 section 3.5)."""
    if right == 0 or math.isinf(left):
        return NAN
    return math.fmod(left, right)


FUNCTIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": divide,
    "mod": remainder,
}


def arithmetic(op: str, left: Numeric, right: Numeric) -> Numeric:
    """`+ - * div mod` on numbers."""
    if op == "+":
        return lambda ctx: left(ctx) + right(ctx)
    if op == "-":
        return lambda ctx: left(ctx) - right(ctx)
    if op == "*":
        return lambda ctx: left(ctx) * right(ctx)
    if op == "div":
        return lambda ctx: divide(left(ctx), right(ctx))
    return lambda ctx: remainder(left(ctx), right(ctx))


def arithmetic_chain(first: Numeric, rest: Sequence[tuple[str, Numeric]]) -> Numeric:
    """Several operators of one level, from the left."""
    steps = [(FUNCTIONS[op], operand) for op, operand in rest]

    def run(ctx: Context) -> float:
        total = first(ctx)
        for apply, operand in steps:
            total = apply(total, operand(ctx))
        return total

    return run


def negate(operand: Numeric) -> Numeric:
    """Unary minus."""
    return lambda ctx: -operand(ctx)


def both(operands: Sequence[Truth]) -> Truth:
    """`and`, from the left, as far as needed."""
    if len(operands) == 2:
        first, second = operands
        return lambda ctx: first(ctx) and second(ctx)
    if len(operands) == 3:
        first, second, third = operands
        return lambda ctx: first(ctx) and second(ctx) and third(ctx)

    def run(ctx: Context) -> bool:
        return all(operand(ctx) for operand in operands)

    return run


def either(operands: Sequence[Truth]) -> Truth:
    """`or`, from the left, as far as needed."""
    if len(operands) == 2:
        first, second = operands
        return lambda ctx: first(ctx) or second(ctx)
    if len(operands) == 3:
        first, second, third = operands
        return lambda ctx: first(ctx) or second(ctx) or third(ctx)

    def run(ctx: Context) -> bool:
        return any(operand(ctx) for operand in operands)

    return run


def equality(op: str, left: Compiled, right: Compiled, scalar: Callable[[Compiled], Any]) -> Truth:
    """`=` and `!=`; `scalar` gives the closure of an operand's one value."""
    if left.constant and not right.constant:
        left, right = right, left  # symmetric, and the constant is then on the right
    same = op == "="
    if right.constant:
        fixed = right.run(None)  # type: ignore[arg-type]  # a constant does not look at its context
        if left.kind in {"nodes", "value", "string"} and type(fixed) is str:
            return _equals_text(scalar(left), fixed, same)
        if type(fixed) is float and left.kind in {"nodes", "value", "number"}:
            return _equals_number(scalar(left), fixed, same)
    first, second = scalar(left), scalar(right)
    if left.kind == "string" and right.kind == "string":
        if same:
            return lambda ctx: first(ctx) == second(ctx)
        return lambda ctx: first(ctx) != second(ctx)
    if same:
        return lambda ctx: equal(first(ctx), second(ctx))
    return lambda ctx: not equal(first(ctx), second(ctx))


def _equals_text(read: Callable[[Context], Any], text: str, same: bool) -> Truth:
    def run(ctx: Context) -> bool:
        value = read(ctx)
        if type(value) is str:
            return (value == text) is same
        return equal(value, text) is same

    return run


def _equals_number(read: Callable[[Context], Any], number: float, same: bool) -> Truth:
    def run(ctx: Context) -> bool:
        value = read(ctx)
        if type(value) is float:
            return (value == number or abs(value - number) < 1e-12) is same
        return equal(value, number) is same

    return run


def comparison(op: str, left: Numeric, right: Numeric) -> Truth:
    """`< <= > >=`, always as numbers; false when either is NaN."""
    if op == "<":
        return lambda ctx: left(ctx) < right(ctx)
    if op == "<=":
        return lambda ctx: left(ctx) <= right(ctx)
    if op == ">":
        return lambda ctx: left(ctx) > right(ctx)
    return lambda ctx: left(ctx) >= right(ctx)


def comparison_with(op: str, read: Callable[[Context], Any], number: float) -> Truth:
    """`path > 5`: the typed value is compared at once when it is a number already."""
    test: Callable[[float, float], bool] = {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[op]

    def run(ctx: Context) -> bool:
        value = read(ctx)
        return test(value if type(value) is float else to_number(value), number)

    return run
