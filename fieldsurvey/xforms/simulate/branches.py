"""The branches of a form, and which of them interviews took: conditions both ways, rules kept and broken, choices.

A condition counts where everything around it is relevant; a rule where something was answered; a choice when it was
chosen. Only required conditions that read other answers count, since the rest has one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.conditions import is_asked
from fieldsurvey.xforms.check.findings import place
from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.possible import meet, without_blank
from fieldsurvey.xforms.check.solver import Answer, Condition, Solver
from fieldsurvey.xforms.check.trees import names_in
from fieldsurvey.xforms.check.wording import written
from fieldsurvey.xforms.contract import Change, ChangeKind, Origin
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range

MOST_CHOICES = 250
"""The choices of longer lists are not counted one by one."""
FIRST = {"relevant": 0, "required": 1, "choice": 2, "constraint": 3, "warning": 3}
RULES = frozenset({"constraint", "warning"})
SELECTS = frozenset({"select", "select1", "rank"})


@dataclass(slots=True, eq=False)
class Branch:
    """One way something can go. `kind`: relevant, required, constraint, warning, choice; `way` which of the two.

    `place` is that of a choice in its list. `tries` counts the interviews that were steered there; `possible` is
    False when no interview can take it.
    """

    kind: str
    d: NodeDef
    way: bool
    source: Expression | None = None
    value: str = ""
    place: int = 0
    taken: int = 0
    tries: int = 0
    possible: bool = True
    answer: Answer | None = None

    @property
    def origin(self) -> Origin | None:
        """Where it is written."""
        if self.source is not None:
            return self.source.origin
        return self.d.origin

    def words(self) -> str:
        """What was not taken, in words."""
        condition = written(self.source) if self.source is not None else ""
        texts = {
            ("relevant", True): _("never asked: {condition} was never true"),
            ("relevant", False): _("always asked: {condition} was never false"),
            ("required", True): _("never required: {condition} was never true"),
            ("required", False): _("always required: {condition} was never false"),
            ("constraint", True): _("no answer satisfied {condition}"),
            ("constraint", False): _("no answer broke {condition}"),
            ("warning", True): _("every answer was warned about: {condition}"),
            ("warning", False): _("no answer was warned about: {condition}"),
            ("choice", True): _("never chosen: {value}"),
        }
        return texts[self.kind, self.way].format(condition=condition, value=self.value)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "kind": self.kind,
            "ref": self.d.path,
            "way": self.way,
            "condition": self.source.source if self.source is not None else "",
            "value": self.value,
            "taken": self.taken,
            "possible": self.possible,
            **place(self.origin),
        }


@dataclass(slots=True)
class Branches:
    """All branches of a form; `saw` and `look` count what an interview took."""

    solver: Solver
    all: list[Branch] = field(default_factory=list)
    by: dict[tuple[str, int, bool], Branch] = field(default_factory=dict)
    choices: dict[tuple[int, str], Branch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        meaning = self.solver.meaning
        for d in meaning.form.nodes:
            for kind, expression in self._conditions(d):
                for way in (True, False):
                    branch = Branch(kind, d, way, expression)
                    self.all.append(branch)
                    self.by[kind, d.index, way] = branch
            if is_asked(d) and d.control is not None and d.control.kind in SELECTS:
                values = dict.fromkeys(meaning.domains.lists.values(d) or ())
                for number, value in enumerate(values if len(values) <= MOST_CHOICES else ()):
                    if value.strip():
                        branch = Branch("choice", d, way=True, value=value, place=number)
                        self.choices[d.index, value] = branch
                        self.all.append(branch)

    def _conditions(self, d: NodeDef) -> Iterator[tuple[str, Expression]]:
        bind = d.bind
        if bind is None:
            return
        meaning = self.solver.meaning
        if bind.relevant is not None and d.kind != "repeat":
            yield "relevant", bind.relevant
        if not is_asked(d) or bind.calculate is not None:
            return
        if bind.required is not None and meaning.reads(meaning.tree(bind.required), Scope(d)):
            yield "required", bind.required
        if bind.constraint is not None:
            yield "constraint", bind.constraint
        if bind.warning is not None:
            yield "warning", bind.warning

    # -- watching ----------------------------------------------------------------------------------------------------

    def look(self, interview: LiveInterview) -> None:
        """Count what stands now, everywhere."""
        for node in _nodes(interview.state.root):
            self._node(node)

    def saw(self, interview: LiveInterview, changes: Iterable[Change]) -> None:
        """Count what an answer changed."""
        for number, change in enumerate(changes):
            if number and change.kinds <= {ChangeKind.LABEL, ChangeKind.CHOICES}:
                continue
            found = interview.refs.known.get(change.ref)
            if isinstance(found, LiveNode):
                self._node(found)

    def _node(self, node: LiveNode) -> None:
        d = node.d
        bind = d.bind
        if bind is not None and (node.parent is None or node.parent.relevant):
            self._take("relevant", d, node.own)
        if not node.relevant or not is_asked(d):
            return
        if bind is not None:
            self._take("required", d, node.required)
        if not node.text or node.raw is not None:
            return
        self._take("constraint", d, "constraint" not in node.wrong)
        if "constraint" not in node.wrong:
            self._take("warning", d, "warning" not in node.wrong)
            if d.control is not None and d.control.kind in SELECTS:
                for value in (node.text,) if d.control.kind == "select1" else node.text.split():
                    branch = self.choices.get((d.index, value))
                    if branch is not None:
                        branch.taken += 1

    def _take(self, kind: str, d: NodeDef, way: bool) -> None:
        branch = self.by.get((kind, d.index, way))
        if branch is not None:
            branch.taken += 1

    # -- steering ----------------------------------------------------------------------------------------------------

    def open(self, most_tries: int) -> list[Branch]:
        """What was not taken yet and may still be: the least tried first, conditions before choices before rules."""
        found = [branch for branch in self.all if not branch.taken and branch.possible and branch.tries < most_tries]
        return sorted(found, key=lambda branch: (branch.tries, FIRST[branch.kind], branch.place))

    def plan(self, most_tries: int, together: int) -> tuple[list[Branch], Env]:
        """Branches that one interview may take together, and what must be answered for that."""
        chosen: list[Branch] = []
        conditions: list[Condition] = []
        settled: set[int] = set()
        env, tried = Env(), 0
        for branch in self.open(most_tries):
            if tried >= together:
                break
            if branch.kind == "choice" and branch.d.index in settled:
                continue  # one choice a question, where only one can be made
            tried += 1
            if not self.aim(branch).possible or (chosen and branch.kind in RULES):
                continue  # rules are broken one at a time
            asked, start = self._asked(branch)
            known = _both(env, start)
            answer = self.solver.ask([*conditions, *asked], known, strict=True)
            if chosen and not (answer.possible and answer.sure):
                continue
            branch.tries += 1
            chosen.append(branch)
            if branch.d.control is not None and branch.d.control.kind == "select1":
                settled.add(branch.d.index)
            if answer.env is not None:
                conditions.extend(asked)
                env = answer.env
            if branch.kind in RULES:
                break
        return chosen, env

    def aim(self, branch: Branch) -> Answer:
        """What must be answered to take a branch; marks it impossible when no interview that keeps the rules can."""
        if branch.answer is None:
            branch.answer = self.solver.ask(*self._asked(branch), strict=True)
            branch.possible = branch.answer.possible
        return branch.answer

    def settle(self) -> None:
        """Find out, of what was not taken, what no interview can take."""
        for branch in self.all:
            if not branch.taken:
                self.aim(branch)

    def _asked(self, branch: Branch) -> tuple[list[Condition], Env | None]:
        """The conditions under which a branch is taken, and what is known of the answer itself."""
        meaning, d = self.solver.meaning, branch.d
        self.solver.exempt = -1
        if branch.kind == "relevant":
            around = self.solver.reach(d.parent) if d.parent is not None else []
            assert branch.source is not None
            return [*around, Condition(meaning.tree(branch.source), Scope(d), branch.way, branch.source)], None
        reach = self.solver.reach(d)
        if branch.kind == "choice":
            return [*reach, *self._offered(d, branch.value)], self._chosen(d, branch.value)
        assert branch.source is not None
        condition = Condition(meaning.tree(branch.source), Scope(d), branch.way, branch.source)
        if branch.kind == "required":
            return [*reach, condition], None
        if branch.kind == "constraint":
            self.solver.exempt = d.index  # its own rule is what is asked about
        start = Env()
        return [*reach, condition], start.knowing(d, without_blank(meaning.of(d, start)))

    def _offered(self, d: NodeDef, value: str) -> list[Condition]:
        """That the filter offers the choice, where one row of the list has it."""
        listed = self.solver.meaning.domains.lists.of(d)
        if listed is None or not listed.filters:
            return []
        kinds = [columns for columns, values in listed.kinds(names_in(listed.filters)) if value in values]
        return [Condition(part, Scope(d, kinds[0])) for part in listed.filters] if len(kinds) == 1 else []

    def _chosen(self, d: NodeDef, value: str) -> Env | None:
        start = Env()
        possible = self.solver.meaning.of(d, start)
        if possible.tokens is not None:
            return start.knowing(d, replace(possible, must=frozenset({value}), blank=False))
        if possible.values is not None and value in possible.values:
            return start.knowing(d, replace(possible, values=frozenset({value})))
        return start.knowing(d, without_blank(possible))


def _both(env: Env, start: Env | None) -> Env:
    """What is known of both."""
    if start is None:
        return env
    known = dict(env.known)
    for index, possible in start.known.items():
        known[index] = meet(known[index], possible) if index in known else possible
    return Env(known)


def _nodes(frame: LiveFrame) -> Iterator[LiveNode]:
    for slot in frame.slots:
        if isinstance(slot, Range):
            for inner in slot.instances:
                yield from _nodes(inner)
        else:
            yield slot
