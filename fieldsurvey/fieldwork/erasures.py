"""Reports of erasure as a place keeps them, and what they come to: where a withdrawn case is gone, where it is not yet.

One file each in the folder `erased` beside the database, named after its bytes; only what its place's key signed
counts. A place says the same thing once. It erases nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import private_folder, write_atomic
from fieldsurvey.project.model import Project
from fieldsurvey.records.container import Signer
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.erased import (
    MAX_BYTES,
    MAX_CASES,
    ErasedCase,
    ErasureReport,
    HeardReport,
    Place,
    read_erasure,
    write_erasure,
)
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import VerifyKey

FOLDER: Final = "erased"
SUFFIX: Final = ".fsx"
MAX_KEPT: Final = 10_000
"""Reports that a place keeps."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose reports count: the project's role keys, the carrier keys of laptops by device.

    `before`: device -> the device that it was before a restore or a new vault; what one says holds for the other.
    `retired`: role keys that were replaced. What they sign now counts for nothing; what was kept while they stood does.
    """

    roles: tuple[tuple[Role, VerifyKey], ...] = ()
    retired: tuple[tuple[Role, VerifyKey], ...] = ()
    carriers: Mapping[str, VerifyKey] | None = None
    before: Mapping[str, str] | None = None

    @classmethod
    def of(cls, project: Project | None, *cards: DeviceCard) -> Trust:
        """Of a project's roles and devices, and of laptops whose cards are at hand, enrolled or not."""
        enrolled = {device.id: device for device in project.devices} if project else {}
        known = {card.device: card for card in (*(one.card for one in enrolled.values()), *cards)}
        before = {
            card.device: card.parent.device
            for card in cards
            if card.parent and (former := known.get(card.parent.device)) and card.goes_on_from(former)
        }
        if project:
            before |= {one.id: was.id for one in enrolled.values() if (was := project.before(one))}
        return cls(
            project.role_keys if project else (),
            tuple((one.role, one.key) for one in project.roles if one.retired is not None) if project else (),
            {device: card.carrier_key for device, card in known.items()},
            before,
        )

    def read(self, data: bytes) -> HeardReport:
        """Raises UntrustedError: damaged, forged, or of somebody unknown."""
        return read_erasure(data, self.roles, self.carriers or {})

    def read_kept(self, data: bytes) -> HeardReport:
        """The same of a report that was read before it was kept. Raises UntrustedError."""
        return read_erasure(data, (*self.roles, *self.retired), self.carriers or {})

    def line(self, device: str) -> tuple[str, ...]:
        """A device and those that it was before."""
        found = [device]
        while (earlier := (self.before or {}).get(found[-1])) and earlier not in found:
            found.append(earlier)
        return tuple(found)


class Reports:
    """The reports kept at a place."""

    def __init__(self, home: Path, trust: Trust) -> None:
        self.folder = home / FOLDER
        self.trust = trust

    def __iter__(self) -> Iterator[HeardReport]:
        for data in self.files():
            try:
                yield self.trust.read_kept(data)
            except UntrustedError:  # damaged, or of a laptop that the project does not name: it says nothing
                continue

    def files(self) -> Iterator[bytes]:
        """Every file as it lies there, verified or not, oldest name first."""
        if self.folder.is_dir():
            for path in sorted(self.folder.glob(f"*{SUFFIX}"))[:MAX_KEPT]:
                data = read_file(path)
                if data is not None:
                    yield data

    def keep(self, data: bytes) -> bool:
        """Keep a report of somebody known; whether it is new here. Raises UntrustedError, StorageError."""
        self.trust.read(data)
        return self._put(data)

    def _put(self, data: bytes) -> bool:
        path = self.folder / name_of(data)
        if read_file(path) == data:
            return False
        private_folder(self.folder)
        write_atomic(path, data, private=True)
        return True

    def write(
        self,
        place: Place,
        signer: Signer,
        project: str,
        erased: Mapping[str, int],
        now: datetime,
        *,
        device: str | None = None,
        backups_until: date | None = None,
        total: bool = False,
    ) -> tuple[ErasureReport, ...]:
        """Say which cases this place holds nothing of any more, as far as it has not said so; what was said now.

        `erased`: tag -> records erased since the last report, or with `total` ever. Raises StorageError.
        """
        said = self._said(place, signer.public)
        cases = []
        for tag, count in sorted(erased.items()):
            records = count if total else said.get(tag, 0) + count
            if tag not in said or records > said[tag]:
                cases.append(ErasedCase(tag=tag, records=records))
        made = []
        for start in range(0, len(cases), MAX_CASES):
            report = ErasureReport(
                project=project,
                place=place,
                device=device,
                cases=tuple(cases[start : start + MAX_CASES]),
                backups_until=backups_until.isoformat() if backups_until else None,
                at=now.astimezone().isoformat("T", "seconds"),
            )
            self._put(write_erasure(report, signer))
            made.append(report)
        return tuple(made)

    def _said(self, place: Place, key: VerifyKey) -> dict[str, int]:
        found: dict[str, int] = {}
        for heard in self:
            if heard.report.place is place and heard.key == key:
                for case in heard.report.cases:
                    found[case.tag] = max(found.get(case.tag, 0), case.records)
        return found


def name_of(data: bytes) -> str:
    """A report's file name: for people, and so that the same report is one file. Readers do not trust it."""
    return hashlib.sha256(data).hexdigest()[:32] + SUFFIX


def read_file(path: Path) -> bytes | None:
    """A report's bytes, None for a file that is not there or too long to be one."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_BYTES else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A place and a withdrawn case. `name`: the project's word for it.

    `at`: when it reported that it holds nothing any more (its own clock), None: no word yet; `records`: how many it
    had. `due`: the last day by policy. `backups_until`: until then a backup made there may still hold it.
    """

    place: Place
    name: str
    due: str
    at: str | None = None
    records: int = 0
    backups_until: str | None = None
    overdue: bool = False


def due_day(requested: str, project: Project) -> date:
    """The last day on which a place may still hold the case: the policy's days after the request, at most 5."""
    return date.fromisoformat(requested) + timedelta(days=project.policy.retention.withdrawal_days)


def standings(
    tag: str,
    requested: str,
    project: Project,
    reports: Reports,
    today: date,
    *,
    devices: Iterable[str] = (),
    relayed: bool = False,
    heard: Iterable[HeardReport] | None = None,
) -> tuple[Standing, ...]:
    """Place by place: central, the HMU, relays, laptops.

    Central and the HMU must report; so must `devices`, which are known to have held it, unless they are revoked, and
    the relays, where it is known that the case went through one (`relayed`). Whoever else reported is listed too.
    `heard`: the reports, where they have been read already.
    """
    due = due_day(requested, project)
    every = reports if heard is None else heard
    spoken = [(one, case) for one in every for case in one.report.cases if case.tag == tag]

    def standing(place: Place, name: str, mine: list[tuple[HeardReport, ErasedCase]]) -> Standing:
        if not mine:
            return Standing(place, name, due.isoformat(), overdue=today > due)
        last, _case = max(mine, key=lambda pair: (datetime.fromisoformat(pair[0].report.at), pair[1].records))
        until = last.report.backups_until
        over = until is not None and date.fromisoformat(until) < today
        records = max(case.records for _one, case in mine)
        return Standing(place, name, due.isoformat(), last.report.at, records, None if over else until)

    found = []
    for place, role in ((Place.CENTRAL, Role.CENTRAL), (Place.HMU, Role.HMU)):
        names = [one.label for one in project.roles if one.role is role and one.retired is None]
        mine = [pair for pair in spoken if pair[0].report.place is place]
        if names or mine:
            found.append(standing(place, names[0] if names else place.value, mine))
    for one in (one for one in project.roles if one.role is Role.SUPERVISOR and one.retired is None):
        mine = [pair for pair in spoken if pair[0].report.place is Place.RELAY and pair[0].key == one.key]
        if mine or relayed:
            found.append(standing(Place.RELAY, one.label, mine))
    by_device: dict[str, list[tuple[HeardReport, ErasedCase]]] = {device: [] for device in devices}
    for pair in spoken:
        if pair[0].report.device is not None:
            line = reports.trust.line(pair[0].report.device)
            named = [device for device in line if device in by_device] or [line[0]]
            for device in named:
                by_device.setdefault(device, []).append(pair)
    for device, mine in sorted(by_device.items()):
        known = project.device(device)
        if mine or known is None or known.status == "enrolled":
            found.append(standing(Place.LAPTOP, known.name if known else device[:8], mine))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A place that should have reported by now. `count`: withdrawals; `due`: the first one's last day."""

    place: Place
    name: str
    count: int
    due: str


def overdue(
    requests: Mapping[str, str],
    project: Project,
    reports: Reports,
    today: date,
    *,
    devices_of: Callable[[str], Iterable[str]] = lambda _tag: (),
    nothing_at: Iterable[Place] = (),
) -> tuple[Overdue, ...]:
    """Which places have not reported withdrawals whose days are over. `requests`: tag -> day of the request.

    `devices_of`: the laptops known to have held a case; `nothing_at`: kinds of places known to have nothing.
    """
    none = frozenset(nothing_at)
    found: dict[tuple[Place, str], list[str]] = {}
    said = list(reports)
    for tag, requested in requests.items():
        if due_day(requested, project) >= today:
            continue
        for one in standings(tag, requested, project, reports, today, devices=devices_of(tag), heard=said):
            if one.overdue and one.place not in none:
                found.setdefault((one.place, one.name), []).append(one.due)
    return tuple(Overdue(place, name, len(days), min(days)) for (place, name), days in found.items())
