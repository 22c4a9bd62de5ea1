"""All that is found in a form without answering it."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.choices import Choices
from fieldsurvey.xforms.check.comparisons import Comparisons
from fieldsurvey.xforms.check.conditions import Conditions
from fieldsurvey.xforms.check.findings import Finding, Severity, note, warning
from fieldsurvey.xforms.check.meaning import Meaning
from fieldsurvey.xforms.check.names import Names
from fieldsurvey.xforms.check.sheets import Sheets
from fieldsurvey.xforms.check.solver import Solver
from fieldsurvey.xforms.check.texts import Texts
from fieldsurvey.xforms.form import LoadedForm

ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
CONSEQUENCES = frozenset({"condition.always", "condition.never"})
"""Told already by the choice that is not there."""
SHEETS = {"survey": 0, "choices": 1, "settings": 2}


def find_all(form: LoadedForm, sheets: Sheets | None = None) -> tuple[Finding, ...]:
    """Every finding, the severest first, then by sheet and row."""
    sheets = sheets or Sheets(form)
    meaning = Meaning(form.program)
    solver = Solver(meaning)  # each family of findings has a budget of its own
    conditions = Conditions(solver)
    other = Solver(meaning)
    found = [
        warning("loading", " ".join(problem.message.split()), problem.remedy, problem.origin)
        for problem in form.warnings
        if "is missing the" not in problem.message  # the converter's word for translations, which are told one by one
    ]
    found.extend(conditions.findings())
    found.extend(Comparisons(other).findings())
    choices = Choices(other, sheets, conditions.unreachable)
    found.extend(choices.findings())
    found.extend(choices.broken_defaults())
    found.extend(Texts(form.definition, meaning.domains.lists, sheets).findings())
    found.extend(Names(form.definition, form.program).findings())
    gave_up = solver.gave_up + other.gave_up
    if gave_up:
        found.append(
            note(
                "check.incomplete",
                _("{n} conditions are too involved to be followed to their end; nothing is said of them.").format(
                    n=gave_up
                ),
            )
        )
    unknown = {finding.origin for finding in found if finding.code == "choice.unknown"}
    kept = [
        finding for finding in dict.fromkeys(found) if finding.origin not in unknown or finding.code not in CONSEQUENCES
    ]
    return tuple(sorted(kept, key=_order))


def _order(finding: Finding) -> tuple[int, int, int, str]:
    origin = finding.origin
    if origin is None:
        return ORDER[finding.severity], 9, 0, finding.code
    return ORDER[finding.severity], SHEETS.get(origin.sheet, 5), origin.row, finding.code
