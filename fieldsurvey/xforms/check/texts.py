"""Texts: what is missing in a language, questions without words, messages without a rule."""

from __future__ import annotations

from collections.abc import Iterator

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.conditions import is_asked
from fieldsurvey.xforms.check.findings import Finding, Severity, note, warning
from fieldsurvey.xforms.check.lists import Lists
from fieldsurvey.xforms.check.sheets import Sheets
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.binds import TRUE
from fieldsurvey.xforms.definition.model import Control, FormDef, Forms, NodeDef, Text
from fieldsurvey.xforms.program.lists import below

MISSING = ("-",)
"""What the converter writes where a workbook has no translation."""
COLUMNS = {"": "label", "guidance": "guidance_hint", "long": "label", "short": "label"}
MEDIA = frozenset({"image", "big-image", "audio", "video"})


class Texts:
    """The texts of one form."""

    def __init__(self, form: FormDef, lists: Lists, sheets: Sheets) -> None:
        self.form = form
        self.lists = lists
        self.sheets = sheets
        self.told: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """Everything found, in form order."""
        pending: list[Control] = list(reversed(self.form.controls))
        done: set[str] = set()
        while pending:
            control = pending.pop()
            yield from self._control(control)
            name = self._list_name(control)
            if name and name not in done:
                done.add(name)
                yield from self._choices(control)
            pending.extend(reversed(control.children))
        for d in self.form.nodes:
            yield from self._messages(d)

    def _control(self, control: Control) -> Iterator[Finding]:
        origin = control.origin
        ref = control.ref.path if control.ref is not None else ""
        yield from self._untranslated(control.label, "label", origin, ref)
        yield from self._untranslated(control.hint, "hint", origin, ref)
        for item in control.items:
            yield from self._untranslated(item.label, "label", origin, ref)
        d = control.ref
        if d is None or not is_asked(d) or _fixed(d) or "label" in control.appearance:  # heads of tables have none
            return
        if not self._said(control.label) and not self._said(control.hint):
            yield warning(
                "label.none",
                _("{name} asks nothing: it has no label.").format(name=d.name),
                _("Write one."),
                origin,
                ref,
            )

    def _said(self, text: Text | None) -> bool:
        if text is None:
            return False
        if text.itext is not None:
            return any(
                parts not in {(), MISSING}
                for entries in self.form.itext.values()
                for parts in entries.get(text.itext, {}).values()
            )
        return bool(text.parts) or text.dynamic is not None

    def _messages(self, d: NodeDef) -> Iterator[Finding]:
        bind = d.bind
        if bind is None:
            return
        origin = bind.origin or d.origin
        texts = [
            ("constraint_message", bind.constraint_message, bind.constraint),
            ("required_message", bind.required_message, bind.required),
            ("bind::fs:warningMsg", bind.warning_message, bind.warning),
        ]
        for column, text, rule in texts:
            yield from self._untranslated(text, column, origin, d.path)
            if text is not None and rule is None and is_asked(d):
                yield note(
                    "message.unused",
                    _("This message is never shown: there is no rule that it explains."),
                    _("Write the rule, or remove the message."),
                    _at(origin, column),
                    d.path,
                )
        if is_asked(d) and bind.constraint is not None and bind.constraint_message is None and bind.calculate is None:
            yield note(
                "message.none",
                _("An answer that breaks the constraint of {name} gets no explanation.").format(name=d.name),
                _("Write what is expected in the column constraint_message."),
                _at(origin, "constraint_message"),
                d.path,
            )

    # -- languages ---------------------------------------------------------------------------------------------------

    def _untranslated(self, text: Text | None, column: str, origin: Origin | None, ref: str) -> Iterator[Finding]:
        if text is not None and text.itext is not None:
            yield from self._missing(text.itext, column, origin, ref)

    def _missing(self, text_id: str, column: str, origin: Origin | None, ref: str) -> Iterator[Finding]:
        """The forms (plain, guidance, media) of a text that some languages have and others lack."""
        if text_id in self.told or len(self.form.languages) < 2:
            return
        self.told.add(text_id)
        entries: dict[str, Forms] = {name: self.form.itext[name].get(text_id, {}) for name in self.form.languages}
        forms = dict.fromkeys(form for entry in entries.values() for form, parts in entry.items() if _is(parts))
        for form in forms:
            for language, entry in entries.items():
                if _is(entry.get(form, ())):
                    continue
                name = form if form in MEDIA else COLUMNS.get(form, form) if column == "label" or form else column
                severity = Severity.NOTE if form in MEDIA else Severity.WARNING
                header = self._header(name, language)
                yield Finding(
                    severity,
                    "translation.missing",
                    _("{column} is missing in {language}.").format(column=name, language=language),
                    _("Fill in the column {header}.").format(header=header),
                    _at(origin, header),
                    ref,
                )

    def _header(self, column: str, language: str) -> str:
        wanted = f"{column}::{language}" if language != "default" else column
        for sheet in ("survey", "choices"):
            for row in self.sheets.rows(sheet):
                if wanted in row:
                    return row[wanted].header
        return wanted

    def _list_name(self, control: Control) -> str:
        if control.ref is None or control.itemset is None or not control.itemset.label_itext:
            return ""
        found = self.lists.of(control.ref)
        return found.name if found is not None else ""

    def _choices(self, control: Control) -> Iterator[Finding]:
        assert control.ref is not None
        assert control.itemset is not None
        found = self.lists.of(control.ref)
        label = control.itemset.label
        if found is None or label is None:
            return
        rows = self.sheets.list_rows(found.name)
        for number, item in enumerate(found.items):
            origin = control.origin
            if number < len(rows):
                first = next(iter(rows[number].values()))
                origin = Origin("choices", first.row)
            yield from self._missing(below(item, label.source), "label", origin, "")


def _is(parts: tuple[object, ...]) -> bool:
    return bool(parts) and parts != MISSING


def _at(origin: Origin | None, column: str) -> Origin | None:
    return Origin(origin.sheet, origin.row, column) if origin is not None else None


def _fixed(d: NodeDef) -> bool:
    """Whether its value is the form's alone."""
    bind = d.bind
    return bind is not None and (
        bind.calculate is not None or (bind.read_only is not None and bind.read_only.source in TRUE)
    )


def is_note(d: NodeDef) -> bool:
    """Whether it is only read: a text that nobody may change, without a calculation."""
    bind, control = d.bind, d.control
    return (
        control is not None
        and control.kind == "input"
        and bind is not None
        and bind.read_only is not None
        and bind.read_only.source in TRUE
        and bind.calculate is None
        and bind.type in {"", "string"}
    )
