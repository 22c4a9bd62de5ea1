"""Conditions over the columns of a list: worked out a column at a time instead of a row at a time.

`n < /data/limit and starts-with(name, /data/start)` looks at two columns and at two answers. Each answer is read once,
each operation runs over a list of texts or numbers (index.py keeps them), and a condition on one column whose texts
repeat runs over its different texts only. What is made here yields what the closures of compiler.py yield for each
row; it knows operators and the functions that look at nothing but their arguments, and says None to all else. It may
work out more than is needed: where something fails, the caller asks the plain filter, which knows what must fail.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.xpath import operators
from fieldsurvey.xforms.xpath.ast import OPERATORS, Binary, Chain, Expr, FunctionCall, Unary
from fieldsurvey.xforms.xpath.convert import TINY, equal, text_to_number, to_boolean, to_number, to_string, unpack
from fieldsurvey.xforms.xpath.functions import LIBRARY, Function, Special
from fieldsurvey.xforms.xpath.index import Column, Table
from fieldsurvey.xforms.xpath.outward import column_name, is_outward
from fieldsurvey.xforms.xpath.patterns import matches
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler

CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"string": to_string, "number": to_number, "boolean": to_boolean}
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
Values = list[Any]


class Rows:
    """What one run looks at: columns, the places in them that are still in question (None: all), and answers read."""

    __slots__ = ("columns", "ctx", "known", "places", "size")

    def __init__(
        self,
        ctx: Context,
        columns: Mapping[str, Column],
        size: int,
        places: Sequence[int] | None = None,
        known: dict[int, Any] | None = None,
    ) -> None:
        self.ctx = ctx
        self.columns = columns
        self.places = places
        self.size = size if places is None else len(places)
        self.known: dict[int, Any] = {} if known is None else known

    def texts(self, name: str) -> list[str]:
        """The texts of a column."""
        held = self.columns[name].texts
        return held if self.places is None else [held[place] for place in self.places]

    def numbers(self, name: str) -> list[float]:
        """The numbers of a column."""
        held = self.columns[name].numbers
        return held if self.places is None else [held[place] for place in self.places]

    def only(self, flags: Iterable[Any]) -> Rows:
        """The rows whose flag is set."""
        places = range(self.size) if self.places is None else self.places
        return Rows(self.ctx, self.columns, 0, list(compress(places, flags)), self.known)


@dataclass(frozen=True, slots=True)
class Part:
    """An expression over rows. `run` gives a value a row; `same` gives the one value that all rows have.

    `kind` is as in Compiled, "value" when it is known only at run time; `column` is the name when it is a bare column;
    `operands` are those of `or`.
    """

    kind: str
    run: Callable[[Rows], Values]
    columns: frozenset[str] = frozenset()
    same: Callable[[Rows], Any] | None = None
    column: str = ""
    operands: tuple[Part, ...] = ()

    def as_kind(self, kind: str) -> Part:
        """The same, converted."""
        if self.kind == kind:
            return self
        change = CONVERSIONS[kind]
        if self.same is not None:
            read = self.same
            return _same(kind, lambda rows: change(read(rows)))
        run = self.run
        if self.column and kind == "number":
            name = self.column
            return Part(kind, lambda rows: rows.numbers(name), self.columns)
        if self.kind == "string" and kind == "boolean":
            return Part(kind, lambda rows: [text != "" for text in run(rows)], self.columns)
        if self.kind == "string":
            change = text_to_number
        return Part(kind, lambda rows: list(map(change, run(rows))), self.columns)

    def each(self, rows: Rows) -> Iterable[Any]:
        """A value a row; the one value again and again."""
        return self.run(rows) if self.same is None else repeat(self.same(rows), rows.size)


def _same(kind: str, read: Callable[[Rows], Any]) -> Part:
    return Part(kind, lambda rows: [read(rows)] * rows.size, same=read)


def _names(parts: Iterable[Part]) -> frozenset[str]:
    return frozenset(chain.from_iterable(part.columns for part in parts))


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
        return None if operand is None else _mapped(operator.neg, "number", [operand.as_kind("number")])
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

    return _same(kind, read)


def _mapped(call: Callable[..., Any], kind: str, parts: Sequence[Part]) -> Part:
    return Part(kind, lambda rows: list(map(call, *[part.each(rows) for part in parts])), _names(parts))


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
        result = _mapped(call, kind, [result.as_kind("number"), part.as_kind("number")])
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

    return Part("boolean", run, _names(parts), operands=tuple(parts) if decides else ())


def _equality(op: str, left: Part, right: Part) -> Part:
    """`=` and `!=` as convert.equal has them."""
    same = op == "="
    if left.same is not None:
        left, right = right, left  # symmetric; not both are the same for every row
    if right.same is not None:
        return Part("boolean", _equal_to(left, right.same, same), left.columns)
    if left.kind == right.kind == "string":
        return _mapped(operator.eq if same else operator.ne, "boolean", [left, right])
    call = equal if same else lambda first, second: not equal(first, second)
    return _mapped(call, "boolean", [left, right])


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
    if call.name in _SPECIAL:
        return _SPECIAL[call.name](parts)
    function = found.plain if isinstance(found, Special) else found
    if function is None or not _usable(function, len(parts)):
        return None
    args = [
        part if function.kind_of(index) == "scalar" else part.as_kind(function.kind_of(index))
        for index, part in enumerate(parts)
    ]
    run = _IN_C.get(function.name, function.call)
    if not function.context:
        return _mapped(run, function.result, args)
    names = _names(args)
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


def _if(parts: Sequence[Part]) -> Part | None:
    """Both results are worked out, each for its own rows."""
    test, yes, no = parts[0].as_kind("boolean"), parts[1], parts[2]

    def run(rows: Rows) -> Values:
        flags = test.run(rows)
        first = iter(yes.each(rows.only(flags)))
        second = iter(no.each(rows.only(map(operator.not_, flags))))
        return [next(first) if flag else next(second) for flag in flags]

    return Part(yes.kind if yes.kind == no.kind else "value", run, _names(parts))


def _coalesce(parts: Sequence[Part]) -> Part | None:
    def first(*values: Any) -> Any:
        for value in values:
            if value != "" and value == value:  # noqa: PLR0124  NaN is blank
                return value
        return values[-1]

    return _mapped(first, "value", parts)


def _concat(parts: Sequence[Part]) -> Part | None:
    return _mapped(lambda *texts: "".join(texts), "string", [part.as_kind("string") for part in parts])


def _selected(parts: Sequence[Part]) -> Part | None:
    """The text that is the same for every row gets its blanks once."""
    chosen, wanted = (part.as_kind("string") for part in parts)
    names = _names(parts)
    if wanted.same is not None:
        needle = wanted.same

        def find(rows: Rows) -> Values:
            sought = f" {needle(rows).strip()} "
            return [sought in f" {text} " for text in chosen.run(rows)]

        return Part("boolean", find, names)

    def run(rows: Rows) -> Values:
        if chosen.same is not None:
            held = f" {chosen.same(rows)} "
            return [f" {text.strip()} " in held for text in wanted.run(rows)]
        pairs = zip(chosen.run(rows), wanted.run(rows), strict=True)
        return [f" {text.strip()} " in f" {held} " for held, text in pairs]

    return Part("boolean", run, names)


def _regex(parts: Sequence[Part]) -> Part | None:
    """What a pattern said of a text is kept until another pattern comes: matching costs a microsecond a text."""
    texts, pattern = (part.as_kind("string") for part in parts)
    held: dict[str, dict[str, bool]] = {}

    def run(rows: Rows) -> Values:
        if pattern.same is None:
            return list(map(matches, pattern.run(rows), texts.each(rows)))
        wanted = pattern.same(rows)
        known = held.get(wanted)
        if known is None:
            held.clear()
            known = held[wanted] = {}
        found = texts.run(rows)
        for text in set(found).difference(known):
            known[text] = matches(wanted, text)
        return [known[text] for text in found]

    return Part("boolean", run, _names(parts))


_SPECIAL: Mapping[str, Callable[[Sequence[Part]], Part | None]] = {
    "if": _if,
    "coalesce": _coalesce,
    "concat": _concat,
    "selected": _selected,
    "is-selected": _selected,
    "regex": _regex,
}
