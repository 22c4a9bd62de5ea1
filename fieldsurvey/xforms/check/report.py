"""A whole check: coverage and findings of a form, and as text with problems first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.xforms.check.coverage import Coverage, Covered, Part, totals
from fieldsurvey.xforms.check.features import Kind
from fieldsurvey.xforms.check.findall import find_all
from fieldsurvey.xforms.check.findings import Finding, Severity
from fieldsurvey.xforms.check.sheets import Sheets
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.errors import FormProblem
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.xpath.ast import FunctionCall, children

TOGETHER = 4
"""So many findings of one kind in one column are told as one."""
ALONE = frozenset(
    {"unreachable", "unreachable.rules", "condition.always", "condition.never", "comparison.always", "comparison.never"}
    | {"constraint.never", "warning.ever", "choice.unknown", "choices.never", "default.constraint"}
)
"""Findings that are each told in full, however many there are."""
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Report:
    """What a check says. `functions` are those that expressions call.

    `ok` is False when something is refused, or an error was found.
    """

    rows: tuple[Covered, ...]
    findings: tuple[Finding, ...]
    functions: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the form can be used as it is."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings) and not self.refused

    @property
    def refused(self) -> tuple[FormProblem, ...]:
        """What cannot run here, as reasons to refuse the form."""
        return _refused(self.rows)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "totals": totals(list(self.rows)),
            "rows": [row.as_dict() for row in self.rows],
            "functions": list(self.functions),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check_form(form: LoadedForm) -> Report:
    """Coverage and findings of a loaded form. Bounded: some ten seconds for the largest."""
    sheets = Sheets(form)
    return Report(tuple(Coverage(form, sheets).rows()), find_all(form, sheets), functions_of(form))


def refusals(form: LoadedForm) -> tuple[FormProblem, ...]:
    """What of a form cannot run in a terminal, with sheet, row and remedy: the coverage alone, without findings."""
    return _refused(Coverage(form, Sheets(form)).rows())


def _refused(rows: Sequence[Covered]) -> tuple[FormProblem, ...]:
    return tuple(
        FormProblem("refused", f"{part.name}: {part.reason}", part.remedy, part.origin)
        for row in rows
        for part in row.parts
        if part.kind is Kind.REFUSED
    )


def functions_of(form: LoadedForm) -> tuple[str, ...]:
    """The functions that the form's expressions call, by name. All run in full: others are refused when it loads."""
    found: set[str] = set()
    pending = [form.program.parsed(expression) for expression in form.definition.expressions]
    while pending:
        expr = pending.pop()
        if isinstance(expr, FunctionCall):
            found.add(expr.name)
        pending.extend(children(expr))
    return tuple(sorted(found))


def render_report(report: Report, *, every: bool = False) -> list[str]:
    """The report as lines: what is refused, errors, warnings, notes, what is adapted; with `every`, each row."""
    counts = totals(list(report.rows))
    lines = [
        _(
            "Rows: {full} run in full, {adapted} in another way, {attached} with files, {refused} cannot run here."
        ).format(**counts)
    ]
    for kind in (Kind.REFUSED, Kind.ATTACHED, Kind.ADAPTED):
        lines.extend(_parts(report.rows, kind, every=every))
    for severity, title in (
        (Severity.ERROR, _("Error")),
        (Severity.WARNING, _("Warning")),
        (Severity.NOTE, _("Note")),
    ):
        found = [finding for finding in report.findings if finding.severity is severity]
        lines.extend(f"{title}: {line}" for line in _findings(found, every=every))
    if every:
        if report.functions:
            lines.append(_("Functions, all in full: {names}.").format(names=", ".join(report.functions)))
        lines.append("")
        lines.extend(f"{_place(row.origin)} {row.kind}  {row.type}  {row.name}".rstrip() for row in report.rows)
    return lines


def _parts(rows: Sequence[Covered], kind: Kind, *, every: bool) -> Iterator[str]:
    title = {
        Kind.REFUSED: _("Cannot run here"),
        Kind.ATTACHED: _("Needs a file"),
        Kind.ADAPTED: _("Another way"),
    }[kind]
    groups: dict[tuple[str, str, str], list[Part]] = {}
    for row in rows:
        for part in row.parts:
            if part.kind is kind and (every or part.remedy or kind is not Kind.ATTACHED):  # files that are there
                groups.setdefault((part.name, part.reason, part.remedy), []).append(part)
    for (name, reason, remedy), parts in groups.items():
        text = " ".join(word for word in (f"{name}.", reason, remedy) if word)
        yield f"{title}: {_places([part.origin for part in parts], every=every)}{text}"


def _findings(found: Sequence[Finding], *, every: bool) -> Iterator[str]:
    """One line each; many of one kind in one column together."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in found:
        origin = finding.origin
        key = (finding.code, origin.sheet if origin else "", origin.column if origin else "")
        groups.setdefault(key, []).append(finding)
    for group in groups.values():
        if every or len(group) < TOGETHER or group[0].code in ALONE:
            for finding in group:
                yield _line(finding)
        else:
            first = group[0]
            more = ngettext("{n} more like it: {rows}", "{n} more like it: {rows}", len(group) - 1).format(
                n=len(group) - 1, rows=_rows([finding.origin for finding in group[1:]])
            )
            yield f"{_line(first)} [{more}]"


def _line(finding: Finding) -> str:
    text = f"{finding.message} {finding.remedy}".rstrip()
    return f"{_place(finding.origin)}{text} ({finding.code})"


def _place(origin: Origin | None) -> str:
    if origin is None:
        return ""
    column = _(", column {column}").format(column=origin.column) if origin.column else ""
    if origin.sheet == "XML":
        return _("line {row}{column}: ").format(row=origin.row, column=column)
    return _("{sheet}, row {row}{column}: ").format(sheet=origin.sheet, row=origin.row, column=column)


def _places(origins: Sequence[Origin | None], *, every: bool) -> str:
    known = [origin for origin in origins if origin is not None]
    if len(known) < 2:
        return _place(known[0]) if known else ""
    sheet = known[0].sheet
    rows = _rows(known, most=10**9 if every else SHOWN)
    if sheet == "XML":
        return _("lines {rows}: ").format(rows=rows)
    return _("{sheet}, rows {rows}: ").format(sheet=sheet, rows=rows)


def _rows(origins: Sequence[Origin | None], most: int = SHOWN) -> str:
    numbers = list(dict.fromkeys(str(origin.row) for origin in origins if origin is not None))
    return ", ".join(numbers[:most]) + (" …" if len(numbers) > most else "")
