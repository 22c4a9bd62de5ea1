"""Answers an interview from beginning to end, as a plausible respondent would, until nothing blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from fieldsurvey.xforms.contract import Change, End, Group, Question, Repeat, ViolationKind
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.errors import NoSuchRefError, NotAnswerableError
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate.balance import balanced
from fieldsurvey.xforms.simulate.candidates import candidates

Prefer = Callable[[Question, LiveInterview], str | Mapping[str, float] | None]
"""What a caller would rather have answered: a text, weights by value, or None for no wish."""

_POSITION = re.compile(r"\[\d+\]")
MAX_PAGES = 20_000
ROUNDS = 6
BALANCES = 12
SKIPPED = 0.04
"""How often a question that need not be answered is passed over."""


@dataclass(slots=True)
class Simulated:
    """How it went. `ready` says that nothing blocks; `stuck` lists refs for which no answer was found."""

    ready: bool = False
    answered: int = 0
    pages: int = 0
    stuck: list[str] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


class Steers(Protocol):
    """Who steers an interview towards something; see simulate/guide.py."""

    def saw(self, interview: LiveInterview, changes: list[Change]) -> None:
        """After each answer."""
        ...

    def blank(self, d: NodeDef) -> bool:
        """Whether the question must stay unanswered."""
        ...

    def wanted(self, d: NodeDef, question: Question, rng: Random) -> Iterator[str]:
        """Texts to try first."""
        ...

    def probes(self, interview: LiveInterview, d: NodeDef, question: Question) -> Iterator[str]:
        """Texts to try and take back, before the question is answered."""
        ...


def simulate_interview(
    interview: LiveInterview,
    rng: Random,
    prefer: Prefer | None = None,
    *,
    most_repeats: int = 3,
    guide: Steers | None = None,
) -> Simulated:
    """Go from where the interview is to its end and answer everything on the way; it does not finalise.

    `interview` may be anything that has the methods of an interview, such as one whose answers are kept durably.
    The same `rng` state, form and clock give the same interview.
    """
    return _Respondent(interview, rng, prefer, most_repeats, guide).run()


class _Respondent:
    def __init__(
        self,
        interview: LiveInterview,
        rng: Random,
        prefer: Prefer | None,
        most_repeats: int,
        guide: Steers | None,
    ) -> None:
        self.interview = interview
        self.rng = rng
        self.prefer = prefer
        self.most_repeats = most_repeats
        self.guide = guide
        self.done = Simulated()

    def run(self) -> Simulated:
        done = self.done
        while done.pages < MAX_PAGES:
            place = self.interview.current
            if isinstance(place, End):
                break
            done.pages += 1
            if isinstance(place, Question):
                self.answer(place)
            elif isinstance(place, Group):
                self.page(place)
            elif self.another(place):
                self.interview.add_repeat(place.ref)
                if self.interview.current != place:
                    continue
            self.interview.next()
        for _round in range(ROUNDS):
            blocking = [problem for problem in self.interview.problems() if problem.blocks]
            if not blocking:
                break
            done.stuck.clear()
            for problem in blocking:
                self.mend(problem.ref)
        done.ready = not any(problem.blocks for problem in self.interview.problems())
        return done

    def page(self, group: Group) -> None:
        """Every question of a field-list, also those that appear while it is answered."""
        seen: set[str] = set()
        place: object = group
        while isinstance(place, Group):
            fresh = next((ref for ref in place.questions if ref not in seen), None)
            if fresh is None:
                return
            seen.add(fresh)
            self.answer(self.interview.question(fresh))
            place = self.interview.current

    def another(self, repeat: Repeat) -> bool:
        """Whether to add an instance."""
        if not repeat.can_add or repeat.count >= self.most_repeats:
            return False
        return repeat.count == 0 or self.rng.random() < 0.4

    def mend(self, ref: str) -> None:
        """A problem at the end: the answer is given once more."""
        try:
            question = self.interview.question(ref)
        except NoSuchRefError:
            self.done.stuck.append(ref)
            return
        self.answer(question, again=True)
        if ref in self.done.stuck and self.balance(ref):
            self.done.stuck.remove(ref)

    def balance(self, ref: str) -> bool:
        """Move other answers that a constraint compares, then try once more."""
        for _again in range(BALANCES):
            for other, text in balanced(self.interview, ref, self.rng):
                before = self.interview.question(other).value
                if not self.stands(other, text):
                    self.interview.answer(other, before)
                    continue
                self.answer(self.interview.question(ref), again=True)
                if self.interview.question(ref).violation is None:
                    return True
                break
            else:
                return False
        return False

    def answer(self, question: Question, *, again: bool = False) -> None:
        """Try answers until one stands without a violation."""
        self.done.visited.add(question.ref)
        self.done.paths.add(_POSITION.sub("", question.ref))
        if question.read_only or question.type == "note" or not question.relevant:
            return
        wish = self.prefer(question, self.interview) if self.prefer is not None else None
        if self.guide is not None and not again:
            if self.guided(self.guide, question):
                return
            question = self.interview.question(question.ref)
        if not again:
            if question.value is not None and question.violation is None and wish is None:
                return
            if wish is None and not question.required and self.rng.random() < SKIPPED:
                return
        for text in self.attempts(question, wish):
            if self.stands(question.ref, text):
                self.done.answered += 1
                return
        if (question.required or again) and question.ref not in self.done.stuck:
            self.done.stuck.append(question.ref)
        if not question.required or again:
            self.interview.answer(question.ref, None)

    def guided(self, guide: Steers, question: Question) -> bool:
        """Break the question's rules as often as the guide wants, then answer as it wants; whether that is done."""
        d = self.interview.refs.node(question.ref).d
        probing = False
        for text in guide.probes(self.interview, d, question):
            probing = True
            self.stands(question.ref, text)
        if probing:
            guide.saw(self.interview, self.interview.answer(question.ref, question.value))
        if guide.blank(d):
            if not question.required:
                guide.saw(self.interview, self.interview.answer(question.ref, None))
            return True
        for text in guide.wanted(d, self.interview.question(question.ref), self.rng):
            if self.stands(question.ref, text):
                self.done.answered += 1
                return True
        return False

    def stands(self, ref: str, text: str) -> bool:
        """Give an answer and say whether nothing speaks against it."""
        try:
            changes = self.interview.answer(ref, text)
            if self.guide is not None:
                self.guide.saw(self.interview, changes)
            now = self.interview.question(ref)
        except (NotAnswerableError, NoSuchRefError):
            return False
        found = now.violation
        if found is None:
            return True
        return found.kind is ViolationKind.WARNING and self.rng.random() < 0.1

    def attempts(self, question: Question, wish: str | Mapping[str, float] | None) -> Iterator[str]:
        """What the caller wishes first, then what the form suggests."""
        if isinstance(wish, str):
            yield wish
        elif wish:
            offered = {choice.value for choice in question.choices}
            weights = {value: weight for value, weight in wish.items() if not offered or value in offered}
            yield from self.wished(question, weights)
        yield from candidates(self.interview, question, self.rng)

    def wished(self, question: Question, weights: Mapping[str, float]) -> Iterator[str]:
        """Weighted draws; of a multiple choice up to three values."""
        values = [value for value, weight in weights.items() if weight > 0]
        if not values:
            return
        chances = [weights[value] for value in values]
        for _again in range(4):
            if question.type == "selectMultiple":
                drawn = self.rng.choices(values, chances, k=self.rng.choice((1, 2, 3)))
                yield " ".join(dict.fromkeys(drawn))
            else:
                yield self.rng.choices(values, chances)[0]
