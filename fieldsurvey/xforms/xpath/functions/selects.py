"""Choices: selects hold the chosen values with a space between them. Also checklists and counts of filled nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.convert import to_boolean, to_number
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.functions.numbers import whole
from fieldsurvey.xforms.xpath.functions.registry import function, special
from fieldsurvey.xforms.xpath.functions.strings import each
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler


def _selected(compiler: Compiler, call: FunctionCall) -> Compiled:
    """`selected(choices, choice)`: whether the choice is among them; white space around it does not count."""
    parts = [compiler.compile(arg) for arg in call.args]
    chosen = compiler.convert(parts[0], "string")
    wanted = compiler.convert(parts[1], "string")
    if parts[1].constant:
        needle = f" {wanted(None).strip()} "  # type: ignore[arg-type]  # a constant does not look at its context

        def run_fixed(ctx: Context) -> bool:
            return needle in f" {chosen(ctx)} "

        return compiler.fold(Compiled("boolean", run_fixed), parts)

    def run(ctx: Context) -> bool:
        return f" {wanted(ctx).strip()} " in f" {chosen(ctx)} "

    return Compiled("boolean", run)


special("selected", 2, 2)(_selected)
special("is-selected", 2, 2)(_selected)


def _choices(text: str) -> list[str]:
    return [choice for choice in text.split(" ") if choice]


@function("count-selected", "string -> number")
def count_selected(chosen: str) -> float:
    """How many choices."""
    return float(len(_choices(chosen)))


@function("selected-at", "string, number -> string")
def selected_at(chosen: str, index: float) -> str:
    """The choice at `index`, counted from 0, a blank index being 0; "" outside."""
    choices, place = _choices(chosen), whole(index)
    return choices[place] if 0 <= place < len(choices) else ""


@function("count-non-empty", "nodes -> number")
def count_non_empty(nodes: list[Node]) -> float:
    """How many of the nodes hold something: a value, or nodes inside."""
    return float(sum(1 for node in nodes if node.children or node.value() != ""))


def _truths(values: tuple[Value, ...]) -> list[bool]:
    return [truth for value in values for truth in each(value, to_boolean)]


@function("checklist", "number, number, value* -> boolean")
def checklist(least: float, most: float, *factors: Value) -> bool:
    """Whether at least and at most so many factors are true; -1 means no limit."""
    count, low, high = sum(_truths(factors)), whole(least), whole(most)
    return (low < 0 or count >= low) and (high < 0 or count <= high)


@function("weighted-checklist", "number, number, value* -> boolean")
def weighted_checklist(least: float, most: float, *pairs: Value) -> bool:
    """Whether the weights of the true factors sum up to between the two; factors and weights alternate."""
    if len(pairs) % 2:
        raise EvaluationError(_("weighted-checklist() needs a weight for every factor"))
    factors = _truths(pairs[::2])
    weights = [weight for value in pairs[1::2] for weight in each(value, to_number)]
    if len(factors) != len(weights):
        raise EvaluationError(_("weighted-checklist() needs a weight for every factor"))
    total: float = sum(weight for factor, weight in zip(factors, weights, strict=True) if factor)
    return least <= total <= most


@function("boolean-from-string", "string -> boolean")
def boolean_from_string(text: str) -> bool:
    """True for "true" in any case, and for "1"."""
    return text == "1" or text.lower() == "true"
