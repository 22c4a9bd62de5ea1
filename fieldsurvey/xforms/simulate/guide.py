"""Steers a simulated interview towards a branch: answers that the solver found, and answers meant to break a rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from fieldsurvey.xforms.check.possible import Possible, plain
from fieldsurvey.xforms.contract import Change, Question
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate.branches import Branches
from fieldsurvey.xforms.simulate.limits import Bounds, Reader
from fieldsurvey.xforms.simulate.patterns import sample
from fieldsurvey.xforms.xpath.ast import FunctionCall, Literal, Number, children
from fieldsurvey.xforms.xpath.convert import number_to_text, to_string

_EPOCH = date(1970, 1, 1)
PROBES = 30
VISITS = 6
"""How often a rule that was never broken is probed, counted in visits to its question."""
FRESH = 0.5
"""How often a choice that nobody took yet is taken where nothing is planned."""
FAR = 1_000_000.0


class Guide:
    """What a respondent asks: which answers to try first, what to leave blank, what to try and take back."""

    def __init__(self, branches: Branches, plan: Mapping[int, Possible], probed: dict[int, int]) -> None:
        self.branches = branches
        self.plan = plan
        self.probed = probed

    def saw(self, interview: LiveInterview, changes: list[Change]) -> None:
        """After each answer."""
        self.branches.saw(interview, changes)

    def blank(self, d: NodeDef) -> bool:
        """Whether the plan needs the question unanswered."""
        possible = self.plan.get(d.index)
        return possible is not None and possible.values == frozenset({""})

    def wanted(self, d: NodeDef, question: Question, rng: Random) -> Iterator[str]:
        """Texts to try first: the plan's, else a choice that nobody took yet."""
        possible = self.plan.get(d.index)
        if possible is not None:
            yield from planned(possible, question, rng)
        elif rng.random() < FRESH:
            fresh = [
                choice.value
                for choice in question.choices
                if (branch := self.branches.choices.get((d.index, choice.value))) is not None and not branch.taken
            ]
            if fresh:
                yield rng.choice(fresh)

    def probes(self, interview: LiveInterview, d: NodeDef, question: Question) -> Iterator[str]:
        """Texts meant to break the rules of the question, while no answer ever did."""
        broken = [self.branches.by.get((kind, d.index, False)) for kind in ("constraint", "warning")]
        waiting = [branch for branch in broken if branch is not None and not branch.taken]
        if not waiting or self.probed.get(d.index, 0) >= VISITS:
            return
        self.probed[d.index] = self.probed.get(d.index, 0) + 1
        for number, text in enumerate(dict.fromkeys(breakers(interview, question))):
            if number >= PROBES or all(branch.taken for branch in waiting):
                return
            yield text


def planned(possible: Possible, question: Question, rng: Random) -> Iterator[str]:
    """Texts within what is known of an answer."""
    offered = {choice.value for choice in question.choices}
    if possible.values is not None:
        texts = sorted(to_string(plain(value)) for value in possible.values if value != "")
        fitting = [text for text in texts if not offered or text in offered]
        yield from rng.sample(fitting, min(len(fitting), 8))
    elif possible.tokens is not None:
        must = sorted(possible.must)
        rest = sorted((possible.tokens & offered if offered else possible.tokens) - possible.must)
        if must:
            yield " ".join(must)
        for _again in range(3):
            yield " ".join([*must, *rng.sample(rest, min(len(rest), 1 + (not must)))])
    elif possible.low > -math.inf or possible.high < math.inf:
        for number in _within(possible, rng):
            yield _as(question.type, number)


def _within(possible: Possible, rng: Random) -> Iterator[float]:
    low = max(possible.low, -FAR) if possible.high == math.inf or possible.low > -FAR else possible.high - 20
    low = possible.low if possible.low > FAR else low
    high = min(possible.high, low + 20) if possible.low > -FAR or possible.high == math.inf else possible.high
    low, high = min(low, high), max(low, high)
    whole_low, whole_high = math.ceil(low), math.floor(high)
    for _again in range(3):
        if whole_low <= whole_high:
            yield float(rng.randint(whole_low, whole_high))
        elif not possible.whole:
            yield low + (high - low) * rng.random()
    if math.isfinite(possible.high):
        yield possible.high


def _as(kind: str, number: float) -> str:
    if kind in {"date", "dateTime"}:
        day = (_EPOCH + timedelta(days=max(-700_000, min(int(number), 2_900_000)))).isoformat()
        return day if kind == "date" else f"{day}T12:00:00.000Z"
    return number_to_text(number)


def breakers(interview: LiveInterview, question: Question) -> Iterator[str]:
    """Answers beyond what the rules of a question say, then unlikely ones of its type."""
    limits = Reader(interview, interview.refs.node(question.ref)).read()
    for number in _beyond(limits.value):
        yield _as(question.type, number)
    yield from _literals(interview, question)
    values = [choice.value for choice in question.choices if choice.value]
    if question.type == "select":
        yield from values
        return
    if question.type in {"selectMultiple", "rank"}:
        yield " ".join(values)
        yield from values[:10]
        yield from (f"{one} {other}" for one in values[:6] for other in values[-6:] if one != other)
        return
    for number in _beyond(limits.length):
        yield "x" * max(1, min(int(number), 2000))
    if question.type in {"integer", "decimal", "range"}:
        yield from ("-1", "0", "999999", "-999999")
    elif question.type == "date":
        yield from ("1900-01-01", "2100-12-31")
    elif question.type == "dateTime":
        yield from ("1900-01-01T00:00:00.000Z", "2100-12-31T00:00:00.000Z")
    elif question.type == "text":
        yield from ("?", "x", "0", "a b", "-1", "99999")


def _literals(interview: LiveInterview, question: Question) -> Iterator[str]:
    """Texts and numbers that the rules name, and texts like their patterns."""
    bind = interview.refs.node(question.ref).d.bind
    pending = [
        interview.state.program.parsed(rule)
        for rule in ((bind.constraint, bind.warning) if bind is not None else ())
        if rule is not None
    ]
    while pending:
        expr = pending.pop()
        if isinstance(expr, FunctionCall) and expr.name == "regex" and isinstance(expr.args[1], Literal):
            text = sample(expr.args[1].value, Random(question.name))  # noqa: S311  simulation, no secret
            if text:
                yield text
            continue
        if isinstance(expr, Literal) and expr.value:
            yield expr.value
        elif isinstance(expr, Number):
            yield from (number_to_text(expr.value + step) for step in (-1, 0, 1))
        pending.extend(children(expr))


def _beyond(bounds: Bounds) -> Iterator[float]:
    for bound, step in ((bounds.low, -1), (bounds.high, 1)):
        if bound is not None and math.isfinite(bound):
            yield math.floor(bound) + step
            yield bound
            yield math.floor(bound) + 100 * step
