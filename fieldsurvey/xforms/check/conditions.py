"""Questions that can never be asked, conditions that are always the same, constraints that nothing satisfies."""

from __future__ import annotations

from collections.abc import Iterator

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.xforms.check.findings import Finding, error, note, warning
from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.possible import without_blank
from fieldsurvey.xforms.check.solver import Condition, Solver
from fieldsurvey.xforms.check.wording import where, written
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.live.validity import QUESTIONS


def is_asked(d: NodeDef) -> bool:
    """Whether somebody is asked for its value."""
    return d.kind == "leaf" and d.control is not None and d.control.kind in QUESTIONS


class Conditions:
    """The conditions of one form. `unreachable` collects the indexes of nodes that are never relevant."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self.meaning = solver.meaning
        self.form = solver.meaning.form
        self.unreachable: set[int] = set()

    def findings(self) -> Iterator[Finding]:
        """Everything found, in form order."""
        yield from self._reach()
        for d in self.form.nodes:
            if d.index not in self.unreachable and d.bind is not None:
                yield from self._constant(d)
                yield from self._constraint(d)

    # -- reach -------------------------------------------------------------------------------------------------------

    def _reach(self) -> Iterator[Finding]:
        stack = [(self.form.root, False)]
        while stack:
            d, told = stack.pop()
            own = self.solver.own(d)
            if own:
                chain = self.solver.reach(d)
                if not self.solver.ask(chain).possible:
                    self._mark(d)
                    yield self._never_asked(d, own, chain)
                    continue
                if not told and self.solver.ruled and not self.solver.ask(chain, strict=True).possible:
                    told = True
                    yield self._only_by_mistake(d, chain)
            stack.extend((child, told) for child in reversed(d.children))

    def _mark(self, d: NodeDef) -> None:
        stack = [d]
        while stack:
            at = stack.pop()
            self.unreachable.add(at.index)
            stack.extend(at.children)

    def _never_asked(self, d: NodeDef, own: list[Condition], chain: list[Condition]) -> Finding:
        count = self._questions(d)
        what = (
            ngettext("{n} question is never asked", "{n} questions are never asked", count).format(n=count)
            if d.kind != "leaf"
            else _("This is never asked")
            if is_asked(d)
            else _("This never has a value")
        )
        column = own[0].source
        origin = column.origin if column is not None else d.origin
        constant = next((one for one in own if self._constant_false(one)), None)
        if constant is not None and constant.source is not None:
            return note(
                "switched-off",
                _("{what}: {condition} is never true.").format(what=what, condition=written(constant.source)),
                _("Remove it if it is not needed."),
                origin,
                d.path,
            )
        core = self._core(chain)
        if len(core) == 1:
            message = _("{what}: {condition} can never be true.")
        else:
            message = _("{what}: these exclude each other: {condition}.")
        return warning(
            "unreachable",
            message.format(what=what, condition=self._told(core)),
            _("Correct the condition, or remove what it hides."),
            origin,
            d.path,
        )

    def _only_by_mistake(self, d: NodeDef, chain: list[Condition]) -> Finding:
        source = next((one.source for one in reversed(chain) if one.source is not None), None)
        return warning(
            "unreachable.rules",
            _(
                "This is asked only while another answer breaks its own constraint or choice filter: {condition}."
            ).format(condition=self._told([one for one in chain if one.source is not None])),
            _("Widen that rule, or correct the condition."),
            source.origin if source is not None else d.origin,
            d.path,
        )

    def _constant_false(self, condition: Condition) -> bool:
        reads = self.meaning.reads(condition.expr, condition.scope)
        return not reads and not self.solver.ask([condition], alone=True).possible

    def _questions(self, d: NodeDef) -> int:
        count, stack = 0, [d]
        while stack:
            at = stack.pop()
            count += is_asked(at)
            stack.extend(at.children)
        return count

    def _core(self, chain: list[Condition]) -> list[Condition]:
        """The fewest of them that exclude each other, found by leaving out one after the other."""
        core = list(chain)
        for condition in chain:
            fewer = [one for one in core if one is not condition]
            if fewer and not self.solver.ask(fewer).possible:
                core = fewer
        return core

    def _told(self, conditions: list[Condition]) -> str:
        told: list[str] = []
        for condition in conditions:
            if condition.source is not None:
                place = where(condition.source.origin)
                told.append(f"{written(condition.source)} ({place})" if place else written(condition.source))
        return "; ".join(dict.fromkeys(told))

    # -- constant conditions -----------------------------------------------------------------------------------------

    def _constant(self, d: NodeDef) -> Iterator[Finding]:
        bind = d.bind
        assert bind is not None
        texts = {
            "relevant": (bind.relevant, _("Always asked: the condition {condition} is always true.")),
            "required": (bind.required, _("Always required: the condition {condition} is always true.")),
            "read_only": (bind.read_only, _("Always read-only: the condition {condition} is always true.")),
        }
        for kind, (expression, always) in texts.items():
            if expression is None:
                continue
            condition = Condition(self.meaning.tree(expression), Scope(d), source=expression)
            if not self.meaning.reads(condition.expr, condition.scope):
                continue
            remedy = _("Correct the condition, or leave the cell empty.")
            told = written(expression)
            if not self._may(condition, want=False):
                yield warning("condition.always", always.format(condition=told), remedy, expression.origin, d.path)
            elif kind != "relevant" and not self._may(condition, want=True):
                message = _("The condition {condition} is never true.").format(condition=told)
                yield warning("condition.never", message, remedy, expression.origin, d.path)

    def _may(self, condition: Condition, *, want: bool, env: Env | None = None) -> bool:
        asked = Condition(condition.expr, condition.scope, want, condition.source)
        return self.solver.ask([asked], env, alone=True).possible

    def _constraint(self, d: NodeDef) -> Iterator[Finding]:
        bind = d.bind
        assert bind is not None
        if not is_asked(d) or bind.calculate is not None:
            return
        filled = Env().knowing(d, without_blank(self.meaning.of(d, Env())))
        if bind.constraint is not None:
            yield from self._rule(d, bind.constraint, filled)
        if bind.warning is not None:
            condition = Condition(self.meaning.tree(bind.warning), Scope(d), source=bind.warning)
            if not self._may(condition, want=True, env=filled):
                yield warning(
                    "warning.ever",
                    _("Every answer is warned about: {condition} is never true.").format(
                        condition=written(bind.warning)
                    ),
                    _("Write what a good answer satisfies."),
                    bind.warning.origin,
                    d.path,
                )

    def _rule(self, d: NodeDef, expression: Expression, filled: Env) -> Iterator[Finding]:
        condition = Condition(self.meaning.tree(expression), Scope(d), source=expression)
        others = [read for read in self.meaning.reads(condition.expr, condition.scope) if read is not d]
        around = self.solver.reach(d) if others else []
        if not self.solver.ask([*around, condition], filled, alone=not others).possible:
            yield error(
                "constraint.never",
                _("No answer satisfies the constraint {condition}.").format(condition=written(expression)),
                _("Write what a good answer satisfies; `.` is the answer."),
                expression.origin,
                d.path,
            )
        elif not self._may(condition, want=False, env=filled):
            yield note(
                "constraint.always",
                _("Every answer satisfies the constraint {condition}.").format(condition=written(expression)),
                _("Correct it, or leave the cell empty."),
                expression.origin,
                d.path,
            )
