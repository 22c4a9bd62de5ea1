"""Conditions over the columns of a list: worked out a column at a time instead of a row at a time.

`n < /data/limit and starts-with(name, /data/start)` looks at two columns and at two answers. Each answer is read once,
each operation runs over a list of texts or numbers (index.py keeps them), and a condition on one column whose texts
repeat runs over its different texts only. What is made here yields what the closures of compiler.py yield for each
row; it knows operators and the functions that look at nothing but their arguments, and says None to all else. It may
work out more than is needed: where something fails, the caller asks the plain filter, which knows what must fail.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.xpath import operators
from fieldsurvey.xforms.xpath.ast import OPERATORS, Binary, Chain, Expr, FunctionCall, Unary
from fieldsurvey.xforms.xpath.convert import TINY, equal, unpack
from fieldsurvey.xforms.xpath.functions import LIBRARY, Function, Special
from fieldsurvey.xforms.xpath.index import Column, Table
from fieldsurvey.xforms.xpath.outward import column_name, is_outward
from fieldsurvey.xforms.xpath.parts import CONVERSIONS, SPECIAL, Part, Rows, Values, columns_of, mapped, same_for_all
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler

OF_THE_WORLD = frozenset(
    {"date", "date-time", "decimal-date-time", "decimal-time", "format-date", "format-date-time", "pulldata"}
)
"""Functions that ask the environment, and nothing of the context node."""
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_IN_C: Mapping[str, Callable[..., bool]] = {
    "starts-with": str.startswith,
    "ends-with": str.endswith,
    "contains": operator.contains,
}
"""What a function of the library does, without a call of Python's for each row."""


def condition(compiler: Compiler, expr: Expr) -> Part | None:
    """`expr` as truths over rows; None when it is not about columns alone.

    `compiler` compiles what does not look at the row. Raises XPathNameError as it does.
    """
    part = _part(compiler, expr)
    return None if part is None else part.as_kind("boolean")


def choose(part: Part, table: Table, columns: Mapping[str, Column], ctx: Context) -> Sequence[int]:
    """The places of the rows for which a condition holds. Raises EvaluationError as the condition does."""
    size = len(table.rows)
    if part.operands and len(part.columns) > 1:
        return sorted(set(chain.from_iterable(choose(operand, table, columns, ctx) for operand in part.operands)))
    if part.same is None and len(part.columns) == 1:
        (name,) = part.columns
        if columns[name].repeating:
            places = columns[name].places
            unique = Rows(ctx, {name: Column(list(places))}, len(places))
            return _spread(columns[name], part.run(unique), size)
    rows = Rows(ctx, columns, size)
    return list(compress(range(size), part.each(rows)))


def _spread(column: Column, flags: Values, size: int) -> Sequence[int]:
    """The places of the texts whose flag is set."""
    hits = list(compress(column.places.values(), flags))
    if sum(map(len, hits)) * 16 < size:
        return sorted(chain.from_iterable(hits))
    wanted = set(compress(column.places, flags))
    return list(compress(range(size), map(wanted.__contains__, column.texts)))


def narrow(part: Part, places: Sequence[int], columns: Mapping[str, Column], ctx: Context) -> Sequence[int]:
    """Those of the places for which a condition holds."""
    return list(compress(places, part.each(Rows(ctx, columns, 0, places))))


# -- expressions -------------------------------------------------------------------------------------------------------


def _part(compiler: Compiler, expr: Expr) -> Part | None:
    if is_outward(expr):
        return _outward(compiler, expr)
    name = column_name(expr)
    if name is not None:
        return Part("string", lambda rows: rows.texts(name), frozenset({name}), column=name)
    if isinstance(expr, Binary):
        return _operation(compiler, expr.left, ((expr.op, expr.right),))
    if isinstance(expr, Chain):
        return _operation(compiler, expr.first, expr.rest)
    if isinstance(expr, Unary):
        operand = _part(compiler, expr.operand)
        return None if operand is None else mapped(operator.neg, "number", [operand.as_kind("number")])
    if isinstance(expr, FunctionCall):
        return _call(compiler, expr)
    return None


def _outward(compiler: Compiler, expr: Expr) -> Part:
    """What means the same for every row: read once a run, when it is first asked for."""
    compiled = compiler.compile(expr)
    scalar = compiler.scalar(compiled)
    kind = compiled.kind if compiled.kind in CONVERSIONS else "value"
    key = id(scalar)

    def read(rows: Rows) -> Any:
        if key not in rows.known:
            rows.known[key] = unpack(scalar(rows.ctx))
        return rows.known[key]

    return same_for_all(kind, read)


def _operation(compiler: Compiler, first: Expr, rest: Sequence[tuple[str, Expr]]) -> Part | None:
    """Operators of one level, from the left."""
    parts: list[Part] = []
    for operand in (first, *(operand for _op, operand in rest)):
        part = _part(compiler, operand)
        if part is None:
            return None
        parts.append(part)
    op = rest[0][0]
    if op in {"and", "or"}:
        return _logic(op, [part.as_kind("boolean") for part in parts])
    result = parts[0]
    for (op, _operand), part in zip(rest, parts[1:], strict=True):
        if op == "|":
            return None
        if op in {"=", "!="}:
            result = _equality(op, result, part)
            continue
        call = operators.FUNCTIONS[op] if OPERATORS[op] >= OPERATORS["+"] else _COMPARE[op]
        kind = "number" if op in operators.FUNCTIONS else "boolean"
        result = mapped(call, kind, [result.as_kind("number"), part.as_kind("number")])
    return result


def _logic(op: str, parts: Sequence[Part]) -> Part:
    """`and` and `or`: each operand is asked only about the rows that the ones before it left open."""
    decides = op == "or"

    def run(rows: Rows) -> Values:
        flags: Values = [not decides] * rows.size
        places: Sequence[int] = range(rows.size)
        left = rows
        for part in parts:
            found = part.run(left)
            for place, flag in zip(places, found, strict=True):
                if flag is decides:
                    flags[place] = decides
            still = list(map(operator.is_not, found, repeat(decides)))
            places = list(compress(places, still))
            if not places:
                break
            left = left.only(still)
        return flags

    return Part("boolean", run, columns_of(parts), operands=tuple(parts) if decides else ())


def _equality(op: str, left: Part, right: Part) -> Part:
    """`=` and `!=` as convert.equal has them."""
    same = op == "="
    if left.same is not None:
        left, right = right, left  # symmetric; not both are the same for every row
    if right.same is not None:
        return Part("boolean", _equal_to(left, right.same, same), left.columns)
    if left.kind == right.kind == "string":
        return mapped(operator.eq if same else operator.ne, "boolean", [left, right])
    call = equal if same else lambda first, second: not equal(first, second)
    return mapped(call, "boolean", [left, right])


def _equal_to(part: Part, read: Callable[[Rows], Any], same: bool) -> Callable[[Rows], Values]:
    numbers = part.as_kind("number").run

    def run(rows: Rows) -> Values:
        wanted = read(rows)
        if part.kind == "string" and type(wanted) is str:
            call = operator.eq if same else operator.ne
            return list(map(call, part.run(rows), repeat(wanted)))
        if part.kind in {"string", "number"} and type(wanted) is float:
            return [(number == wanted or abs(number - wanted) < TINY) is same for number in numbers(rows)]
        return [equal(value, wanted) is same for value in part.run(rows)]

    return run


# -- calls -------------------------------------------------------------------------------------------------------------


def _call(compiler: Compiler, call: FunctionCall) -> Part | None:
    parts: list[Part] = []
    for arg in call.args:
        part = _part(compiler, arg)
        if part is None:
            return None
        parts.append(part)
    found = LIBRARY.get(call.name)
    if found is None or len(parts) < found.least or (found.most is not None and len(parts) > found.most):
        return None
    if call.name in SPECIAL:
        return SPECIAL[call.name](parts)
    function = found.plain if isinstance(found, Special) else found
    if function is None or not _usable(function, len(parts)):
        return None
    args = [
        part if function.kind_of(index) == "scalar" else part.as_kind(function.kind_of(index))
        for index, part in enumerate(parts)
    ]
    run = _IN_C.get(function.name, function.call)
    if not function.context:
        return mapped(run, function.result, args)
    names = columns_of(args)
    return Part(
        function.result, lambda rows: list(map(partial(run, rows.ctx), *[arg.each(rows) for arg in args])), names
    )


def _usable(function: Function, count: int) -> bool:
    """Whether the function gets texts, numbers and truths, and looks at nothing else."""
    if not count:
        return False
    if not function.pure and function.name not in OF_THE_WORLD:
        return False
    return not {"nodes", "value"} & {function.kind_of(index) for index in range(count)} and function.result != "nodes"
