"""Opening a round: every case that counts at central is opened with the HMU's key; what was asked in the round is kept.

Chunks of records go to worker processes where there are many; results are taken in order, so the dataset is the same
however it was made. At most a few chunks are in flight. Nothing is written here: see `store`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from fieldsurvey.base.i18n import ngettext
from fieldsurvey.needs.opened.dataset import Dataset, LeftOut, Quality, Table
from fieldsurvey.needs.opened.errors import (
    ForeignCentralError,
    ForeignKeyError,
    HelpersLostError,
    RetentionEndedError,
    TooFewPeopleError,
    UnknownRoundError,
)
from fieldsurvey.needs.opened.frames import Gathering
from fieldsurvey.needs.opened.layout import Layout
from fieldsurvey.needs.opened.worker import KEPT_APART, Bench, Chunk, FormSource, Sealed, Setup, open_chunk
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.model import Project
from fieldsurvey.project.policy import Round
from fieldsurvey.project.signed import SignedProject
from sync.central import Central
from sync.merge import CaseView
from sync.proving import Proof

Progress = Callable[[int, int, str], None]
"""(records done, of how many, how many are in the round so far, in words)."""

POOL_FROM: Final = 2_000
"""Records: below, starting processes takes longer than it saves."""
CHUNK_RECORDS: Final = 250
CHUNK_BYTES: Final = 4 << 20
_MOST_NAMES: Final = 20


class _Wanted(NamedTuple):
    """A case's current record; a case is opened as it stood when opening began."""

    record_hash: bytes
    device: str
    case: str
    revision: int
    conflict: bool
    proposal: bool
    parent: bytes | None
    withdrawal: bytes | None
    seq: int
    head: bytes


@dataclass(slots=True)
class _Cases:
    """What central's projection says, before anything is opened."""

    wanted: list[_Wanted] = field(default_factory=list)
    withdrawn: int = 0
    only_proposals: int = 0

    def take(self, case: CaseView) -> None:
        current = case.current
        if current is not None:
            self.wanted.append(
                _Wanted(
                    current.record_hash,
                    current.device,
                    current.case,
                    current.revision,
                    case.in_conflict,
                    bool(case.proposals),
                    current.parent,
                    current.withdrawal,
                    current.seq,
                    current.head,
                )
            )
        elif case.withdrawn:
            self.withdrawn += 1
        else:
            self.only_proposals += 1


@dataclass(slots=True)
class _Tally:
    """What the chunks say of their records, added up."""

    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    mistyped: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: dict[bytes, str] = field(default_factory=dict)

    def take(self, chunk: Chunk) -> None:
        self.left.update(chunk.left)
        self.counts.update(chunk.counts)
        self.unknown.update(chunk.unknown)
        self.mistyped.update(chunk.mistyped)


def open_round(
    central: Central,
    project: SignedProject,
    hmu_keys: HmuKeys,
    survey_round: Round,
    *,
    executor: Executor | None = None,
    people: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """The dataset of a round: the current record of every case whose `fieldwork_date` lies in it, both ends included.

    A case that is withdrawn is not opened. A record that cannot be opened or read stops nothing: see Quality. Which
    devices count is central's to say, from the newest project that it has learned, and `project`'s: both must.

    `executor`: where chunks are opened (any; one that runs elsewhere is sent the key); by default this process, and
    from POOL_FROM records on one process a core. `people`: how many gave their passphrase. Raises ForeignKeyError,
    ForeignCentralError, TooFewPeopleError, HelpersLostError, StorageError of central's.
    """
    model = project.model
    check_may_open(central, model, hmu_keys, people)
    setup = Setup(
        project=model.id,
        seeds=tuple(key.seed for key in hmu_keys.recipients),
        forms=_sources(project),
        start=date.fromisoformat(survey_round.start),
        end=date.fromisoformat(survey_round.end),
    )
    bench = Bench(setup)
    gathering = Gathering(_versions(model, bench))
    cases = _Cases()
    for case in central.cases():
        cases.take(case)
    tally = _Tally()
    total = len(cases.wanted)
    with _opener(executor, bench, total) as opened:
        for chunk in opened(_chunks(central, _proved(central, model, cases, tally))):
            gathering.take(chunk)
            tally.take(chunk)
            if progress:
                kept = tally.counts["kept"]
                text = ngettext("{n} record in the round", "{n} records in the round", kept).format(n=kept)
                progress(tally.counts.total(), total, text)
    tables = gathering.tables()
    quality = _quality(central, cases, tally, gathering, tables)
    return Dataset(
        project=model.id, project_version=model.version, survey_round=survey_round, quality=quality, tables=tables,
        left_out=_left_out(central, cases, tally),
    )  # fmt: skip


def _proved(central: Central, model: Project, cases: _Cases, tally: _Tally) -> list[_Wanted]:
    """Those that an enrolled laptop's own signature covers: whoever can write to central's database could add others,
    and a project that enrols others.
    """
    proof = Proof(central.store, model.id)
    ends = {device.id: device.revoked_from for device in model.devices}
    found = []
    for one in cases.wanted:
        end = ends.get(one.device, 0)
        reason = "unsigned" if not proof.covers(one.device, one.head) else ""
        reason = reason or ("not_enrolled" if end is not None and one.seq >= end else "")
        if not reason:
            found.append(one)
            continue
        tally.left[one.record_hash] = reason
        tally.counts[reason] += 1
    return found


def _left_out(central: Central, cases: _Cases, tally: _Tally) -> tuple[LeftOut, ...]:
    """Which record it was, as its laptop's log has it: by laptop, then by place in its log."""
    project = central.project()
    names = {device.id: device.name for device in project.devices} if project else {}
    found = [
        LeftOut(one.device, names.get(one.device, one.device[:8]), one.seq, tally.left[one.record_hash])
        for one in cases.wanted
        if one.record_hash in tally.left
    ]
    return tuple(sorted(found, key=lambda one: (one.name, one.device, one.seq)))


def _quality(
    central: Central, cases: _Cases, tally: _Tally, gathering: Gathering, tables: tuple[Table, ...]
) -> Quality:
    counts = tally.counts
    flags = [table.frame for table in tables if not table.level]
    return Quality(
        cases=len(cases.wanted),
        kept=counts["kept"],
        outside=counts["outside"],
        undated=counts["undated"],
        practice=counts["practice"],
        unknown_form=counts["unknown_form"],
        not_opened={reason: counts[reason] for reason in sorted(counts.keys() - KEPT_APART)},
        withdrawn=cases.withdrawn,
        only_proposals=cases.only_proposals,
        quarantined=_quarantined(central),
        conflicts=sum(int(frame["_conflict"].sum()) for frame in flags),
        proposals=sum(int(frame["_proposal"].sum()) for frame in flags),
        duplicates=gathering.duplicates,
        unknown_forms=_named(tally.unknown),
        mistyped={f"{form} {column}": n for (form, column), n in sorted(tally.mistyped.items())},
    )


def round_named(project: SignedProject, name: str | None) -> Round:
    """The round of the project's plan with that id; without a name, the only one. Raises UnknownRoundError."""
    rounds = project.model.plan.rounds
    if name is None and len(rounds) == 1:
        return rounds[0]
    for found in rounds:
        if found.id == name:
            return found
    raise UnknownRoundError(known=", ".join(found.id for found in rounds) or "–")


def round_kept(project: SignedProject, name: str | None, today: date) -> Round:
    """`round_named`, while the policy lets the HMU keep answers. Raises UnknownRoundError, RetentionEndedError."""
    found = round_named(project, name)
    until = project.model.policy.retention.hmu_until
    if until is not None and today > date.fromisoformat(until):
        raise RetentionEndedError(round=found.id, until=until, today=today.isoformat())
    return found


def check_may_open(central: Central, model: Project, hmu_keys: HmuKeys, people: int) -> None:
    """Raises ForeignKeyError, ForeignCentralError, TooFewPeopleError."""
    if hmu_keys.project != model.id:
        raise ForeignKeyError
    serves = central.project()
    if serves is not None and serves.id != model.id:
        raise ForeignCentralError(place=central.store.place)
    if people < model.policy.people_to_open:
        raise TooFewPeopleError(needed=model.policy.people_to_open, given=people)


def _sources(project: SignedProject) -> dict[str, FormSource]:
    """Every form of the project, earlier versions included, by hash."""
    return {
        form.hash: FormSource(form.id, project.frames[form.hash], project.media_of(form.hash))
        for form in project.model.forms
    }


def _versions(model: Project, bench: Bench) -> Iterator[tuple[str, str, Layout]]:
    """Forms in the project's order; of each the current version, then the earlier ones, the newest of them first."""
    for current in model.current_forms:
        earlier = [form for form in model.forms if form.id == current.id and form.status == "earlier"]
        for form in (current, *reversed(earlier)):
            known = bench.form(form.hash)
            if known is not None:
                yield form.hash, form.id, known[1]


def _chunks(central: Central, wanted: list[_Wanted]) -> Iterator[list[Sealed]]:
    """Bodies fetched as they are needed; a chunk is bounded in records and in bytes."""
    chunk: list[Sealed] = []
    size = 0
    for item in wanted:
        blob = central.store.body(item.record_hash)
        record_hash, device, case, revision, conflict, proposal, parent, tag, _seq, _head = item
        chunk.append(Sealed(record_hash, device, case, revision, conflict, proposal, blob, parent, tag))
        size += len(blob or b"")
        if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@contextmanager
def _opener(
    executor: Executor | None, bench: Bench, records: int
) -> Iterator[Callable[[Iterator[list[Sealed]]], Iterator[Chunk]]]:
    """Gives what turns chunks of sealed records into opened ones, in order."""
    workers = os.cpu_count() or 1
    if executor is not None:
        yield lambda chunks: _spread(executor, bench.setup, chunks, 2 * workers)
    elif records < POOL_FROM or workers == 1:
        yield lambda chunks: (bench.open(chunk) for chunk in chunks)
    else:
        # spawn: a forked process would take along the threads' locks of the tables' library, and Windows has no other
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield lambda chunks: _spread(pool, bench.setup, chunks, 2 * workers)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _spread(executor: Executor, setup: Setup, chunks: Iterator[list[Sealed]], ahead: int) -> Iterator[Chunk]:
    """Results in the order of `chunks`, with at most `ahead` of them waiting."""
    waiting: deque[Future[Chunk]] = deque()
    try:
        for chunk in chunks:
            waiting.append(executor.submit(open_chunk, setup, chunk))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor:
        raise HelpersLostError from None
    finally:
        for future in waiting:
            future.cancel()


def _quarantined(central: Central) -> int:
    """Log entries that do not count: of devices not enrolled, or from their revocation on."""
    project = central.project()
    found = 0
    for device_id in {stored.device for stored in central.store.devices()}:
        device = project.device(device_id) if project else None
        if device is None or device.revoked_from is not None:
            found += central.store.entries_from(device_id, device.revoked_from or 1 if device else 1)
    return found


def _named(unknown: Counter[tuple[str, str]]) -> dict[str, int]:
    """Forms that the project does not know: what their records call them, the most frequent first."""
    ordered = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))
    named = {f"{form} {version}".strip(): n for (form, version), n in ordered[:_MOST_NAMES]}
    rest = sum(n for _form, n in ordered[_MOST_NAMES:])
    return {**named, "…": rest} if rest else named
