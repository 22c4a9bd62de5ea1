"""Names and parts of a form that get in each other's way, or have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.conditions import is_asked
from fieldsurvey.xforms.check.findings import Finding, error, note, warning
from fieldsurvey.xforms.check.texts import is_note
from fieldsurvey.xforms.check.wording import where, written
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import FormDef, NodeDef
from fieldsurvey.xforms.program.program import Program
from fieldsurvey.xforms.program.triggers import RELEVANT, reads_of

RESERVED = frozenset(
    {"meta", "instanceid", "instancename", "deprecatedid", "key", "parent_key", "submissiondate", "__id", "__system"}
)
"""Columns that ODK's exports and servers write themselves, in lower case."""


class Names:
    """The names of one form, and what has no effect in it."""

    def __init__(self, form: FormDef, program: Program) -> None:
        self.form = form
        self.program = program

    def findings(self) -> Iterator[Finding]:
        """Everything found."""
        if not any(is_asked(d) for d in self.form.nodes):
            yield error("form.empty", _("The form asks nothing."), _("Add a question to the sheet survey."))
        yield from self._names()
        for d in self.form.nodes:
            yield from self._without_effect(d)
        yield from self._unused()
        yield from self._later()

    def _nodes(self) -> Iterator[NodeDef]:
        """What the author named: not the root, not meta (of the form or of an entity) and what is in it."""
        inside: set[int] = set()
        for d in self.form.nodes:
            if d.parent is None:
                continue
            if d.name == "meta" or d.parent.index in inside:
                inside.add(d.index)
            elif not d.is_attribute:
                yield d

    def _names(self) -> Iterator[Finding]:
        first: dict[str, NodeDef] = {}
        for d in self._nodes():
            origin = Origin(d.origin.sheet, d.origin.row, "name") if d.origin is not None else None
            if d.name.lower() in RESERVED or d.name.startswith("__"):
                yield warning(
                    "name.reserved",
                    _("{name} is a name that servers and exports use themselves.").format(name=d.name),
                    _("Choose another name."),
                    origin,
                    d.path,
                )
            other = first.setdefault(d.name.lower(), d)
            if other is d or (origin is not None and d.origin == other.origin):  # one row of a loop, for each choice
                continue
            place = where(other.origin)
            if other.name != d.name:
                yield warning(
                    "name.case",
                    _("{name} and {other} ({place}) differ only in upper and lower case.").format(
                        name=d.name, other=other.name, place=place
                    ),
                    _("Choose another name: tables and spreadsheets take them for the same."),
                    origin,
                    d.path,
                )
            else:
                yield note(
                    "name.shadow",
                    _("There is another {name} ({place}).").format(name=d.name, place=place),
                    _("Choose another name, so that ${name} can mean only one of them.").replace(
                        "${name}", f"${{{d.name}}}"
                    ),
                    origin,
                    d.path,
                )

    def _without_effect(self, d: NodeDef) -> Iterator[Finding]:
        bind = d.bind
        if bind is None:
            return
        if bind.required is not None and is_note(d):
            yield warning(
                "required.note",
                _("This is required, and nobody can answer it."),
                _("Leave required empty, or use the type acknowledge."),
                bind.required.origin,
                d.path,
            )
        calculated = bind.calculate is not None or d.kind != "leaf" or d.control is None
        if bind.constraint is not None and calculated:
            yield warning(
                "constraint.calculation",
                _("The constraint {condition} has no effect: nobody answers this.").format(
                    condition=written(bind.constraint)
                ),
                _("Put it on a question that the calculation reads."),
                bind.constraint.origin,
                d.path,
            )
        if bind.required is not None and calculated:
            yield note(
                "required.calculation",
                _("Required has no effect here: nobody answers this."),
                _("Leave it empty."),
                bind.required.origin,
                d.path,
            )

    def _unused(self) -> Iterator[Finding]:
        """Calculations that nothing reads; they may be there for the data."""
        read = {
            d.index
            for expression in self.form.expressions
            for d, _bound in reads_of(self.program.parsed(expression), self.form.root, expression.context)[0]
            if expression.context is None or d is not expression.context
        }
        for d in self._nodes():
            bind = d.bind
            if bind is None or bind.calculate is None or d.control is not None or d.index in read:
                continue
            if any("entities:saveto" in name for name in bind.extra):
                continue
            yield note(
                "calculation.unused",
                _("Nothing in the form reads {name}.").format(name=d.name),
                _("Remove it, unless it is meant for the data."),
                bind.calculate.origin,
                d.path,
            )

    def _later(self) -> Iterator[Finding]:
        """Conditions on something that is asked later: whoever goes on has not answered it yet."""
        for trigger in self.program.triggers:
            d = trigger.target
            if trigger.kind != RELEVANT or not is_asked(d) or d.control is None:
                continue
            for read, _bound in trigger.reads:
                if not is_asked(read) or read.control is None or read.control.number <= d.control.number:
                    continue
                if read.default or any(action.target is read for action in self.form.actions):
                    continue
                yield note(
                    "relevant.later",
                    _("This depends on {name} ({place}), which is asked later.").format(
                        name=read.name, place=where(read.origin)
                    ),
                    _("Ask {name} first.").format(name=read.name),
                    trigger.expression.origin,
                    d.path,
                )
                break
