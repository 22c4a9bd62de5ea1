"""The syntax tree of XPath 1.0 (https://www.w3.org/TR/1999/REC-xpath-19991116/) as forms use it: data only.

Every node carries `at`, the offset of its first character in the source text, which takes no part in equality.
`//`, `.`, `..` and `@` are already spelled out: `//x` is a step `descendant-or-self::node()` and a step `child::x`.
Operators of one precedence level that follow one another (`a + b - c`, `a or b or c`) are one flat `Chain`, so that
a form with a thousand summands is wide, not deep, and nothing that walks the tree runs out of stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Offset = int


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal; never negative (`-5` is Unary)."""

    value: float
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A string literal, without its quotes."""

    value: str
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; the grammar has it, forms cannot define one, so compiling one is an error."""

    name: str
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`name(args…)`; `name` is as written, prefix included: `jr:choice-name`."""

    name: str
    args: tuple[Expr, ...]
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-operand`."""

    operand: Expr
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """One operator and two operands. `op` is one of OPERATORS."""

    op: str
    left: Expr
    right: Expr
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Two or more operators of one precedence level, evaluated from the left: `first op expr op expr …`."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class NameTest:
    """`local`, `prefix:local`, `*` (local is "*") or `prefix:*`."""

    local: str
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`node()`, `text()`, `comment()`, `processing-instruction('target')`."""

    kind: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`axis::test[predicate]…`."""

    axis: str
    test: NameTest | TypeTest
    predicates: tuple[Expr, ...] = ()
    at: Offset = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """A location path, or a filter expression when `start` is given.

    - `/a/b`: absolute, no start; `/` alone has no steps.
    - `a/b`, `../x`, `.`: relative, no start.
    - `instance('x')/root/item`, `(a | b)[1]/c`: start is the expression, `start_predicates` are its own predicates.
    """

    absolute: bool
    steps: tuple[Step, ...]
    start: Expr | None = None
    start_predicates: tuple[Expr, ...] = ()
    at: Offset = field(default=0, compare=False)


Expr = Number | Literal | Variable | FunctionCall | Unary | Binary | Chain | Path

OPERATORS = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "div": 6,
    "mod": 6,
    "|": 8,
}
"""Operator -> precedence (unary minus is 7)."""

AXES = frozenset(
    {
        "ancestor",
        "ancestor-or-self",
        "attribute",
        "child",
        "descendant",
        "descendant-or-self",
        "following",
        "following-sibling",
        "namespace",
        "parent",
        "preceding",
        "preceding-sibling",
        "self",
    }
)
NODE_TYPES = frozenset({"node", "text", "comment", "processing-instruction"})


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `expr`, predicates included, in source order."""
    if isinstance(expr, Path):
        inner = [] if expr.start is None else [expr.start]
        inner.extend(expr.start_predicates)
        for step in expr.steps:
            inner.extend(step.predicates)
        return tuple(inner)
    if isinstance(expr, FunctionCall):
        return expr.args
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Chain):
        return (expr.first, *(operand for _, operand in expr.rest))
    if isinstance(expr, Unary):
        return (expr.operand,)
    return ()


def _literal(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _number(value: float) -> str:
    text = f"{value:.340f}".rstrip("0").rstrip(".") if value < 1 else repr(value)
    return f"{value:.0f}" if "e" in text else text.removesuffix(".0")


def _step(step: Step) -> str:
    if isinstance(step.test, TypeTest):
        target = "" if step.test.target is None else _literal(step.test.target)
        test = f"{step.test.kind}({target})"
    else:
        test = f"{step.test.prefix}:{step.test.local}" if step.test.prefix else step.test.local
    return f"{step.axis}::{test}" + "".join(f"[{render(p)}]" for p in step.predicates)


def _operand(expr: Expr) -> str:
    text = render(expr)
    return f"({text})" if isinstance(expr, Binary | Chain | Unary) else text


def render(expr: Expr) -> str:
    """`expr` as unabbreviated XPath that parses to an equal tree."""
    if isinstance(expr, Number):
        return _number(expr.value)
    if isinstance(expr, Literal):
        return _literal(expr.value)
    if isinstance(expr, Variable):
        return f"${expr.name}"
    if isinstance(expr, FunctionCall):
        return f"{expr.name}({', '.join(render(a) for a in expr.args)})"
    if isinstance(expr, Unary):
        return f"-{_operand(expr.operand)}"
    if isinstance(expr, Binary):
        return f"{_operand(expr.left)} {expr.op} {_operand(expr.right)}"
    if isinstance(expr, Chain):
        return _operand(expr.first) + "".join(f" {op} {_operand(e)}" for op, e in expr.rest)
    steps = "/".join(_step(s) for s in expr.steps)
    if expr.start is None:
        return f"/{steps}" if expr.absolute else steps
    start = render(expr.start)
    if not isinstance(expr.start, FunctionCall | Number | Literal | Variable):
        start = f"({start})"
    start += "".join(f"[{render(p)}]" for p in expr.start_predicates)
    return f"{start}/{steps}" if steps else start
