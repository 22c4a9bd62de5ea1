"""What a constraint says about a good answer: bounds, lengths, counts, patterns, allowed values.

Read from the expression's tree; the other side of a comparison is worked out in the live interview, so that bounds by
other answers or by today's date are known too. It is a guess that saves tries: the engine decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.program.slots import SlotResolver
from fieldsurvey.xforms.xpath.ast import Binary, Chain, Expr, FunctionCall, Literal, Path
from fieldsurvey.xforms.xpath.compiler import compile_as
from fieldsurvey.xforms.xpath.convert import days
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.nodes import Value
from fieldsurvey.xforms.xpath.runtime import Context

_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(slots=True)
class Bounds:
    """Both ends included unless `open_low` or `open_high`."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def narrow(self, op: str, number: float) -> None:
        """Take a comparison into account."""
        if op in {">", ">=", "="} and (self.low is None or number >= self.low):
            self.low, self.open_low = number, op == ">"
        if op in {"<", "<=", "="} and (self.high is None or number <= self.high):
            self.high, self.open_high = number, op == "<"


@dataclass(slots=True)
class Limits:
    """What is known of a good answer."""

    value: Bounds = field(default_factory=Bounds)
    length: Bounds = field(default_factory=Bounds)
    count: Bounds = field(default_factory=Bounds)
    patterns: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class Reader:
    """Reads the constraint and the warning of one node."""

    def __init__(self, interview: LiveInterview, node: LiveNode) -> None:
        self.program = interview.state.program
        self.context = Context(node, interview.state.env, position=0)
        self.node = node
        self.limits = Limits()

    def read(self) -> Limits:
        """Everything known."""
        bind = self.node.d.bind
        for expression in (bind.constraint, bind.warning) if bind is not None else ():
            if expression is not None:
                self.conjunction(self.program.parsed(expression))
        return self.limits

    def conjunction(self, expr: Expr) -> None:
        """All parts of an `and`; of an `or`, the first that says something about the answer."""
        if isinstance(expr, Binary) and expr.op == "and":
            self.conjunction(expr.left)
            self.conjunction(expr.right)
        elif isinstance(expr, Chain) and all(op == "and" for op, _operand in expr.rest):
            for part in (expr.first, *(operand for _op, operand in expr.rest)):
                self.conjunction(part)
        elif isinstance(expr, Binary) and expr.op in _FLIP:
            self.comparison(expr.op, expr.left, expr.right)
        elif isinstance(expr, FunctionCall) and expr.name == "regex" and self.is_self(expr.args[0]):
            pattern = expr.args[1]
            if isinstance(pattern, Literal):
                self.limits.patterns.append(pattern.value)
        elif isinstance(expr, Binary) and expr.op == "or":
            self.either([expr.left, expr.right])
        elif isinstance(expr, Chain) and all(op == "or" for op, _operand in expr.rest):
            self.either([expr.first, *(operand for _op, operand in expr.rest)])

    def either(self, parts: list[Expr]) -> None:
        """Allowed values one by one (`. = 'a' or . = 'b'`), else the first part that is about the answer."""
        for part in parts:
            if isinstance(part, Binary) and part.op == "=" and self.is_self(part.left):
                value = self.worked_out(part.right)
                if isinstance(value, str | float):
                    self.limits.texts.append(value if isinstance(value, str) else f"{value:g}")
            else:
                self.conjunction(part)
                return

    def comparison(self, op: str, left: Expr, right: Expr) -> None:
        """`. op something`, either way round; also of a length or a count of choices."""
        if self.bounds_of(left) is None:
            left, right, op = right, left, _FLIP[op]
        bounds = self.bounds_of(left)
        if bounds is None or self.bounds_of(right) is not None:
            return
        value = self.worked_out(right)
        if isinstance(value, date):
            bounds.narrow(op, days(value))
        elif isinstance(value, float):
            bounds.narrow(op, value)
        elif isinstance(value, str) and value and op == "=":
            self.limits.texts.append(value)

    def bounds_of(self, expr: Expr) -> Bounds | None:
        """What an expression measures of the answer."""
        if self.is_self(expr):
            return self.limits.value
        if isinstance(expr, FunctionCall) and expr.args and self.is_self(expr.args[0]):
            if expr.name in {"number", "int", "decimal-date-time", "date"}:
                return self.limits.value
            if expr.name == "string-length":
                return self.limits.length
            if expr.name == "count-selected":
                return self.limits.count
        return None

    def is_self(self, expr: Expr) -> bool:
        """Whether an expression is the answer itself."""
        if not isinstance(expr, Path):
            return False
        resolver = SlotResolver(self.program.form.root, self.node.d, self.program.namespaces)
        found = resolver.references.resolve(expr)
        return found is not None and not found.missing and found.target is self.node.d

    def worked_out(self, expr: Expr) -> Value | None:
        """The value of the other side now."""
        resolver = SlotResolver(self.program.form.root, self.node.d, self.program.namespaces)
        try:
            run = compile_as(expr, "scalar", resolver, namespaces=self.program.namespaces)
            value: Value = run(self.context)
        except (EvaluationError, XPathNameError):
            return None
        if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN bounds nothing
            return None
        return value
