"""What the newest backup is known to hold: only what central's role key signed when that backup was made.

Who can write to the database can put any row there; without the key he can sign none. What he can do is put back notes
that were signed before. Each says when its backup was made, and none is believed longer than backups are kept: until
then the file that it speaks of is to be there. Keys that were replaced are not believed, as laptops take no receipts of
theirs: a key is replaced when somebody else may have it, and the next backup is signed with the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from fieldsurvey.base.clock import instant
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.project.model import Project
from fieldsurvey.records.backup import BackupNote, read_note
from fieldsurvey.records.receipt import Role
from sync.sets import COVERED
from sync.store import Covered

if TYPE_CHECKING:
    from sync.central import Central

KEEP_DAYS: Final = 10
AHEAD: Final = timedelta(days=1)
"""By so much the clocks of two sites, and their time zones, may differ. What is dated later, a wrong clock dated."""


@dataclass(frozen=True, slots=True)
class Backing:
    """How central is backed up. `at`: when it was last, ISO 8601, as it is noted; None: never.

    `counts`: whether central's key vouches for it, so that receipts say "backed up"; None where no signed project is at
    hand, so that nobody here can tell. `ahead`: it is dated in the future: a clock was wrong then, or is now.
    """

    at: str | None = None
    counts: bool | None = None
    ahead: bool = False

    @property
    def good(self) -> bool:
        """There is a backup, and nothing is known against it, but for its age."""
        return self.at is not None and not self.ahead and self.counts is not False


def keep_days(project: Project | None) -> int:
    """How long a backup is kept: the policy's days, at most KEEP_DAYS."""
    return min(KEEP_DAYS, project.policy.retention.backup_days) if project is not None else KEEP_DAYS


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether it is dated in the future, by more than clocks differ."""
    return at - now > AHEAD


def believed(central: Central, device: str) -> list[BackupNote]:
    """What the newest backup holds of a device's log, as far as a note of the project's central key says so.

    The project is the one that a caller verified (`Central.learn`), not the one that lies in the database; without it
    nothing is believed. Nor is what is dated in the future (then nobody knows how old it is, and the file may be gone),
    or longer ago than backups are kept. Raises StorageError.
    """
    project = central.trusted
    if project is None:
        return []
    found = (_read(row, device, project) for row in central.store.covered(device))
    return [note for note in found if note is not None and _is_kept(note, project, central.clock.now())]


def backing(central: Central) -> Backing:
    """How central is backed up. Raises StorageError."""
    at = central.store.last_backup() or ""
    made = instant(at)
    if made is None:
        return Backing()
    now = central.clock.now()
    if central.trusted is None:
        return Backing(at, None, is_ahead(made, now))
    row = next(central.store.rows(COVERED), None)
    if row is None:  # of a central without records
        return Backing(at, True, is_ahead(made, now))
    note = _read(Covered(*row), row[0], central.trusted)
    if note is None:
        return Backing(at, False, is_ahead(made, now))
    return Backing(note.at, True, is_ahead(_made(note), now))  # what lies beside it, anybody may have written


def _read(row: Covered, device: str, project: Project) -> BackupNote | None:
    if row.note is None:  # noted by an earlier version, or where central's key was not at hand
        return None
    try:
        note = read_note(row.note, [key for role, key in project.role_keys if role is Role.CENTRAL])
    except UntrustedError:
        return None
    return note if (note.project, note.device) == (project.id, device) else None


def _made(note: BackupNote) -> datetime:
    return datetime.fromisoformat(note.at)  # reading it made sure of that, and of its zone


def _is_kept(note: BackupNote, project: Project, now: datetime) -> bool:
    at = _made(note)
    return not is_ahead(at, now) and now - at <= timedelta(days=keep_days(project))
