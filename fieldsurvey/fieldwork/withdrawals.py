"""Withdrawals on a laptop: who brings a code has the case excluded everywhere, and erased here at once.

A withdrawal is a tombstone (see `records.withdrawal`) in the folder `withdrawals` beside the vault, so that a locked
laptop takes it too; it travels with what is exported. The tombstone is durable before a body goes, and it is applied
again whenever the laptop is unlocked or exports: a crash in between, or a restored backup, brings nothing back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.base.files import private_folder, write_atomic
from fieldsurvey.fieldwork.backup_places import backups_until
from fieldsurvey.fieldwork.cards import State
from fieldsurvey.fieldwork.erasures import Overdue, Reports, Standing, Trust, overdue, standings
from fieldsurvey.fieldwork.standing import reached
from fieldsurvey.project.model import Project
from fieldsurvey.records.envelope import Header, read_header
from fieldsurvey.records.erased import ErasedCase, Place
from fieldsurvey.records.log import LogEntry
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erase_bodies
from fieldsurvey.vault.purge import drop_withdrawn_returns
from fieldsurvey.vault.returned import stored_returns

FOLDER: Final = "withdrawals"
SUFFIX: Final = ".fsw"
MAX_BYTES: Final = 1024 + 8  # with its check
MAX_KEPT: Final = 10_000
"""Tombstones that a place takes from sticks and lines, which nobody signs: more than any project has, few enough to be
read in a second. What somebody enters at the place itself is always kept."""


class WithdrawnError(RefusedError):
    """The person took an interview back before it was sealed."""

    code = "fieldwork.withdrawn"
    template = "The person withdrew this interview before it was sealed."
    hint = "It was erased, as asked. Nothing of it was sealed, and no other interview was touched."


@dataclass(frozen=True, slots=True)
class Held:
    """A record of the case on this laptop: what its clear header says, how far it got, where it was copied and when."""

    seq: int
    kind: str
    revision: int
    size: int
    state: State
    copied: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """What this laptop holds about a code; never an answer. `requested`: the day on which it was withdrawn, or None.

    `places`: once it is withdrawn, where it is erased and where not yet; known where the project is given.
    """

    held: tuple[Held, ...]
    requested: str | None
    places: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Erased:
    """What a withdrawal did here. `new`: it had not been entered on this laptop before. `bodies`: records erased."""

    tombstone: Tombstone
    new: bool
    bodies: int
    held: tuple[Held, ...]


class Withdrawals:
    """The tombstones of a laptop, central or the HMU: one file each, named after its tag."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def enter(self, tombstone: Tombstone) -> bool:
        """Keep it, durably; whether it is new here. The first day of a request stands, wherever it was asked.

        Raises StorageError.
        """
        known = self.find(tombstone.tag)
        if known is not None and known.requested <= tombstone.requested:
            return False
        private_folder(self.folder)
        write_atomic(self._path(tombstone.tag), tombstone.to_bytes(), private=True)
        return known is None

    def find(self, tag: str) -> Tombstone | None:
        """The tombstone of a tag. A file that is not whole, or does not prove its code, is none."""
        found = read_tombstone(self._path(tag))
        return found if found is not None and found.tag == tag else None

    def holds(self, tag: str) -> bool:
        """Whether the case of this tag is withdrawn."""
        return self.find(tag) is not None

    def of(self, project: str) -> dict[str, Tombstone]:
        """Those of a project, by tag."""
        return {stone.tag: stone for stone in self if stone.project == project}

    def __iter__(self) -> Iterator[Tombstone]:
        if self.folder.is_dir():
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                found = self.find(path.stem)
                if found is not None:
                    yield found

    def _path(self, tag: str) -> Path:
        return self.folder / f"{tag}{SUFFIX}"


def read_tombstone(path: Path) -> Tombstone | None:
    """A tombstone, None for a file that is not there or not one. Reads no more than one can have."""
    try:
        with path.open("rb") as stream:
            return Tombstone.from_bytes(stream.read(MAX_BYTES + 1))
    except (OSError, UntrustedError):
        return None


def access(log: SealedLog, code: WithdrawalCode, project: Project | None = None, today: date | None = None) -> Access:
    """What is held here about a code, and with the project: what became of a withdrawal place by place. Works locked.

    `today`: by default the machine's day.
    """
    card = log.device_card()
    tag = code.tag(card.project)
    tombstone = Withdrawals(log.path.parent).find(tag)
    parts = logs_of(log)
    held = tuple(one for part in parts for one, *_ in _records(part, frozenset({tag})))
    places: tuple[Standing, ...] = ()
    if tombstone is not None and project is not None:
        reports = Reports(log.path.parent, Trust.of(project, *(part.device_card() for part in parts)))
        ours = any(case.tag == tag and case.records for case in _said(log))
        relayed = ours and any(part.acknowledged().get("received") for part in parts)
        places = standings(
            tag,
            tombstone.requested,
            project,
            reports,
            today or datetime.now(UTC).date(),
            devices=[card.device],
            relayed=relayed,
        )
    return Access(held, tombstone.requested if tombstone else None, places)


def overdue_at(log: SealedLog, project: Project, today: date) -> tuple[Overdue, ...]:
    """Which places have not reported withdrawals in time, as far as this laptop has heard. Works locked."""
    home = log.path.parent
    requests = {tag: stone.requested for tag, stone in Withdrawals(home).of(project.id).items()}
    if not requests:
        return ()
    cards = [part.device_card() for part in logs_of(log)]
    reports = Reports(home, Trust.of(project, *cards))
    return overdue(requests, project, reports, today, devices_of=lambda _tag: [cards[0].device])


def _said(log: SealedLog) -> list[ErasedCase]:
    """What this laptop has reported."""
    own = Reports(log.path.parent, Trust.of(None, log.device_card()))
    return [case for heard in own for case in heard.report.cases]


def withdraw(log: SealedLog, code: WithdrawalCode, today: date, now: datetime | None = None) -> Erased:
    """Enter a withdrawal on this laptop and erase what it holds of the case. Works locked. Raises StorageError.

    A completed interview that waits inside the vault is found, and erased, when its enumerator unlocks next.
    """
    tombstone = Tombstone(project=log.device_card().project, code=code.raw, requested=today.isoformat())
    held = access(log, code).held
    new = Withdrawals(log.path.parent).enter(tombstone)
    return Erased(tombstone, new, apply_all(log, now), held)


def apply_all(log: SealedLog, now: datetime | None = None) -> int:
    """Erase every body that a tombstone kept here names, and report it; how many there were. Raises StorageError.

    `now` stands in the report; by default the machine's time.
    """
    home = log.path.parent
    project = log.device_card().project
    tags = frozenset(Withdrawals(home).of(project))
    if not tags:
        return 0
    drop_withdrawn_returns(log, tags)
    gone: Counter[str] = Counter()
    for part in logs_of(log):
        named = list(_records(part, tags))
        if named:
            erase_bodies(part, [entry for _held, entry, _header in named])
            gone.update(header.withdrawal for _held, _entry, header in named if header.withdrawal)
    _report(log, {tag: gone[tag] for tag in tags}, now or datetime.now(UTC))
    return gone.total()


def _report(log: SealedLog, gone: Mapping[str, int], now: datetime) -> None:
    """Say what is gone. While a draft lies in the vault, nobody can tell whether it is of a case that is not here; and
    one that is being mended is erased when it is left.
    """
    certain = gone if log.draft_count() == 0 else {tag: count for tag, count in gone.items() if count}
    mended = {one.tag for one in stored_returns(log) if one.state in {"waiting", "draft"}}
    certain = {tag: count for tag, count in certain.items() if tag not in mended}
    if certain:
        card = log.device_card()
        reports = Reports(log.path.parent, Trust.of(None, card))
        until = backups_until(log.path.parent) if any(certain.values()) else None
        reports.write(Place.LAPTOP, log.carrier, card.project, certain, now, device=card.device, backups_until=until)


def logs_of(log: SealedLog) -> list[SealedLog]:
    """The laptop's log and those before it."""
    return [log, *log.former_logs()]


def _records(log: SealedLog, tags: frozenset[str]) -> Iterator[tuple[Held, LogEntry, Header]]:
    up_to = reached(log)
    copies = log.copied()
    for entry, record in log.entries():
        try:
            header = read_header(record)
        except UntrustedError:  # damaged on this disk: whose it was cannot be told; `device verify` names it
            continue
        if header.withdrawal not in tags:
            continue
        state = State.SEALED
        for candidate in (State.COPIED, State.RECEIVED, State.ACKNOWLEDGED):
            if entry.seq <= up_to[candidate]:
                state = candidate
        places = tuple((copy.place, copy.at) for copy in copies if copy.up_to >= entry.seq)
        yield Held(entry.seq, header.kind, header.revision, len(record), state, places), entry, header
