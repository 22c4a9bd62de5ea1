"""Conditions in words, for people without a computer: `${age} >= 18` is "question 3 is at least 18".

What has no words here is shown as it is written, with the numbers of questions in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fieldsurvey.base.i18n import n_
from fieldsurvey.xforms.check.trees import negated, operands
from fieldsurvey.xforms.check.wording import written
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.paper.plan import Plan
from fieldsurvey.xforms.program.references import References
from fieldsurvey.xforms.xpath.ast import Binary, Chain, Expr, FunctionCall, Literal, Number, Path, Unary

COMPARED = {
    "=": n_("{left} is {right}"),
    "!=": n_("{left} is not {right}"),
    "<": n_("{left} is less than {right}"),
    "<=": n_("{left} is at most {right}"),
    ">": n_("{left} is more than {right}"),
    ">=": n_("{left} is at least {right}"),
}
MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
SINGLE = {"{left} includes {right}": COMPARED["="], "{left} does not include {right}": COMPARED["!="]}
"""Where only one choice can be made."""
SIGNS = {"+": "+", "-": "−", "*": "×", "div": "÷"}
ALWAYS = frozenset({"true()", "true", "1"})
MOST = 700
"""Longer phrases help nobody."""
_NAME = re.compile(r"\$\{([\w.-]+)\}|(?<![\w/.'\"])(?:/|(?:\.\./)+)(?:[\w.-]+/)*([\w.-]+)(?![\w/(\[])")
"""A question as a workbook names it, or a path of an XForm."""
LabelOf = Callable[[NodeDef, str], str]


class NoWordsError(Exception):
    """An expression that has no words here; never leaves this module."""


class Phrases:
    """Words for expressions in one language. `label_of` gives the label of a choice of a question."""

    def __init__(self, plan: Plan, say: Callable[[str], str], label_of: LabelOf) -> None:
        self.plan = plan
        self._ = say
        self.label_of = label_of

    def condition(self, expression: Expression) -> str:
        """When it is true."""
        return self._worded(expression, self._truth)

    def value(self, expression: Expression) -> str:
        """What it is."""
        return self._worded(expression, self._operand)

    def output(self, expression: Expression) -> str:
        """A blank to be filled in while reading aloud."""
        tree = self.plan.form.program.parsed(expression)
        found = self._node(tree, expression.context) if isinstance(tree, Path) else None
        return f"……… ({self._reference(found)})" if found is not None else "………"

    def _worded(self, expression: Expression, word: Callable[[Expr, NodeDef | None], str]) -> str:
        try:
            text = word(self.plan.form.program.parsed(expression), expression.context)
        except NoWordsError:
            return self._as_written(expression)
        return text if len(text) <= MOST else self._as_written(expression)

    def _as_written(self, expression: Expression) -> str:
        names: dict[str, NodeDef] = {}
        for node in self.plan.form.nodes:
            names.setdefault(node.name, node)

        def named(match: re.Match[str]) -> str:
            node = names.get(match[1] or match[2])
            return f"[{self._reference(node)}]" if node is not None else match[0]

        return _NAME.sub(named, written(expression, MOST))

    # -- conditions --------------------------------------------------------------------------------------------------

    def _truth(self, expr: Expr, here: NodeDef | None) -> str:
        parts, joint = operands(expr)
        if parts:
            word = f" {self._(n_('and'))} " if joint == "and" else f" {self._(n_('or'))} "
            return word.join(self._part(part, here) for part in parts)
        denied = negated(expr)
        if denied is not None:
            return self._denied(denied, here)
        if isinstance(expr, Binary) and expr.op in COMPARED:
            return self._compared(expr, here)
        if isinstance(expr, Chain) and expr.rest[0][0] in COMPARED and len(expr.rest) == 1:
            op, right = expr.rest[0]
            return self._compared(Binary(op, expr.first, right), here)
        if isinstance(expr, FunctionCall):
            return self._asked(expr, here)
        raise NoWordsError

    def _part(self, expr: Expr, here: NodeDef | None) -> str:
        text = self._truth(expr, here)
        return f"({text})" if operands(expr)[0] else text

    def _denied(self, expr: Expr, here: NodeDef | None) -> str:
        if isinstance(expr, FunctionCall) and expr.name == "selected":
            return self._selected(expr, here, n_("{left} does not include {right}"), n_("{left} is none of {right}"))
        return self._(n_("it is not so that ({condition})")).format(condition=self._truth(expr, here))

    def _asked(self, call: FunctionCall, here: NodeDef | None) -> str:
        if call.name == "selected" and len(call.args) == 2:
            return self._selected(call, here, n_("{left} includes {right}"), n_("{left} is one of {right}"))
        if call.name in {"boolean", "boolean-from-string"} and len(call.args) == 1:
            return self._truth(call.args[0], here)
        if call.name == "true" and not call.args:
            return self._(n_("always"))
        if call.name == "false" and not call.args:
            return self._(n_("never"))
        raise NoWordsError

    def _selected(self, call: FunctionCall, here: NodeDef | None, includes: str, one_of: str) -> str:
        where, what = call.args
        if isinstance(where, Literal) and isinstance(what, Path):
            node = self._node(what, here)
            left = self._operand(what, here)
            return self._(one_of).format(left=left, right=", ".join(self._choice(node, v) for v in where.value.split()))
        node = self._node(where, here) if isinstance(where, Path) else None
        left = self._operand(where, here)
        if isinstance(what, Literal):
            single = node is not None and node.control is not None and node.control.kind == "select1"
            text = SINGLE.get(includes, includes) if single else includes
            return self._(text).format(left=left, right=self._choice(node, what.value))
        return self._(includes).format(left=left, right=self._operand(what, here))

    def _compared(self, expr: Binary, here: NodeDef | None) -> str:
        left, op, right = expr.left, expr.op, expr.right
        if isinstance(left, Literal | Number) and not isinstance(right, Literal | Number):
            left, op, right = right, MIRRORED[op], left
        if isinstance(right, Literal) and not right.value and op in {"=", "!="}:
            text = n_("{left} has no answer") if op == "=" else n_("{left} was answered")
            return self._(text).format(left=self._operand(left, here))
        node = self._node(left, here) if isinstance(left, Path) else None
        shown = self._choice(node, right.value) if isinstance(right, Literal) else self._operand(right, here)
        return self._(COMPARED[op]).format(left=self._operand(left, here), right=shown)

    # -- values ------------------------------------------------------------------------------------------------------

    def _operand(self, expr: Expr, here: NodeDef | None) -> str:
        if isinstance(expr, Number):
            return f"{expr.value:g}" if abs(expr.value) < 1e6 else repr(expr.value).removesuffix(".0")
        if isinstance(expr, Literal):
            return f"“{expr.value}”"
        if isinstance(expr, Unary) and isinstance(expr.operand, Number):
            return f"−{self._operand(expr.operand, here)}"
        if isinstance(expr, Path):
            node = self._node(expr, here)
            if node is None:
                raise NoWordsError
            return self._(n_("the answer")) if node is here and not expr.absolute else self._reference(node)
        if isinstance(expr, FunctionCall):
            return self._call(expr, here)
        if isinstance(expr, Binary | Chain):
            return self._reckoned(expr, here)
        raise NoWordsError

    def _reckoned(self, expr: Binary | Chain, here: NodeDef | None) -> str:
        rest = ((expr.op, expr.right),) if isinstance(expr, Binary) else expr.rest
        first = expr.left if isinstance(expr, Binary) else expr.first
        if any(op not in SIGNS for op, _right in rest):
            raise NoWordsError
        return self._term(first, here) + "".join(f" {SIGNS[op]} {self._term(right, here)}" for op, right in rest)

    def _term(self, expr: Expr, here: NodeDef | None) -> str:
        text = self._operand(expr, here)
        open_ended = isinstance(expr, Binary | Chain) or (isinstance(expr, FunctionCall) and expr.name == "if")
        return f"({text})" if open_ended else text

    def _call(self, call: FunctionCall, here: NodeDef | None) -> str:
        args = call.args
        if call.name in {"number", "string", "int", "once", "decimal-date-time"} and len(args) == 1:
            return self._operand(args[0], here)
        if call.name == "coalesce" and len(args) == 2:
            return self._(n_("{value} (if blank: {other})")).format(
                value=self._operand(args[0], here), other=self._operand(args[1], here)
            )
        if call.name in {"date", "date-time"} and len(args) == 1 and isinstance(args[0], Literal):
            return args[0].value
        if call.name == "if" and len(args) == 3:
            return self._(n_("{yes} if {condition}, otherwise {no}")).format(
                condition=self._truth(args[0], here), yes=self._operand(args[1], here), no=self._operand(args[2], here)
            )
        if call.name == "substr" and len(args) == 3 and isinstance(args[1], Number) and isinstance(args[2], Number):
            return self._(n_("characters {first} to {last} of {value}")).format(
                first=f"{args[1].value + 1:g}", last=f"{args[2].value:g}", value=self._operand(args[0], here)
            )
        if call.name == "sum" and len(args) == 1:
            return self._(n_("the sum of {value}")).format(value=self._operand(args[0], here))
        if call.name == "count-selected" and len(args) == 1:
            return self._(n_("the number of choices in {value}")).format(value=self._operand(args[0], here))
        if call.name == "string-length" and len(args) <= 1:
            inner = self._operand(args[0], here) if args else self._(n_("the answer"))
            return self._(n_("the number of characters in {value}")).format(value=inner)
        if call.name == "count" and len(args) == 1 and isinstance(args[0], Path):
            return self._(n_("how many there are of {value}")).format(value=self._operand(args[0], here))
        if call.name == "position" and len(args) <= 1:
            return self._(n_("the number of this copy"))
        if call.name in {"today", "now"} and not args:
            return self._(n_("today")) if call.name == "today" else self._(n_("the time now"))
        raise NoWordsError

    # -- references --------------------------------------------------------------------------------------------------

    def _node(self, expr: Expr, here: NodeDef | None) -> NodeDef | None:
        if not isinstance(expr, Path):
            return None
        found = References(self.plan.form.definition.root, here).resolve(expr)
        return None if found is None or found.missing or found.predicates else found.target

    def _reference(self, node: NodeDef) -> str:
        number = self.plan.numbers.get(node.index)
        if number is not None:
            return self._(n_("question {number}")).format(number=number)
        if node.kind != "leaf":
            return f"“{node.name}”"
        return self._(n_("value {number}")).format(number=self.plan.value_of(node))

    def _choice(self, node: NodeDef | None, value: str) -> str:
        label = self.label_of(node, value) if node is not None else ""
        return f"“{label or value}”"


def reasons(node: NodeDef) -> Iterator[tuple[str, Expression]]:
    """The conditions of a node that a person must know: (which, expression)."""
    bind = node.bind
    if bind is None:
        return
    for name, expression in (
        ("relevant", bind.relevant),
        ("required", bind.required),
        ("constraint", bind.constraint),
        ("warning", bind.warning),
    ):
        if expression is not None and expression.source not in ALWAYS:
            yield name, expression
