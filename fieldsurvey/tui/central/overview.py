"""What the first screen shows: each laptop as central sees it, and what somebody should do about it. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from fieldsurvey.base.clock import instant
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.fieldwork.erasures import Overdue
from fieldsurvey.project.model import WARN_DAYS, Project
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.receipt import Level, Receipt
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.erasing import settled, stale_backup
from sync.central import CaseCounts, Central, DeviceStatus, Where
from sync.covering import backing, believed
from sync.store import Counts, SeenBatch

BACKUP_DUE: Final = timedelta(days=1)
RECENT: Final = 8
"""Batches that the details of a laptop list."""


class Trouble(Enum):
    """Why a laptop needs somebody's attention, the gravest first."""

    FORK = "fork"
    GAP = "gap"
    STRANGER = "stranger"  # not enrolled: what it sends does not count yet
    ASIDE = "aside"  # revoked, and it sent more after the day
    SILENT = "silent"  # enrolled, and nothing ever came


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A laptop. `entries`: log entries held; `whole_to`: as `LogView`; `seen`: when its last batch came, ISO 8601.

    `backed_up`: up to which entry the newest backup holds its log, as central's key signed.
    """

    device: str
    name: str
    standing: Where
    entries: int = 0
    last: int = 0
    whole_to: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    forks: tuple[int, ...] = ()
    aside: int = 0
    seen: str | None = None
    batches: int = 0
    backed_up: int = 0

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """All of them, the gravest first."""
        found = {
            Trouble.FORK: bool(self.forks),
            Trouble.GAP: bool(self.gaps),
            Trouble.STRANGER: self.standing == "quarantined",
            Trouble.ASIDE: self.standing == "revoked" and self.aside > 0,
            Trouble.SILENT: self.standing == "enrolled" and not self.entries,
        }
        return tuple(trouble for trouble in Trouble if found[trouble])

    @property
    def absent(self) -> int:
        """How many entries the gaps are wide."""
        return sum(last - first + 1 for first, last in self.gaps)


@dataclass(frozen=True, slots=True)
class Overview:
    """Central at one moment. `name` is the project's, "" before anything is known of one; `days_left` of the project.

    `last_backup`: ISO 8601, None when there never was one.
    """

    place: str
    name: str
    version: int
    days_left: int
    counts: Counts
    cases: CaseCounts
    devices: tuple[DeviceRow, ...]
    last_backup: str | None
    now: datetime
    late: tuple[Overdue, ...] = ()
    """Places that have not reported withdrawals as erased, past the policy's days."""
    stale: str | None = None
    """By which day (ISO) a backup that holds what was erased since was to be gone; None where none is late."""
    backup_counts: bool = True
    """Nothing is known against the last backup: it is not dated in the future, and central's key signed for it."""

    @property
    def backup_due(self) -> bool:
        """Whether anything is held that nobody backed up for a day: laptops purge only what a backup holds."""
        if not self.counts.entries:
            return False
        made = instant(self.last_backup or "")
        return made is None or not self.backup_counts or self.now - made > BACKUP_DUE

    @property
    def to_look_at(self) -> int:
        """Cases in conflict, with proposals, or without their first revision; a case may count twice."""
        cases = self.cases
        return cases.in_conflict + cases.with_proposals + cases.original_missing

    @property
    def expires_soon(self) -> bool:
        """Whether laptops will soon warn of the project's age, or do already."""
        return self.days_left < WARN_DAYS


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """All that is known of one laptop. `created`: its own clock when it joined; `receipts`: what central vouches for.

    `parent`: the log that its own goes on from; `recent`: the last batches, the newest first.
    """

    row: DeviceRow
    created: str | None
    parent: LogParent | None
    receipts: tuple[Receipt, ...]
    recent: tuple[SeenBatch, ...]

    def up_to(self, level: Level) -> int:
        """The last entry that a receipt of this level speaks of."""
        return max((receipt.up_to for receipt in self.receipts if receipt.level is level), default=0)


def look(desk: Desk) -> Overview:
    """The same, where nothing may have been imported yet; what is withdrawn is erased first, as by `central status`.

    Raises StorageError, and what reading the project and the key raises.
    """
    if desk.begun:
        with desk.central() as central:
            late = settled(central, desk)
            return replace(overview(central), late=late, stale=stale_backup(central, desk))
    signed = desk.project()
    project = signed.model if signed else None
    now = desk.clock.now()
    return Overview(
        place=str(desk.home),
        name=project.name if project else "",
        version=project.version if project else 0,
        days_left=project.days_left(now) if project else WARN_DAYS,
        counts=Counts(0, 0, 0, 0, 0, 0, 0, 0),
        cases=CaseCounts(0, 0, 0, 0, 0),
        devices=in_order(silent(project, set())),
        last_backup=None,
        now=now,
    )


def overview(central: Central) -> Overview:
    """Look at all of central; reads every entry's head, no record. Raises StorageError."""
    status = central.status()
    project = central.project()
    now = central.clock.now()
    seen = last_seen(central.store.batches())
    held = [_row(central, device, seen) for device in status.devices]
    backed = backing(central)
    return Overview(
        place=status.place,
        name=project.name if project else "",
        version=project.version if project else 0,
        days_left=project.days_left(now) if project else WARN_DAYS,
        counts=status.counts,
        cases=status.cases,
        devices=in_order([*held, *silent(project, {row.device for row in held})]),
        last_backup=backed.at,
        now=now,
        backup_counts=backed.good or backed.at is None,
    )


def detail(central: Central, row: DeviceRow) -> DeviceDetail:
    """What the details show besides. Raises StorageError."""
    card = next((d.card for d in central.store.devices() if d.device == row.device), None)
    read = _read(card)
    recent = sorted((b for b in central.store.batches() if b.device == row.device), key=lambda b: (b.seen, b.last))
    return DeviceDetail(
        row,
        created=read.created if read else None,
        parent=read.parent if read else None,
        receipts=tuple(central.receipts(row.device)),
        recent=tuple(reversed(recent[-RECENT:])),
    )


def last_seen(batches: Iterable[SeenBatch]) -> dict[str, tuple[str, int]]:
    """Device -> when its last batch came, and how many came."""
    found: dict[str, tuple[str, int]] = {}
    for batch in batches:
        when, count = found.get(batch.device, ("", 0))
        found[batch.device] = (max(when, batch.seen), count + 1)
    return found


def silent(project: Project | None, heard: set[str]) -> list[DeviceRow]:
    """The laptops of the project that nothing ever came from."""
    if project is None:
        return []
    return [
        DeviceRow(device.id, device.name, "revoked" if device.status == "revoked" else "enrolled")
        for device in project.devices
        if device.id not in heard
    ]


def in_order(rows: Iterable[DeviceRow]) -> tuple[DeviceRow, ...]:
    """The gravest trouble first, then by name."""
    gravity = list(Trouble)

    def weight(row: DeviceRow) -> tuple[int, str, str]:
        return (gravity.index(row.troubles[0]) if row.troubles else len(gravity), row.name.casefold(), row.device)

    return tuple(sorted(rows, key=weight))


def _row(central: Central, device: DeviceStatus, seen: Mapping[str, tuple[str, int]]) -> DeviceRow:
    log = device.log
    when, batches = seen.get(device.device, (None, 0))
    return DeviceRow(
        device=device.device,
        name=device.name,
        standing=device.standing,
        entries=log.entries,
        last=log.last,
        whole_to=log.whole_to,
        gaps=log.gaps,
        forks=log.forks,
        aside=device.aside,
        seen=when,
        batches=batches,
        backed_up=max((note.up_to for note in believed(central, device.device)), default=0),
    )


def _read(card: bytes | None) -> DeviceCard | None:
    if card is None:
        return None
    try:
        return DeviceCard.from_bytes(card)
    except UntrustedError:  # damaged in the database: `central verify` says so
        return None
