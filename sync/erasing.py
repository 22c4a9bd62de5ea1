"""Withdrawals at central: known before anything is merged, erased after it, reported, passed on.

Tombstones and reports lie in the home's folders and in central's store; each learns from the other, so that several
sites over one store, and whoever pushes over a line, know the same. What is erased is central's to decide.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import instant
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.fieldwork.erasures import MAX_KEPT, Reports, Trust
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.container import Signer
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.erased import Place
from fieldsurvey.records.withdrawal import Tombstone
from sync.batches import Batch
from sync.central import Central
from sync.stick import Stick
from sync.store import Notice
from sync.withdrawals import (
    erase_on_stick,
    export_withdrawals,
    keep_withdrawals,
    tag_of_return,
    tags_withdrawn,
    take_reports,
)

NOTICE: Final = "erasure"
MAX_OF_DEVICE: Final = 500
"""Reports of one laptop: it makes one each time that it hears of withdrawals, however many they are."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of it. `erased`: records erased now; `withdrawn`: cases known to be; `sticks`: batch files that were
    taken off the stick, because they held some of it.
    """

    erased: int
    withdrawn: int
    sticks: int = 0


def learn_withdrawals(central: Central, home: Path, source: Path | None = None) -> int:
    """Before a merge: what is withdrawn here, at central, or on a stick (`source`) is known in both; how many were new.

    Raises StorageError.
    """
    project = central.project()
    if project is None:
        return 0
    kept = Withdrawals(home)
    new = keep_withdrawals(home, project.id, source).new if source is not None else 0
    told = {data for _tag, data in central.store.tombstones()}
    for data in told:
        with contextlib.suppress(UntrustedError):  # damaged in the database: `central verify` says so
            new += kept.enter(Tombstone.from_bytes(data))
    if lacking := [stone for stone in kept.of(project.id).values() if stone.to_bytes() not in told]:
        central.withdraw(*lacking)
    return new


def settle(central: Central, home: Path, key: Signer | None, now: datetime, source: Path | None = None) -> Settled:
    """After a merge, and whenever central's status is looked at: erase, report with central's `key`, pass reports on.

    `source`: a stick whose batches are all merged: what it holds of withdrawn cases goes from it, then withdrawals and
    reports are put on it. Without a key nothing is reported. Raises StorageError.
    """
    project = central.project()
    if project is None:
        return Settled(0, 0)
    learn_withdrawals(central, home, source)
    erased = central.erase()
    tags = tags_withdrawn(home, project.id)
    _forget_returns(central, tags)
    trust = trust_of(central)
    if source is not None:
        take_reports(home, trust, source)
    reports = Reports(home, trust)
    _from_notices(central, reports)
    if key is not None and tags:
        totals = _totals(central, tags)
        days = project.policy.retention.backup_days
        until = _backups_until(central, days, now) if any(totals.values()) else None
        reports.write(Place.CENTRAL, key, project.id, totals, now, backups_until=until, total=True)
    hand_on(central, reports)
    gone = 0
    if source is not None:
        gone = erase_on_stick(Stick(source), project.id, tags, lambda batch: _holds(central, batch))
        export_withdrawals(home, source)
    return Settled(erased, len(tags), gone)


def trust_of(central: Central) -> Trust:
    """Whose reports central believes: the project's, and every laptop's that sent something."""
    cards = []
    for device in central.store.devices():
        with contextlib.suppress(UntrustedError):  # damaged in the database: `central verify` says so
            cards.append(DeviceCard.from_bytes(device.card))
    return Trust.of(central.project(), *cards)


def makers(central: Central) -> dict[str, tuple[str, ...]]:
    """Tag of a withdrawal -> the laptops that logged something of its cases; one look at what is withdrawn."""
    found: dict[str, set[str]] = {}
    for case in central.store.withdrawn_cases():
        entries = central.store.case(case)
        devices = {entry.device for entry in entries}
        for tag in {entry.withdrawal.hex() for entry in entries if entry.withdrawal}:
            found.setdefault(tag, set()).update(devices)
    return {tag: tuple(sorted(devices)) for tag, devices in found.items()}


def hear_reports(central: Central, files: Iterable[bytes]) -> int:
    """Reports that came over a line: those that their places signed are kept to be passed on; how many were new.

    Of one laptop MAX_OF_DEVICE are kept: who copied its carrier key could make as many as he likes. What cannot be
    believed here is passed over, and stops nothing that comes after it: it may be of a laptop that is heard of later,
    or signed with a key that was replaced since. Raises StorageError.
    """
    trust = trust_of(central)
    by_device: dict[str, list[Notice]] = {}
    for data in dict.fromkeys(files):
        try:
            device = trust.read(data).report.device or ""
        except UntrustedError:
            continue
        by_device.setdefault(device, []).append(Notice(NOTICE, hashlib.sha256(data).digest(), device, data))
    new: list[Notice] = []
    for device, told in by_device.items():
        known = {one.digest for one in central.store.notices(NOTICE, device)}
        room = max(0, (MAX_OF_DEVICE if device else MAX_KEPT) - len(known))
        new += [one for one in told if one.digest not in known][:room]
    if not new:
        return 0
    with central.store.write() as writer:
        return sum(writer.notice(one) for one in sorted(new, key=lambda one: one.digest))


def hand_on(central: Central, reports: Reports) -> None:
    """Reports that are kept in a home become central's, for whoever asks it. Raises StorageError."""
    known = {notice.digest for notice in central.store.notices(NOTICE)}
    new = []
    for data in reports.files():
        digest = hashlib.sha256(data).digest()
        with contextlib.suppress(UntrustedError):  # of a key that has retired since it was kept
            if digest not in known:
                new.append(Notice(NOTICE, digest, reports.trust.read(data).report.device or "", data))
    if new:
        with central.store.write() as writer:
            for notice in new:
                writer.notice(notice)


def _holds(central: Central, batch: Batch) -> bool:
    """Whether everything in a batch is here, or erased here."""
    return not central.store.missing(batch.device, [(entry.seq, entry.head) for entry in batch.entries])


def _forget_returns(central: Central, tags: frozenset[str]) -> None:
    """Returned work holds a case's answers, sealed to its laptop."""
    if not tags:
        return
    gone = [notice.digest for notice in central.store.notices("return") if tag_of_return(notice.data) in tags]
    if gone:
        with central.store.write() as writer:
            writer.forget("return", gone)


def _totals(central: Central, tags: frozenset[str]) -> Counter[str]:
    """For every withdrawn tag, how many records of its cases are erased here; 0 where none ever came."""
    found: Counter[str] = Counter(dict.fromkeys(tags, 0))
    for case in central.store.withdrawn_cases():
        entries = central.store.case(case)
        gone = len(central.store.erased([entry.record_hash for entry in entries]))
        for tag in {entry.withdrawal.hex() for entry in entries if entry.withdrawal} & tags:
            found[tag] += gone
    return found


def _backups_until(central: Central, days: int, now: datetime) -> date | None:
    """The last day on which a backup that was made so far is kept; from today, where its date cannot be true."""
    last = central.store.last_backup()
    return min(instant(last) or now, now).date() + timedelta(days=days) if last is not None else None


def _from_notices(central: Central, reports: Reports) -> None:
    for notice in central.store.notices(NOTICE):
        with contextlib.suppress(UntrustedError):  # damaged, or of a key that has retired meanwhile
            reports.keep(notice.data)
