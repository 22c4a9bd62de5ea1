"""Filters over lists, `instance('x')/root/item[…]`, the shape of choice filters: by index, and a column at a time.

An equality of a column with something that is the same for every row is answered by a hash index (index.py). What
stands beside it, and filters without such an equality, run over columns (columns.py) as far as they can, and what
remains runs row by row. The result is always what the plain filter would yield, in the same order; where a column
cannot be used or something fails, the plain filter answers. Predicates are taken apart when they first run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldsurvey.xforms.xpath.ast import Binary, Chain, Expr
from fieldsurvey.xforms.xpath.columns import choose, condition, narrow
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.convert import unpack
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.index import Column, Table, table_of
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.outward import asks_position, column_name, is_outward
from fieldsurvey.xforms.xpath.parts import Part
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler

Filter = Callable[[Context, list[Node]], list[Node]]
Rowwise = Callable[["Compiler", Expr, bool], Filter]
"""A predicate as a filter over rows; True: it is one operand of an `and`, so that a number is a truth, too."""


def conjuncts(predicate: Expr) -> tuple[Expr, ...]:
    """The operands of `and`, or the predicate itself."""
    if isinstance(predicate, Binary) and predicate.op == "and":
        return (predicate.left, predicate.right)
    if isinstance(predicate, Chain) and predicate.rest[0][0] == "and":
        return (predicate.first, *(operand for _op, operand in predicate.rest))
    return (predicate,)


@dataclass(frozen=True, slots=True)
class Split:
    """A predicate taken apart: rows whose child `key` equals `wanted`, and then all of `rest`."""

    key: str
    wanted: Expr
    rest: tuple[Expr, ...]


def split(predicate: Expr) -> Split | None:
    """`predicate` as an equality that an index can answer and what remains of it; None when it has no such part."""
    parts = conjuncts(predicate)
    if any(asks_position(part) for part in parts):
        return None
    for index, part in enumerate(parts):
        if isinstance(part, Binary) and part.op == "=":
            for side, other in ((part.left, part.right), (part.right, part.left)):
                key = column_name(side)
                if key is not None and is_outward(other):
                    return Split(key, other, parts[:index] + parts[index + 1 :])
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a step into a list is filtered: by an equality, then by columns, then row by row."""

    key: str
    wanted: Callable[[Context], Value] | None
    parts: tuple[Part, ...]
    rowwise: tuple[Filter, ...]
    names: tuple[str, ...]

    def rows(self, table: Table, ctx: Context) -> list[Node] | None:
        """The rows that are kept; None when the plain filter must answer. Raises EvaluationError."""
        columns: dict[str, Column] = {}
        for name in self.names:
            column = table.column(name)
            if column is None:
                return None
            columns[name] = column
        places = self._places(table, columns, ctx)
        if places is None:
            return None
        kept = [table.rows[place] for place in places]
        for keep in self.rowwise:
            if kept:
                kept = keep(ctx, kept)
        return kept

    def _places(self, table: Table, columns: Mapping[str, Column], ctx: Context) -> Sequence[int] | None:
        parts = self.parts
        if self.wanted is None:
            places: Sequence[int] | None = choose(parts[0], table, columns, ctx) if table.rows else ()
            parts = parts[1:]
        else:
            places = columns[self.key].find(unpack(self.wanted(ctx)))
        if places is not None:
            for part in parts:
                if not places:
                    break
                places = narrow(part, places, columns, ctx)
        return places


def plan(compiler: Compiler, predicates: Sequence[Expr], rowwise: Rowwise) -> Plan | None:
    """How `predicates` of one step are to be run; None when they are no matter for indexes or columns.

    Raises XPathNameError.
    """
    key, wanted, rest = "", None, conjuncts(predicates[0])
    found = split(predicates[0])
    if found is not None:
        key, rest = found.key, found.rest
        wanted = compiler.scalar(compiler.compile(found.wanted))
    elif asks_position(predicates[0]) or not _is_truth(compiler.compile(predicates[0])):
        return None
    parts: list[Part] = []
    filters: list[Filter] = []
    for expr in rest:
        part = None if filters else condition(compiler, expr)
        if part is None:
            filters.append(rowwise(compiler, expr, True))
        else:
            parts.append(part)
    for predicate in predicates[1:]:
        part = None
        if not filters and not asks_position(predicate) and _is_truth(compiler.compile(predicate)):
            part = condition(compiler, predicate)
        if part is None:
            filters.append(rowwise(compiler, predicate, False))
        else:
            parts.append(part)
    if wanted is None and not parts:
        return None
    names = frozenset({key} if key else ()).union(*(part.columns for part in parts))
    return Plan(key, wanted, tuple(parts), tuple(filters), tuple(sorted(names)))


def _is_truth(compiled: Compiled) -> bool:
    """Whether a predicate is never a position."""
    return compiled.kind == "boolean"


def over_list(compiler: Compiler, row: str, predicates: Sequence[Expr], rowwise: Rowwise, plain: Filter) -> Filter:
    """A step `child::row[…]…` into a list; `plain` is the same step without indexes and columns."""
    made: list[Plan | None] = []

    def run(ctx: Context, parents: list[Node]) -> list[Node]:
        if not made:
            try:
                made.append(plan(compiler, predicates, rowwise))
            except XPathNameError:  # in a part that is never looked at: the plain filter was compiled
                made.append(None)
        how = made[0]
        if how is None or any(parent.live for parent in parents):
            return plain(ctx, parents)
        out: list[Node] = []
        try:
            for parent in parents:
                found = how.rows(table_of(parent, row), ctx)
                if found is None:
                    return plain(ctx, parents)
                out += found
        except EvaluationError:
            return plain(ctx, parents)
        return out

    return run
