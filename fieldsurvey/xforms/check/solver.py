"""Whether conditions can hold together in some interview: narrowing what each answer may be until nothing changes,
then trying the alternatives of an `or`, within a budget. "No" is certain; "yes" means that nothing speaks against it.

What must not be blank must have been reached: its own conditions, and those of everything around it, hold too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fieldsurvey.xforms.check.knowledge import Env, ExhaustedError, Scope, joined
from fieldsurvey.xforms.check.meaning import ENUMERATED, Meaning
from fieldsurvey.xforms.check.possible import Held, Possible
from fieldsurvey.xforms.check.trees import names_in, negated, operands
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.xpath.ast import Binary, Expr, Number

ROUNDS = 8
SPLITS = 150
"""Alternatives tried before giving up."""
IMPLIED = 10
"""Answers that must be there whose own conditions are followed; more would follow a long form from end to end."""
SMALL = 12
"""An answer of no more values than this is tried value by value."""
BUDGET = 60_000
"""Steps for one question to the solver."""
TOTAL = 3_000_000
"""Steps for a whole form (some ten seconds)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that must be `want` at a node. `source` is where it is written, None when it was made up."""

    expr: Expr
    scope: Scope
    want: bool = True
    source: Expression | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver says: `env` is what is then known of the answers, None when the conditions exclude each other."""

    env: Env | None
    sure: bool = True

    @property
    def possible(self) -> bool:
        """Whether nothing speaks against it."""
        return self.env is not None


class Solver:
    """Asks about the conditions of one form. With `strict`, answers keep the form's rules: constraints and filters.

    `exempt` is the index of a node whose own constraint does not count.
    `ruled` says whether the last question met an answer that has such rules; else asking strictly says the same.
    """

    def __init__(self, meaning: Meaning, total: int = TOTAL, most_implied: int = IMPLIED) -> None:
        self.meaning = meaning
        self.total = total
        self.most_implied = most_implied
        self.spent = 0
        self.gave_up = 0
        self.splits = 0
        self.strict = False
        self.alone = False
        self.ruled = False
        self.exempt = -1
        self.base = Env()

    def ask(
        self, conditions: Iterable[Condition], env: Env | None = None, *, strict: bool = False, alone: bool = False
    ) -> Answer:
        """Whether all may hold together; with `alone`, whatever it takes to reach the answers that they read."""
        meaning = self.meaning
        start = env or self.base
        if self.spent > self.total:
            self.gave_up += 1
            return Answer(start, sure=False)
        meaning.steps, meaning.budget = 0, BUDGET
        self.splits, self.strict, self.alone, self.ruled = 0, strict, alone, False
        try:
            return Answer(self._search(list(conditions), start, set()))
        except ExhaustedError:
            self.gave_up += 1
            return Answer(start, sure=False)
        finally:
            self.spent += meaning.steps

    def _search(self, conditions: list[Condition], env: Env, implied: set[int]) -> Env | None:
        settled = self._settle(conditions, env, implied)
        if settled is None:
            return None
        if self.splits >= SPLITS:
            return settled
        for number, condition in enumerate(conditions):
            parts = alternatives(condition)
            if not parts:
                continue
            rest = conditions[:number] + conditions[number + 1 :]
            return self._first([[*rest, part] for part in parts], settled, implied)
        return self._values(conditions, settled, implied)

    def _first(self, ways: list[list[Condition]], env: Env, implied: set[int]) -> Env | None:
        for way in ways:
            self.splits += 1
            found = self._search(way, env, set(implied))
            if found is not None:
                return found
        return None

    def _values(self, conditions: list[Condition], env: Env, implied: set[int]) -> Env | None:
        """Try the values of an answer that several conditions read."""
        seen: dict[int, int] = {}
        nodes: dict[int, NodeDef] = {}
        for condition in conditions:
            for d in self.meaning.reads(condition.expr, condition.scope):
                seen[d.index] = seen.get(d.index, 0) + 1
                nodes[d.index] = d
        for index, times in sorted(seen.items()):
            possible = self.meaning.of(nodes[index], env)
            if times < 2 or possible.values is None or not 1 < len(possible.values) <= SMALL:
                continue
            for value in sorted(possible.values, key=str):
                self.splits += 1
                narrowed = env.knowing(nodes[index], Possible(frozenset({value})))
                found = self._search(conditions, narrowed, set(implied))
                if found is not None or self.splits >= SPLITS:
                    return found or env
            return None
        return env

    def _settle(self, conditions: list[Condition], env: Env, implied: set[int]) -> Env | None:
        for _round in range(ROUNDS):
            before, count = env.known, len(conditions)
            for condition in conditions:
                found = self.meaning.refine(condition.expr, condition.want, condition.scope, env)
                if found is None:
                    return None
                env = found
            if not self.alone:
                self._imply(conditions, env, implied)
            if self.strict:
                filtered = self._offered(env, implied)
                if filtered is None:
                    return None
                env = filtered
            if env.known == before and len(conditions) == count:
                break
        return env

    def _imply(self, conditions: list[Condition], env: Env, implied: set[int]) -> None:
        """What cannot be blank is relevant, and with `strict` satisfies its own rules."""
        for index in sorted(env.known):
            if len(implied) >= self.most_implied:
                return
            if index in implied or not env.known[index].filled:
                continue
            d = self.meaning.form.nodes[index]
            implied.add(index)
            conditions.extend(self.reach(d))
            rules = self.rules(d) if index != self.exempt else []
            listed = self.meaning.domains.lists.of(d)
            self.ruled = self.ruled or bool(rules) or (listed is not None and bool(listed.filters))
            if self.strict:
                conditions.extend(rules)

    def _offered(self, env: Env, implied: set[int]) -> Env | None:
        """A filled-in select holds a choice that its filter offers, and the filter's answers are accordingly."""
        for index in sorted(implied):
            d = self.meaning.form.nodes[index]
            listed = self.meaning.domains.lists.of(d)
            if listed is None or not listed.filters or d.control is None or d.control.kind != "select1":
                continue
            known = self.meaning.of(d, env).values
            if known is None or len(known) > ENUMERATED or d.control.items:
                continue
            ways: list[Env] = []
            kept: set[Held] = set()
            for columns, values in listed.kinds(names_in(listed.filters)):
                chosen = known & set(values)
                way = self.meaning.together(listed.filters, Scope(d, columns), env) if chosen else None
                if way is not None:
                    kept |= chosen
                    ways.append(way)
            if not ways:
                return None
            env = joined(ways, env)
            env = env.knowing(d, Possible(frozenset(kept))) if len(kept) < len(known) else env
        return env

    # -- the form's conditions ---------------------------------------------------------------------------------------

    def reach(self, d: NodeDef) -> list[Condition]:
        """What must hold for a node to be there: its relevance, that of everything around it, counts of repeats."""
        found: list[Condition] = []
        at: NodeDef | None = d
        while at is not None:
            found.extend(self.own(at))
            at = at.parent
        return found[::-1]

    def own(self, d: NodeDef) -> list[Condition]:
        """The node's own conditions."""
        found: list[Condition] = []
        bind, control = d.bind, d.control
        if bind is not None and bind.relevant is not None:
            found.append(Condition(self.meaning.tree(bind.relevant), Scope(d), source=bind.relevant))
        count = control.count if control is not None and control.kind == "repeat" else None
        if count is not None and d.kind == "repeat" and d.parent is not None:
            enough = Binary(">=", self.meaning.tree(count), Number(1.0))
            found.append(Condition(enough, Scope(count.context or d), source=count))
        return found

    def rules(self, d: NodeDef) -> list[Condition]:
        """What a filled-in answer must satisfy: its constraint, if it is one that somebody is asked for."""
        bind = d.bind
        if bind is None or bind.constraint is None or d.control is None or bind.calculate is not None:
            return []
        return [Condition(self.meaning.tree(bind.constraint), Scope(d), source=bind.constraint)]


def alternatives(condition: Condition) -> list[Condition]:
    """The ways in which a condition may hold, when there are several; none else."""
    expr, want = condition.expr, condition.want
    while (inner := negated(expr)) is not None:
        expr, want = inner, not want
    parts, op = operands(expr)
    if not op or (op == "or") is not want:
        return []
    return [Condition(part, condition.scope, want, condition.source) for part in parts]
