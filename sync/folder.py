"""A laptop and a stick: batches out; receipts, returned work and a newer project in. All of it works while locked.

What is exported starts after what central has confirmed, never after what was merely copied, or received by a relay: a
relay may lose a batch, and must erase it. A batch counts as copied when it has been read back; one that is on the stick
already is read and verified, not written again. What was erased after a withdrawal travels as an entry without record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import RefusedError, Rendered, StorageError, UntrustedError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.erasures import Trust
from fieldsurvey.fieldwork.laptop import PROJECT, Laptop
from fieldsurvey.fieldwork.returned import WARNED, IgnoredReturn, TakenReturn, take_return
from fieldsurvey.fieldwork.withdrawals import apply_all
from fieldsurvey.project.errors import OlderProjectError
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.container import MAX_FILE
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.receipt import MAX_BYTES, Level, Receipt, read_receipt
from fieldsurvey.records.returned import MAX_BYTES as MAX_RETURN
from fieldsurvey.records.returned import SUFFIX as RETURN_SUFFIX
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erased_entries
from fieldsurvey.vault.errors import ReceiptMismatchError
from sync.answers import SUFFIX
from sync.batches import MAX_BYTES as BATCH_BYTES
from sync.batches import MAX_ENTRIES, Batch, plan_batches, write_batch
from sync.journal import Journal
from sync.present import ExportedFile, batch_name, clear_unfinished, holds, present_on, without
from sync.refusals import RefusedFile, refusal, seems_ours, take_files
from sync.stick import Found, Progress, Stick, check_room, opened
from sync.withdrawals import erase_on_stick, export_withdrawals, tags_withdrawn, take_reports, take_withdrawals


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did. `after`: entries up to here were confirmed before and did not have to travel.

    `up_to`: everything from `after` up to here is on the stick; `left_out`: entries whose record is damaged or gone;
    those whose case was withdrawn are not among them.
    `former`: the same for each log before this one (a new vault, a restored backup) that had something to travel; its
    files and left out entries are among this report's too. `withdrawals`: how many were written beside the batches.
    """

    place: str
    after: int
    up_to: int
    head: int
    files: tuple[ExportedFile, ...] = ()
    left_out: tuple[int, ...] = ()
    former: tuple[ExportReport, ...] = ()
    withdrawals: int = 0

    @property
    def written(self) -> int:
        """Entries written now."""
        return sum(file.last - file.first + 1 for file in self.files if file.written)

    @property
    def present(self) -> int:
        """Entries that were on the stick already."""
        return sum(file.last - file.first + 1 for file in self.files if not file.written)


def export_batches(
    locked: SealedLog,
    target: Path,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
    everything: bool = False,
    max_entries: int = MAX_ENTRIES,
    max_bytes: int = BATCH_BYTES,
) -> ExportReport:
    """Put on `target` what nobody has confirmed yet, of former logs too. `progress` counts the records of each log.

    `everything`: from the first entry on whose record is still here. Raises StorageError (full, pulled out, read-only):
    what was on the stick and in the vault is then as it was, apart from batches that are already whole; trying again
    goes on from there.
    """
    time = clock or SystemClock()
    take_withdrawals(locked, target)  # what was withdrawn, here or on the stick, is not handed on
    apply_all(locked, time.now())
    withdrawals = export_withdrawals(locked.path.parent, target)
    _erase_on(Stick(target), locked)

    def export(log: SealedLog) -> ExportReport:
        after = log.purged_up_to() if everything else at_central(log)
        return _export_log(log, target, after, progress, now=time.now(), bounds=(max_entries, max_bytes))

    journal = Journal(locked.path.parent, time)
    device = locked.device_card().device
    try:
        former = [export(log) for log in locked.former_logs()]
        own = export(locked)
    except StorageError as error:
        journal.note("refusal", "laptop", place=str(target), device=device, code=error.code)
        raise
    report = replace(
        own,
        files=tuple(file for report in [*former, own] for file in report.files),
        left_out=tuple(seq for report in [*former, own] for seq in report.left_out),
        former=tuple(report for report in former if report.head > report.after),
        withdrawals=withdrawals,
    )
    journal.note(
        "export",
        "laptop",
        place=str(target),
        device=device,
        written=report.written,
        present=report.present,
        up_to=report.up_to,
        left_out=len(report.left_out),
        withdrawals=withdrawals,
    )
    return report


def at_central(log: SealedLog) -> int:
    """Up to which entry central has confirmed a log, 0 for none; a relay's word does not count."""
    levels = log.acknowledged()
    return max(levels.get(Level.COMMITTED.value, 0), levels.get(Level.BACKED_UP.value, 0))


def _erase_on(stick: Stick, locked: SealedLog) -> None:
    """Take this laptop's own batches off a stick that hold what was withdrawn since; they are written anew without.

    Not one that has the only good copy of another record.
    """
    tags = tags_withdrawn(locked.path.parent, locked.device_card().project)
    logs = {log.device_card().device: log for log in locked.logs()}

    def ours(batch: Batch) -> bool:
        log = logs.get(batch.device)
        if log is None or not holds(log, batch.last, batch.entries[-1].head):
            return False
        here = {entry.seq for entry in erased_entries(log)}
        here |= {
            one.seq for one, record in log.entries(batch.first, batch.last) if record_hash(record) == one.record_hash
        }
        return all(entry.seq in here or entry.seq <= at_central(log) for entry in batch.present)

    erase_on_stick(stick, locked.device_card().project, tags, ours)


def _export_log(
    locked: SealedLog, target: Path, after: int, progress: Progress | None, *, now: datetime, bounds: tuple[int, int]
) -> ExportReport:
    """One log, from the entry after `after` on; `bounds`: entries and bytes of a batch."""
    max_entries, max_bytes = bounds
    head = locked.head().seq
    if head <= after:
        return ExportReport(str(target), after, after, head)
    stick = Stick(target)
    stick.make(stick.batches)
    clear_unfinished(stick, locked)
    present = list(present_on(stick, locked))
    todo = without(range(after + 1, head + 1), present)
    check_room(stick, sum(locked.stored_bytes(stretch[0], stretch[-1]) for stretch in todo))
    gone = list(erased_entries(locked))
    total = sum(len(stretch) for stretch in todo)
    files = list(present)
    done = 0
    for stretch in todo:
        for plan in plan_batches(
            locked, stretch[0], stretch[-1], erased=gone, max_entries=max_entries, max_bytes=max_bytes
        ):
            path = stick.batches / batch_name(locked, plan)
            try:
                write_atomic(path, _told(write_batch(locked, plan), done, total, path.name, progress))
            except StorageError as error:  # a person knows the stick, not the file
                raise type(error)(place=str(target)) from error
            files.append(ExportedFile(path.name, plan.first, plan.last, written=True))
            done += len(plan.entries)
    left = [seq for part in without(range(after + 1, head + 1), files) for seq in part]
    up_to = left[0] - 1 if left else head
    locked.mark_copied(up_to, str(target), now)
    files.sort(key=lambda file: (file.first, file.last))
    return ExportReport(str(target), after, up_to, head, tuple(files), tuple(left))


def _told(pieces: Iterator[bytes], done: int, total: int, text: str, progress: Progress | None) -> Iterator[bytes]:
    """Pass the pieces of a batch on (the first is its manifest, then one a record), reporting each record."""
    for number, piece in enumerate(pieces):
        yield piece
        if progress and number:
            progress(done + number, total, text)


@dataclass(frozen=True, slots=True)
class IgnoredReceipt:
    """A receipt file that changed nothing, with the reason in the user's language.

    other: another laptop's, which is usual on a shared stick. older: says no more than what is known, or a key signed
    it that was replaced since. forged: its signature or shape does not hold. history: it speaks of another history of
    this very laptop (a clone, a backup).
    """

    name: str
    kind: Literal["other", "older", "forged", "history"]
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiptsReport:
    """What came back on a stick. `project`: a newer one that was taken; `project_problem`: why one was not.

    `withdrawals`: how many were new here; what they name was erased. `returned`: records that the HMU sent back, which
    wait until their enumerator unlocks; `returns_ignored`: those that somebody should hear of. `purged`: records whose
    body was let go of, because central has it safe. `refused`: files that are damaged or could not be read; the rest
    was taken.
    """

    taken: tuple[Receipt, ...] = ()
    ignored: tuple[IgnoredReceipt, ...] = ()
    project: SignedProject | None = None
    project_problem: Rendered | None = None
    withdrawals: int = 0
    returned: int = 0
    returns_ignored: tuple[IgnoredReturn, ...] = ()
    purged: int = 0
    refused: tuple[RefusedFile, ...] = ()

    @property
    def warnings(self) -> tuple[IgnoredReceipt, ...]:
        """Those that somebody should hear of."""
        return tuple(item for item in self.ignored if item.kind in {"forged", "history"})


def collect(laptop: Laptop, source: Path, *, place: str | None = None, let_go: bool = True) -> ReceiptsReport:
    """What a laptop takes from a stick: a newer project, withdrawals, the receipts that the project's role keys signed.

    Then it lets go of what the policy no longer keeps, unless `let_go` is false: somebody may be asking for it just
    now. `place`: what the sync log calls it, where it is no stick.

    Raises NothingHereError, StorageError; a file that is refused is reported and keeps no other one away.
    """
    stick = Stick(source)
    stick.require()
    newer: SignedProject | None = None
    problem: Rendered | None = None
    try:
        if stick.project.is_file():
            with opened(stick.project) as stream:
                data = stream.read(MAX_FILE + 1)
            newer = _update(laptop, data)
    except OlderProjectError:  # the usual case of a stick that has been on the road
        problem = None
    except (UntrustedError, RefusedError, StorageError) as error:
        problem = refusal(error, stick.project)
        stick.stays()
    # before the receipts: one that leaves out a record holds where that was erased here, as a withdrawal there asks
    withdrawn = take_withdrawals(laptop.locked, source)
    report = take_receipts(laptop.locked, source, laptop.project, now=laptop.clock.now())
    cards = [log.device_card() for log in laptop.locked.logs()]
    reports = take_reports(laptop.home, Trust.of(laptop.project.model, *cards), source)
    returned, odd, unread = _take_returns(laptop, stick)
    report = replace(
        report,
        project=newer,
        project_problem=problem,
        withdrawals=withdrawn.new,
        returned=returned,
        returns_ignored=odd,
        purged=laptop.purge().records if let_go else 0,
        refused=(*report.refused, *withdrawn.refused, *reports.refused, *unread),
    )
    _note_collected(
        Journal(laptop.home, laptop.clock), laptop.locked.device_card().device, place or str(source), report
    )
    return report


def _take_returns(laptop: Laptop, stick: Stick) -> tuple[int, tuple[IgnoredReturn, ...], tuple[RefusedFile, ...]]:
    """How many wait now, what somebody should hear of, and what could not be read."""
    taken = 0
    odd = []

    def take(data: bytes, name: str) -> None:
        nonlocal taken
        found = take_return(laptop.locked, data, laptop.project)
        if isinstance(found, TakenReturn):
            taken += 1
        elif found.kind in WARNED and seems_ours(name, data, RETURN_SUFFIX):
            odd.append(replace(found, name=name))

    refused = take_files(stick, stick.returned, RETURN_SUFFIX, MAX_RETURN, take)
    return taken, tuple(odd), refused


def _note_collected(log: Journal, device: str, place: str, report: ReceiptsReport) -> None:
    for receipt in report.taken:
        log.note("receipt", "laptop", place=place, device=receipt.device, up_to=receipt.up_to, code=receipt.level.value)
    for item in report.warnings:
        log.note("refusal", "laptop", place=f"{place}: {item.name}", device=device, code=f"receipt.{item.kind}")
    for one in report.returns_ignored:
        log.note("refusal", "laptop", place=f"{place}: {one.name}", device=device, code=f"return.{one.kind}")
    for bad in report.refused:
        log.note("refusal", "laptop", place=f"{place}: {bad.name}", device=device, code=bad.code)
    if report.project:
        log.note("project", "laptop", place=place, device=device, version=report.project.model.version)
    if report.project_problem:
        log.note("refusal", "laptop", place=place, device=device, code=report.project_problem.code)
    if report.withdrawals:
        log.note("withdrawal", "laptop", place=place, device=device, new=report.withdrawals)
    if report.returned:
        log.note("return", "laptop", place=place, device=device, new=report.returned)
    if report.purged:
        log.note("erasure", "laptop", place=place, device=device, records=report.purged, code="purged")


def _update(laptop: Laptop, data: bytes) -> SignedProject | None:
    pin = laptop.locked.pin()
    if read_project(data, pinned=pin.root, at_least_version=pin.version).model.version == pin.version:
        return None
    return laptop.update(data)


def take_receipts(
    locked: SealedLog, source: Path, project: SignedProject | None = None, *, now: datetime | None = None
) -> ReceiptsReport:
    """Apply the receipts on a stick that a role key of the trusted project signed; works while locked.

    `project`: by default the file beside the vault; `now`: by default the machine's time. Raises NothingHereError,
    StorageError, what `read_project` refuses.
    """
    stick = Stick(source)
    stick.require()
    pin = locked.pin()
    trusted = project or read_project(locked.path.with_name(PROJECT), pinned=pin.root, at_least_version=pin.version)
    taken: list[Receipt] = []
    ignored: list[IgnoredReceipt] = []
    refused: list[RefusedFile] = []
    for file in stick.files(stick.receipts):
        if file.ignored:
            continue
        found = _take_one(locked, stick, file, trusted, now)
        if isinstance(found, Receipt):
            taken.append(found)
        elif isinstance(found, IgnoredReceipt):
            ignored.append(found)
        elif found is not None:
            refused.append(found)
    return ReceiptsReport(tuple(taken), tuple(ignored), refused=tuple(refused))


def _take_one(
    locked: SealedLog, stick: Stick, file: Found, project: SignedProject, now: datetime | None
) -> Receipt | IgnoredReceipt | RefusedFile | None:
    """None: nothing of ours."""
    data = b""
    try:
        with opened(file.path) as stream:
            data = stream.read(MAX_BYTES + 1)
        receipt = read_receipt(data, project.model.role_keys)
    except UntrustedError as error:
        if _held_once(data, project):
            return IgnoredReceipt(file.name, "older", _("It was signed with a key that has been replaced since."))
        return IgnoredReceipt(file.name, "forged", error.message) if seems_ours(file.name, data, SUFFIX) else None
    except StorageError as error:
        shown = refusal(error, file.path)
        stick.stays()  # pulled out: no file is at fault
        return RefusedFile(f"{stick.receipts.name}/{file.name}", shown.code, shown.message, shown.advice)
    ours = next((log for log in locked.logs() if log.device_card().device == receipt.device), None)
    if ours is None or receipt.project != project.model.id:
        return IgnoredReceipt(file.name, "other", _("It speaks of another laptop."))
    try:
        if ours.take_receipt(receipt, now):
            return receipt
    except ReceiptMismatchError as error:
        return IgnoredReceipt(file.name, "history", error.message)
    return IgnoredReceipt(file.name, "older", _("It says no more than what is known already."))


def _held_once(data: bytes, project: SignedProject) -> bool:
    """Whether a key that the project has retired signed this: usual on a stick after somebody's key was replaced."""
    try:
        read_receipt(data, project.model.retired_role_keys)
    except UntrustedError:
        return False
    return True
