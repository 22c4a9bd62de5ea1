"""Where this laptop's backups were put, so that what is erased here is not forgotten there. Best known, not proven.

A new backup takes the place of the one before in the same folder: that is how an erased record leaves it. A backup
that was copied on by hand, or whose disk is elsewhere, is for people to destroy; here it is only said which and when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.records.erased import Place
from fieldsurvey.vault import SealedLog

FILE: Final = "backups.json"
KEEP_DAYS: Final = 10
"""A backup older than this should be gone, wherever it is."""
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class StaleBackup:
    """A backup that may hold what was erased since it was made, and should be gone. `made`: a day."""

    place: str
    made: str


def note_backup(home: Path, place: Path, made: datetime) -> None:
    """A whole backup lies there now. Raises StorageError."""
    known = backup_places(home)
    known[str(place)] = made.isoformat("T", "seconds")
    newest = dict(sorted(known.items(), key=lambda item: item[1])[-_MOST:])
    write_atomic(home / FILE, json.dumps(newest, ensure_ascii=False, indent=1).encode("utf-8"), private=True)


def backup_places(home: Path) -> dict[str, str]:
    """Folder -> when the last backup in it was made, ISO 8601."""
    try:
        found = json.loads((home / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):  # a note, no more: without it nobody is reminded
        return {}
    if not isinstance(found, dict):
        return {}
    return {place: made for place, made in found.items() if isinstance(made, str) and _instant(made) is not None}


def backups_until(home: Path) -> date | None:
    """Until when a backup that was made so far may be kept; None where none is known."""
    made = [_instant(text) for text in backup_places(home).values()]
    days = [one.date() + timedelta(days=KEEP_DAYS) for one in made if one is not None]
    return max(days, default=None)


def stale_backups(log: SealedLog, today: date) -> tuple[StaleBackup, ...]:
    """Backups from before an erasure on this laptop whose days are over. Works locked."""
    home = log.path.parent
    erased = [
        datetime.fromisoformat(heard.report.at)
        for heard in Reports(home, Trust.of(None, log.device_card()))
        if heard.report.place is Place.LAPTOP and any(case.records for case in heard.report.cases)
    ]
    found = []
    for place, text in backup_places(home).items():
        made = _instant(text)
        if made is None or made.date() + timedelta(days=KEEP_DAYS) >= today:
            continue
        if any(at > made for at in erased):
            found.append(StaleBackup(place, made.date().isoformat()))
    return tuple(found)


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
