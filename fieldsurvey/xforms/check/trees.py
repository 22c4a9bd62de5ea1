"""Syntax trees of conditions: their parts, and what of a list a filter reads."""

from __future__ import annotations

from collections.abc import Iterable

from fieldsurvey.xforms.xpath.ast import Binary, Chain, Expr, FunctionCall, Literal, NameTest, Number, Path, children


def operands(expr: Expr) -> tuple[list[Expr], str]:
    """The parts of an `and` or an `or`, and which of the two."""
    if isinstance(expr, Binary) and expr.op in {"and", "or"}:
        return [expr.left, expr.right], expr.op
    if isinstance(expr, Chain) and expr.rest[0][0] in {"and", "or"}:
        return [expr.first, *(operand for _op, operand in expr.rest)], expr.rest[0][0]
    return [], ""


def negated(expr: Expr) -> Expr | None:
    """What stands inside `not()`."""
    return expr.args[0] if isinstance(expr, FunctionCall) and expr.name == "not" and len(expr.args) == 1 else None


def constant(expr: Expr) -> bool:
    """Whether it is a literal."""
    return isinstance(expr, Literal | Number)


def relative(path: Path) -> bool:
    """Whether it starts at the context node."""
    return not path.absolute and path.start is None


def names_in(filters: Iterable[Expr]) -> frozenset[str]:
    """The columns of the list that its filters read."""
    found: set[str] = set()
    pending = list(filters)
    while pending:
        current = pending.pop()
        if isinstance(current, Path) and relative(current) and current.steps:
            test = current.steps[0].test
            if isinstance(test, NameTest):
                found.add(test.local)
        pending.extend(children(current))
    return frozenset(found)
