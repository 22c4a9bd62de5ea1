"""A relay and a stick: batches in and `received` receipts out on the same stick, everything on to another one.

Nothing here opens a record. A stick that cannot be written to has been read all the same; what was taken stays taken,
and trying again goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, Literal

from fieldsurvey.base.errors import FieldsurveyError, RefusedError, Rendered, StorageError, UntrustedError, render
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.erasures import Trust
from fieldsurvey.project.errors import OlderProjectError
from fieldsurvey.records.container import MAX_FILE
from fieldsurvey.records.receipt import MAX_BYTES as MAX_RECEIPT
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.records.returned import MAX_BYTES as MAX_RETURN
from fieldsurvey.records.returned import SUFFIX as RETURN_SUFFIX
from sync.answers import SUFFIX as RECEIPT_SUFFIX
from sync.answers import Offer, offer_project, put_receipts, put_returns, signed
from sync.batches import read_batch
from sync.damaged import Damaged
from sync.holding import SUFFIX, Held
from sync.holding import Outcome as Taking
from sync.journal import Journal
from sync.refusals import RefusedFile, passing_over, refusal, take_files
from sync.relay import Relay
from sync.settling import Settled, erase, settling
from sync.stick import Found, Progress, Stick, check_room, looks_ours, opened, read_piece
from sync.waiting import Waiting
from sync.withdrawals import export_withdrawals, keep_withdrawals, take_reports

Outcome = Literal[Taking, "refused", "ignored", "left"]
DAMAGED: Final = "untrusted.batch"
"""In the sync log, for what the own disk has damaged."""
_UNFINISHED: Final = re.compile(r"[0-9a-f]{12}-\d{6,}-\d{6,}-[0-9a-f]{8}\.fsb\.part")


@dataclass(frozen=True, slots=True)
class RelayFile:
    """What became of one file. `reason` and `advice`: in the user's language."""

    name: str
    outcome: Outcome
    device: str = ""
    device_name: str = ""
    first: int = 0
    last: int = 0
    code: str = ""
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class TakeReport:
    """What a relay took from a stick, and what it put there.

    `committed`: receipts of central's that were new here; `forgotten`: batches that central has, `erased`: batches that
    named a withdrawn case: both are gone from here; `waiting`: those that name one and are still to be handed on.
    `receipts`: `received` ones now on the stick. `project`: the new version taken; `project_problem`: why the one there
    was not. `stick_problem`: why the stick could not be written to.
    `damaged`: what was held here before, and its own disk has damaged since.
    """

    place: str
    files: tuple[RelayFile, ...] = ()
    withdrawals: int = 0
    committed: tuple[Receipt, ...] = ()
    returns: int = 0
    forgotten: int = 0
    erased: int = 0
    receipts: tuple[Receipt, ...] = ()
    project: int | None = None
    project_problem: Rendered | None = None
    stick_problem: Rendered | None = None
    damaged: tuple[Damaged, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    def having(self, outcome: Outcome) -> tuple[RelayFile, ...]:
        """The files with this outcome."""
        return tuple(file for file in self.files if file.outcome == outcome)


@dataclass(frozen=True, slots=True)
class HandReport:
    """What a relay handed on to a stick. `written`, `present`: batches; `bytes`: of those written; `damaged`: what it
    held and did not hand on, because its own disk has damaged it; `erased`: batches that named a withdrawn case, and
    are gone from here.
    """

    place: str
    written: int = 0
    present: int = 0
    bytes: int = 0
    receipts: int = 0
    returns: int = 0
    withdrawals: int = 0
    project: Offer = "failed"
    damaged: tuple[Damaged, ...] = ()
    erased: int = 0


def take_stick(
    relay: Relay,
    source: Path,
    progress: Progress | None = None,
    *,
    stop: Callable[[], bool] | None = None,
    answer: bool = True,
) -> TakeReport:
    """Take what is on a stick and put `received` receipts, and what comes from central, on it.

    What was withdrawn is known before a batch is taken. `progress` counts bytes; `stop` is asked between two files.
    `answer`: put something on it, for it goes back to somebody.
    Raises NothingHereError, NotSupervisorsKeyError (the key was replaced), RelayBusyError, StorageError of this
    laptop's own disk.
    """
    stick = Stick(source)
    stick.require()
    with relay.alone():
        version, problem = _project(relay, stick)
        relay.require_key()
        withdrawals = keep_withdrawals(relay.home, relay.project.model.id, source)
        reports = take_reports(relay.home, Trust.of(relay.project.model), source)
        committed, bad_receipts = _receipts(relay, stick)
        returns, bad_returns = _returns(relay, stick)
        erased = erase(relay, str(source))
        files = [
            RelayFile(bad.name, "refused", code=bad.code, reason=bad.reason, advice=bad.advice)
            for bad in (*withdrawals.refused, *reports.refused, *bad_receipts, *bad_returns)
        ]
        try:
            files.extend(_batches(relay, stick, progress, stop))  # what came before it broke off stays in the list
        except StorageError as error:
            _note_taken(relay, TakeReport(str(source), tuple(files), withdrawals.new, committed, returns))
            Journal(relay.home, relay.clock).note("refusal", "relay", place=str(source), code=error.code)
            raise
        forgotten = relay.forget()
        erased += erase(relay, str(source))  # of what has become needless with it
        receipts: tuple[Receipt, ...] = ()
        stick_problem: Rendered | None = None
        try:
            stick.stays()
            if answer:
                receipts = tuple(_answer(relay, stick, {file.device for file in files if file.device}))
        except StorageError as error:  # write-protected, full or gone: what was taken is safe here all the same
            stick_problem = render(error)
    report = TakeReport(
        str(source), tuple(files), withdrawals.new, committed, returns, len(forgotten), erased, receipts, version,
        problem, stick_problem, tuple(relay.holding.damaged()), relay.waiting(),
    )  # fmt: skip
    _note_taken(relay, report)
    return report


def hand_on(relay: Relay, target: Path, progress: Progress | None = None) -> HandReport:
    """Put everything that is held on a stick: batches that are not whole on it, receipts, returns, withdrawals.

    The free space is looked at before anything is written; each batch is read back. They stay here until central's
    receipt, but for those that waited with a record of a withdrawn case: central takes the rest of them. `progress`
    counts bytes. Raises StickTooSmallError, RelayBusyError, StorageError; trying again goes on. On its last day a batch
    that waits is handed on first, and goes from here however that ends; past it, it goes before.
    """
    with settling(relay) as settled:
        report = _hand_on(relay, target, progress, settled)
    return replace(report, erased=settled.batches)


def _hand_on(relay: Relay, target: Path, progress: Progress | None, settled: Settled) -> HandReport:
    stick = Stick(target)
    model = relay.project.model
    with relay.alone():
        settled.batches += erase(relay, str(target), deliver=True)
        relay.forget()
        stick.make(stick.batches)
        _clear_unfinished(stick)
        there = _whole_on(stick, relay)
        todo = [held for held in relay.offers() if held.manifest not in there]
        total = sum(held.size for held in todo)
        check_room(stick, total)
        copying = _Copying(stick, total, progress)
        for held in todo:
            name = f"{held.device[:12]}-{held.first:06d}-{held.last:06d}-{held.manifest.hex()[:8]}{SUFFIX}"
            copying.copy(held, stick.batches / name)
        stick.stays()
        handed = there | {held.manifest for held in todo}
        settled.batches += erase(relay, str(target), handed)  # and its report goes with the same stick
        receipts = put_receipts(stick, [*signed(relay.receipts(), relay.key), *relay.proofs.files()], model)
        report = HandReport(
            str(target), len(todo), len(there), total, receipts,
            put_returns(stick, relay.returned.files()), export_withdrawals(relay.home, target),
            offer_project(stick, relay.project), tuple(relay.holding.damaged()),
        )  # fmt: skip
    log = Journal(relay.home, relay.clock)
    log.note("export", "relay", place=report.place, batches=report.written, present=report.present, bytes=report.bytes)
    _note_damaged(log, relay, report.damaged)
    return report


def _project(relay: Relay, stick: Stick) -> tuple[int | None, Rendered | None]:
    """The version that was taken, or why what is there was not."""
    if not stick.project.is_file():
        return None, None
    try:
        with opened(stick.project) as stream:
            newer = relay.update(stream.read(MAX_FILE + 1))
    except OlderProjectError:  # usual on a stick that has been on the road
        return None, None
    except (UntrustedError, RefusedError, StorageError) as error:
        shown = refusal(error, stick.project)
        stick.stays()
        return None, shown
    return (relay.project.model.version if newer else None), None


def _receipts(relay: Relay, stick: Stick) -> tuple[tuple[Receipt, ...], tuple[RefusedFile, ...]]:
    found: list[Receipt] = []

    def keep(data: bytes, _name: str) -> None:
        receipt = relay.take_receipt(data)
        found.extend([receipt] if receipt else [])

    refused = take_files(stick, stick.receipts, RECEIPT_SUFFIX, MAX_RECEIPT, keep)
    return tuple(found), refused


def _returns(relay: Relay, stick: Stick) -> tuple[int, tuple[RefusedFile, ...]]:
    new = 0
    tags = relay.tags()

    def keep(data: bytes, _name: str) -> None:
        nonlocal new
        new += relay.returned.keep(data, tags)

    refused = take_files(stick, stick.returned, RETURN_SUFFIX, MAX_RETURN, keep)
    return new, refused


def _batches(
    relay: Relay, stick: Stick, progress: Progress | None, stop: Callable[[], bool] | None
) -> Iterator[RelayFile]:
    found = stick.files(stick.batches)
    total = sum(file.size for file in found if not file.ignored)
    tags = relay.tags()
    done = 0
    for file in found:
        if (stop and stop()) or not stick.root.is_dir():  # pulled out: no file that is left is at fault
            yield RelayFile(file.name, "left")
            continue
        yield _take(relay, file, tags)
        done += 0 if file.ignored else file.size
        if progress:
            progress(done, total, file.name)


def _take(relay: Relay, file: Found, tags: frozenset[str]) -> RelayFile:
    try:
        if file.ignored:
            return RelayFile(file.name, "ignored", reason=_(file.ignored))
        if file.path.suffix != SUFFIX and not looks_ours(file.path):
            return RelayFile(file.name, "ignored", reason=_("not a batch"))
        outcome, batch = relay.take(file.path, file.size, tags)
    except FieldsurveyError as error:
        shown = refusal(error, file.path)
        return RelayFile(file.name, "refused", code=shown.code, reason=shown.message, advice=shown.advice)
    return RelayFile(file.name, outcome, batch.device, batch.card.name, batch.first, batch.last)


def _answer(relay: Relay, stick: Stick, senders: set[str]) -> list[Receipt]:
    """What goes back on the stick; the `received` ones of those who sent something with it."""
    given = [receipt for receipt in relay.receipts() if receipt.device in senders]
    put_receipts(stick, [*signed(given, relay.key), *relay.proofs.files()], relay.project.model)
    put_returns(stick, relay.returned.files())
    export_withdrawals(relay.home, Path(stick.place))
    offer_project(stick, relay.project)
    return given


def _whole_on(stick: Stick, relay: Relay) -> set[bytes]:
    """The manifests of what is held here and whole on the stick as well, whatever its file is called."""
    held = {one.manifest for one in relay.holding.batches()}
    found: set[bytes] = set()
    for file in stick.files(stick.batches):
        if not file.ignored:
            with passing_over(stick, file), opened(file.path) as stream:  # damaged: it is written again
                batch = read_batch(stream, relay.project.model.id)
                if batch.manifest_hash in held:
                    batch.verify()
                    found.add(batch.manifest_hash)
    return found


@dataclass
class _Copying:
    """Bytes copied so far, out of all."""

    stick: Stick
    total: int
    progress: Progress | None
    done: int = 0

    def copy(self, held: Held, path: Path) -> None:
        """Write a batch and read it back. Raises StorageError with the stick's name: a person knows no files. What
        cannot be read here has its own name.
        """
        with opened(held.path) as stream:
            try:
                write_atomic(path, self._pieces(stream, held))
            except StorageError as error:
                if error.details.get("place") == str(held.path):
                    raise
                raise type(error)(place=self.stick.place) from error

    def _pieces(self, stream: BinaryIO, held: Held) -> Iterator[bytes]:
        text = f"{held.name} {held.first}-{held.last}"
        while piece := read_piece(stream, held.path, 1 << 20):
            yield piece
            self.done += len(piece)
            if self.progress:
                self.progress(self.done, self.total, text)


def _clear_unfinished(stick: Stick) -> None:
    for file in stick.files(stick.batches):
        if _UNFINISHED.fullmatch(file.name):
            with suppress(OSError):  # every reader ignores it; the space is all that it costs
                file.path.unlink()


def _note_taken(relay: Relay, report: TakeReport) -> None:
    log = Journal(relay.home, relay.clock)
    log.note(
        "import",
        "relay",
        place=report.place,
        taken=len(report.having("taken")),
        present=len(report.having("present")),
        at_central=len(report.having("committed")),
        withdrawn=len(report.having("withdrawn")),
        forgotten=report.forgotten,
        receipts=len(report.receipts),
    )
    for file in report.having("refused"):
        log.note("refusal", "relay", place=f"{report.place}: {file.name}", code=file.code)
    for receipt in report.committed:
        log.note(
            "receipt", "relay", place=report.place, device=receipt.device, up_to=receipt.up_to, code=receipt.level.value
        )
    if report.withdrawals:
        log.note("withdrawal", "relay", place=report.place, new=report.withdrawals)
    if report.stick_problem:
        log.note("refusal", "relay", place=report.place, code=report.stick_problem.code)
    _note_damaged(log, relay, report.damaged)


def _note_damaged(log: Journal, relay: Relay, damaged: tuple[Damaged, ...]) -> None:
    for one in damaged:
        place = str(relay.holding.folder / one.file)
        log.note("refusal", "relay", place=place, device=one.device, code=DAMAGED, first=one.first, last=one.last)
