"""`fieldsurvey central show --plain`: the same as the screens, as lines to read, and as data for `--json`.

Textual is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.model import Person
from fieldsurvey.tui.central.carried import Carried, carried, carried_line, carried_summary
from fieldsurvey.tui.central.cases import CaseList, cases_to_look_at
from fieldsurvey.tui.central.desk import Desk, names_of
from fieldsurvey.tui.central.journal import log_cells, newest
from fieldsurvey.tui.central.overview import Overview, look
from fieldsurvey.tui.central.returned import ReturnRow, returned_work
from fieldsurvey.tui.central.wording import (
    alerts,
    backup_words,
    case_cells,
    case_lines,
    device_line,
    people_words,
    return_cells,
    summary,
)
from sync.central import Central
from sync.journal import Journal, Line

LOGGED: Final = 20
"""Lines of the sync log that are printed; `fieldsurvey sync log` has all."""


@dataclass(frozen=True, slots=True)
class Everything:
    """What all screens together show. `log`: the newest lines first."""

    overview: Overview
    people: tuple[Person, ...]
    cases: CaseList
    returned: tuple[ReturnRow, ...]
    log: tuple[Line, ...]
    names: dict[str, str]


def everything(desk: Desk) -> Everything:
    """Read it all. Raises StorageError, and what reading the project raises."""
    project = desk.project()

    def cases(central: Central) -> CaseList:
        return cases_to_look_at(central.cases(), names_of(central))

    return Everything(
        overview=look(desk),
        people=project.model.people if project else (),
        cases=desk.read(cases, CaseList((), 0, {})),
        returned=desk.read(returned_work, ()),
        log=tuple(newest(Journal(desk.home, desk.clock))[:LOGGED]),
        names=desk.names(),
    )


def plain_lines(found: Everything) -> list[str]:
    """In the order of the screens: what to do now first."""
    view = found.overview
    lines = [f"{view.name or _('Central')}. {summary(view)}. {backup_words(view)[1]}."]
    lines += [text for _loud, text in alerts(view)]
    lines += ["", _("Laptops")]
    lines += [f"  {device_line(row)}" for row in view.devices] or [f"  {_('None is enrolled yet.')}"]
    lines.append("  " + _("People: {who}").format(who=people_words(found.people)))
    if found.cases.rows:
        lines += ["", _("Conflicts and proposals")]
        for case in found.cases.rows:
            lines.append("  " + "; ".join(case_cells(case)))
            lines += [f"    {line}" for line in case_lines(case)]
    if found.returned:
        lines += ["", _("Returned work")]
        lines += ["  " + "; ".join(return_cells(row)) for row in found.returned]
    if found.log:
        lines += ["", _("Sync log, the newest first")]
        lines += ["  " + "; ".join(log_cells(line, found.names, place=None)) for line in found.log]
    return lines


def relay_lines(found: Carried, log: Sequence[Line], names: Mapping[str, str]) -> list[str]:
    """What a supervisor's laptop carries."""
    lines = [f"{found.name}. {carried_summary(found)}"]
    lines += [f"  {carried_line(row)}" for row in found.rows]
    if log:
        lines += ["", _("Sync log, the newest first")]
        lines += ["  " + "; ".join(log_cells(line, names, place=None)) for line in log]
    return lines


def as_data(found: Everything) -> dict[str, Any]:
    """For `--json`."""
    view = found.overview
    return {
        "place": view.place,
        "project": view.name,
        "project_version": view.version,
        "project_days_left": view.days_left,
        "last_backup": view.last_backup,
        "backup_due": view.backup_due,
        "stale_backup": view.stale,
        "counts": asdict(view.counts),
        "cases": asdict(view.cases),
        "devices": [{**asdict(row), "troubles": [trouble.value for trouble in row.troubles]} for row in view.devices],
        "people": [person.model_dump(mode="json") for person in found.people],
        "to_look_at": [_case(found.cases, at) for at in range(len(found.cases.rows))],
        "to_look_at_total": found.cases.total,
        "returned": [{**asdict(row), "state": row.state.value} for row in found.returned],
        "log": [line.as_dict() for line in found.log],
    }


def shown(desk: Desk) -> tuple[dict[str, Any], list[str]]:
    """Data and lines of whatever this place is. Raises as `everything`, and what opening the relay raises."""
    if not desk.relaying:
        found = everything(desk)
        return as_data(found), plain_lines(found)
    held = carried(desk.relay())
    log = newest(Journal(desk.home, desk.clock))[:LOGGED]
    rows = [asdict(row) for row in held.rows]
    data = {"project": held.name, "project_version": held.version, "carried": rows}
    return {**data, "log": [line.as_dict() for line in log]}, relay_lines(held, log, desk.names())


def _case(found: CaseList, at: int) -> dict[str, Any]:
    row = found.rows[at]
    revisions = [{**asdict(revision), "part": revision.part.value} for revision in row.revisions]
    return {"case": row.case, "kinds": [kind.value for kind in row.kinds], "revisions": revisions}
