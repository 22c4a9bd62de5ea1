"""Answers that must fit together (pebbles that sum to 100, parts that are no more than a whole).

Where a constraint compares a number that is worked out from other answers, one of those answers is moved by what is
missing. The engine decides whether it then stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.live.datatypes import kind_of
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.live.validity import is_question, locked
from fieldsurvey.xforms.program.slots import SlotResolver, inside
from fieldsurvey.xforms.program.triggers import CALCULATE, reads_of
from fieldsurvey.xforms.xpath.ast import Binary, Expr, children
from fieldsurvey.xforms.xpath.compiler import compile_as
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.runtime import Context

_COMPARISONS = frozenset({"=", "<", "<=", ">", ">="})


def balanced(interview: LiveInterview, ref: str, rng: Random) -> Iterator[tuple[str, str]]:
    """(ref, text) of other answers worth trying so that the constraint at `ref` holds."""
    node = interview.refs.node(ref)
    bind = node.d.bind
    if bind is None or bind.constraint is None:
        return
    program = interview.state.program
    for comparison in _comparisons(program.parsed(bind.constraint)):
        left, right = (_number(interview, node, side) for side in (comparison.left, comparison.right))
        if left is None or right is None:
            continue
        yield from _moves(interview, node, comparison.left, missing=right - left, op=comparison.op, rng=rng)
        yield from _moves(interview, node, comparison.right, missing=left - right, op=_mirrored(comparison.op), rng=rng)


def _comparisons(expr: Expr) -> Iterator[Binary]:
    pending = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, Binary) and current.op in _COMPARISONS:
            yield current
        else:
            pending.extend(children(current))


def _mirrored(op: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)


def _number(interview: LiveInterview, node: LiveNode, expr: Expr) -> float | None:
    program = interview.state.program
    resolver = SlotResolver(program.form.root, node.d, program.namespaces)
    try:
        run = compile_as(expr, "number", resolver, namespaces=program.namespaces)
        value: float = run(Context(node, interview.state.env, position=0))
    except (EvaluationError, XPathNameError):
        return None
    return value if value == value else 0.0  # noqa: PLR0124  NaN: nothing was answered yet


def _moves(
    interview: LiveInterview, node: LiveNode, side: Expr, *, missing: float, op: str, rng: Random
) -> Iterator[tuple[str, str]]:
    """Move one of the answers behind `side` so that it changes by `missing`."""
    holds = {"=": missing == 0, "<": missing > 0, "<=": missing >= 0, ">": missing < 0, ">=": missing <= 0}[op]
    if holds:
        return
    if op == "<":
        missing -= 1
    elif op == ">":
        missing += 1
    answers = list(_answers(interview, node, side))
    rng.shuffle(answers)
    for answer in answers:
        held = float(answer.text) if answer.text and answer.raw is None else 0.0
        wanted = held + missing
        if wanted >= 0:
            yield answer.ref, f"{wanted:g}"
    for answer in answers:  # one alone cannot carry it: it takes a part, and the next round the rest
        held = float(answer.text) if answer.text and answer.raw is None else 0.0
        for part in (1.0, 2.0, 4.0, abs(missing)):
            if part <= abs(missing):
                yield answer.ref, f"{max(0.0, held + (part if missing > 0 else -part)):g}"


def _answers(interview: LiveInterview, node: LiveNode, expr: Expr) -> Iterator[LiveNode]:
    """The numeric questions that a value is worked out from, through calculations."""
    program = interview.state.program
    reads, _positions = reads_of(expr, program.form.root, node.d)
    pending = [read for read, _bound in reads]
    seen: set[NodeDef] = set()
    while pending:
        d = pending.pop()
        if d in seen or d is node.d:
            continue
        seen.add(d)
        trigger = program.by_target.get(d.index, {}).get(CALCULATE)
        if trigger is not None:
            pending.extend(read for read, _bound in trigger.reads)
        elif d.kind == "leaf" and kind_of(d) in {"integer", "decimal"}:
            for frame in inside(interview.state.root, d.frame.chain()[1:]):
                live = frame.node(d)
                if live.relevant and is_question(live) and not locked(live):
                    yield live
