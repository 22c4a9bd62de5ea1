"""Equality filters over lists by a hash index: `instance('x')/root/item[key = …]`, the shape of choice filters.

What the index (index.py) yields is what the plain filter would yield, in the same order; the rest of the filter runs
on that. This module takes predicates apart and compiles nothing: paths.py hands it closures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fieldsurvey.xforms.xpath.ast import (
    Binary,
    Chain,
    Expr,
    FunctionCall,
    Literal,
    NameTest,
    Number,
    Path,
    Step,
    TypeTest,
    Unary,
    children,
)
from fieldsurvey.xforms.xpath.convert import unpack
from fieldsurvey.xforms.xpath.index import index_of
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.runtime import Context

# Calls that look at the context node, or must run for each node anew, even where no argument says so.
_INWARD = frozenset({"position", "last", "once", "lang", "id", "random", "uuid", "randomize"})
_INWARD_WITHOUT_ARGUMENTS = frozenset(
    {"string", "number", "string-length", "normalize-space", "name", "local-name", "namespace-uri"}
)


@dataclass(frozen=True, slots=True)
class Split:
    """A predicate taken apart: rows whose child `key` equals `wanted`, and then all of `rest`."""

    key: str
    wanted: Expr
    rest: tuple[Expr, ...]


def split(predicate: Expr) -> Split | None:
    """`predicate` as an equality that an index can answer and what remains of it; None when it has no such part."""
    parts: tuple[Expr, ...] = (predicate,)
    if isinstance(predicate, Binary) and predicate.op == "and":
        parts = (predicate.left, predicate.right)
    elif isinstance(predicate, Chain) and predicate.rest[0][0] == "and":
        parts = (predicate.first, *(operand for _op, operand in predicate.rest))
    if any(_asks_position(part) for part in parts):
        return None
    for index, part in enumerate(parts):
        if isinstance(part, Binary) and part.op == "=":
            for side, other in ((part.left, part.right), (part.right, part.left)):
                key = _key(side)
                if key is not None and is_outward(other):
                    return Split(key, other, parts[:index] + parts[index + 1 :])
    return None


def _key(expr: Expr) -> str | None:
    """The name in `name` or `./name`."""
    if not isinstance(expr, Path) or expr.absolute or expr.start is not None or expr.start_predicates:
        return None
    steps = [s for s in expr.steps if not (s.axis == "self" and s.test == TypeTest("node") and not s.predicates)]
    if len(steps) != 1:
        return None
    step: Step = steps[0]
    if step.axis != "child" or step.predicates or not isinstance(step.test, NameTest):
        return None
    return None if step.test.prefix or step.test.local == "*" else step.test.local


def is_outward(expr: Expr) -> bool:
    """Whether `expr` means the same for every row: it never looks at the row itself."""
    pending = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, Path):
            if current.start is not None:
                pending.append(current.start)  # predicates look at the path's own nodes
            elif not current.absolute:
                return False
        elif isinstance(current, FunctionCall):
            if current.name in _INWARD or (not current.args and current.name in _INWARD_WITHOUT_ARGUMENTS):
                return False
            pending.extend(current.args)
        elif isinstance(current, Number | Literal | Unary | Binary | Chain):
            pending.extend(children(current))
        else:
            return False
    return True


def _asks_position(expr: Expr) -> bool:
    if isinstance(expr, FunctionCall) and expr.name in {"position", "last"}:
        return True
    return any(_asks_position(child) for child in children(expr)) if not isinstance(expr, Path) else False


Filter = Callable[[Context, list[Node]], list[Node]]


def indexed(row: str, key: str, wanted: Callable[[Context], Value], filters: Sequence[Filter], plain: Filter) -> Filter:
    """A step `child::row[key = wanted]…` by index, `filters` running after it; `plain` is the same step without."""

    def run(ctx: Context, parents: list[Node]) -> list[Node]:
        out: list[Node] = []
        value = unpack(wanted(ctx))
        for parent in parents:
            found = None if parent.live else index_of(parent, row, key).find(value)
            if found is None:
                return plain(ctx, parents)
            rows = list(found)
            for keep in filters:
                if rows:
                    rows = keep(ctx, rows)
            out += rows
        return out

    return run
