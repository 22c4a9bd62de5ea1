"""Push: what central has not confirmed goes over the line, batch by batch, and what comes back is taken. Works locked.

It begins after what central's signed receipts confirm; what else the server says that it holds is a hint that saves
bytes and is given up when no receipt bears it out. Cut off anywhere, the next try goes on: packs that the server has
are not sent again, and nothing is let go of here for anything but a receipt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.fieldwork.withdrawals import apply_all
from fieldsurvey.project.model import Project, Server
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erased_entries
from sync.batches import MAX_BYTES, MAX_ENTRIES, plan_batches, write_batch
from sync.errors import ErasedMeanwhileError
from sync.folder import IgnoredReceipt, ReceiptsReport, at_central, collect, take_receipts
from sync.http.errors import (
    LineError,
    NoServerError,
    NotConfirmedError,
    PushUnderWayError,
    ServerBusyError,
    WrongServerError,
)
from sync.http.exchange import Exchange
from sync.http.line import Backoff, Line
from sync.http.packs import Cut, Pieces, cut
from sync.http.state import LOCK
from sync.http.wire import MAX_LOGS, Heads, HeadsAsked, LogAsked
from sync.journal import At, Journal
from sync.stick import Progress

Connect = Callable[[Server, str, Signer], Line]
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a push takes up again what broke, without anything getting through in between, and how it waits."""

    tries: int = TRIES
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class LogSent:
    """One log: confirmed up to `before` when the push began, up to `confirmed` now, of `head`.

    `left_out`: entries whose record is damaged or gone here, so that nobody can confirm them.
    """

    device: str
    before: int
    confirmed: int
    head: int
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did. `sent`: entries in batches that were merged now; `new`: those that central did not have.

    `bytes`: of bodies that went out; `withdrawals`: that were new to the server. `receipts`, `project` and the like are
    in `received`, as from a stick.
    """

    server: str
    sent: int = 0
    new: int = 0
    bytes: int = 0
    withdrawals: int = 0
    logs: tuple[LogSent, ...] = ()
    received: ReceiptsReport = field(default_factory=ReceiptsReport)

    @property
    def confirmed(self) -> bool:
        """Everything that can be is."""
        return all(log.confirmed == log.head or log.left_out for log in self.logs)


@dataclass
class Tally:
    """What got through so far, over all tries."""

    sent: int = 0
    new: int = 0
    bytes: int = 0
    moved: int = 0
    withdrawals: int = 0
    taken: list[Receipt] = field(default_factory=list)
    ignored: list[IgnoredReceipt] = field(default_factory=list)
    through: set[str] = field(default_factory=set)

    def got_through(self, what: str) -> None:
        """A pack or a batch. Only the first time does it count as moved: else a server that forgets what it takes would
        never be given up.
        """
        self.moved += what not in self.through
        self.through.add(what)


def push(
    laptop: Laptop,
    *,
    progress: Progress | None = None,
    patience: Patience | None = None,
    connect: Connect = Line,
    max_entries: int = MAX_ENTRIES,
    max_bytes: int = MAX_BYTES,
) -> PushReport:
    """Send what is not confirmed, of former logs too; take receipts, the project, withdrawals, returned work.

    Needs no passphrase. `progress` counts bytes of the batch under way. Raises NoServerError, PushUnderWayError, and
    what sync.http.errors lists: everything then stays here, and trying again goes on from there.
    """
    home = laptop.home
    with alone(home):
        model = laptop.project.model
        apply_all(laptop.locked)  # what was withdrawn is not handed on
        tally = Tally()
        bounds = (max_entries, max_bytes)

        def once(line: Line) -> PushReport:
            return _Push(laptop, line, tally, progress, bounds).run()

        return through(
            model, laptop.locked.carrier, once, tally, home=home, role="laptop",
            device=laptop.locked.device_card().device, clock=laptop.clock, patience=patience, connect=connect,
        )  # fmt: skip


def through(
    project: Project,
    signer: Signer,
    once: Callable[[Line], PushReport],
    tally: Tally,
    *,
    home: Path,
    role: At,
    device: str = "",
    clock: Clock | None = None,
    patience: Patience | None = None,
    connect: Connect = Line,
) -> PushReport:
    """`once` over a line to one of the project's servers in turn, taken up again where it broke. Notes the outcome."""
    journal = Journal(home, clock or SystemClock())
    place = project.servers[0].url if project.servers else ""
    try:
        if not project.servers:
            raise NoServerError(project=project.name)
        report = _patiently(project, signer, once, tally, patience=patience or Patience(), connect=connect)
    except FieldsurveyError as error:
        journal.note("refusal", role, place=place, device=device, code=error.code, sent=tally.sent)
        raise
    up_to = sum(log.confirmed for log in report.logs)
    journal.note(
        "push", role, place=report.server, device=device, sent=report.sent, new=report.new, bytes=report.bytes,
        confirmed=up_to, withdrawals=report.withdrawals,
    )  # fmt: skip
    return report


def _patiently(
    project: Project,
    signer: Signer,
    once: Callable[[Line], PushReport],
    tally: Tally,
    *,
    patience: Patience,
    connect: Connect,
) -> PushReport:
    backoff = Backoff()
    failures = at = erased = 0
    while True:
        moved = tally.moved
        server = project.servers[at % len(project.servers)]
        try:
            with connect(server, project.id, signer) as line:
                try:
                    return once(line)
                finally:
                    tally.bytes += line.sent
        except ErasedMeanwhileError:  # at once again, without that record
            erased += 1
            if erased > TRIES:
                raise
        except (LineError, ServerBusyError, WrongServerError) as error:
            at += 1  # another address, if there is one, before this one is tried again
            more = len(project.servers) > 1 and at < len(project.servers)
            if isinstance(error, WrongServerError) and not more:
                raise
            if tally.moved > moved:
                failures = 0
                backoff.reset()
            failures += 1
            if failures >= patience.tries and not more:
                raise
            if not more:
                patience.wait(backoff.next(float(error.details.get("seconds", 0))))


def send_batch(
    line: Line,
    source: Pieces,
    tally: Tally,
    progress: Progress | None = None,
    text: str = "",
    *,
    resume: bool = True,
) -> tuple[str, ...]:
    """One batch file over the line, without what the server has of it; central's receipts (hexadecimal).

    `resume`: it may have been begun before the line broke, so ask which packs are there. Raises what every request
    raises; ServerBusyError when the server asks for the same packs again and again.
    """
    pieces = source()
    first, size = _first(pieces, line.pack)
    if size <= line.pack:  # all of it, in one request: a line that breaks costs no more than a pack
        found = line.whole(b"".join(first))
        tally.new += found.new
        if progress:
            progress(size, size, text)
        return found.receipts
    batch = cut(source, line.pack, chain(first, pieces))
    asked = tuple(dict.fromkeys(batch.names)) if resume else ()
    staged = line.heads(HeadsAsked(packs=asked)).packs if asked else ()
    missing = frozenset(batch.names) - frozenset(staged)
    for _round in range(3):
        _put(line, batch, missing, tally, progress=progress, text=text)
        found = line.offer(batch.head, batch.names)
        if not found.missing:
            tally.new += found.new
            return found.receipts
        missing = frozenset(found.missing)
    raise ServerBusyError(server=line.server.url, seconds=60)  # what it stores does not stay


def _first(pieces: Iterator[bytes], most: int) -> tuple[list[bytes], int]:
    """The first pieces and their size: more than `most` bytes, unless there is no more."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > most:
            break
    return parts, size


def _put(
    line: Line, batch: Cut, missing: frozenset[str], tally: Tally, *, progress: Progress | None, text: str
) -> None:
    total = sum(size for _name, size in batch.packs)
    done = sum(size for name, size in batch.packs if name not in missing)
    for name, data in batch.data(missing) if missing else ():
        line.put(name, data)
        tally.got_through(name)
        done += len(data)
        if progress:
            progress(done, total, text)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """No other process of this home sends meanwhile. Raises PushUnderWayError, StorageError."""
    lock = ProcessLock(home / LOCK)
    if not lock.acquire():
        raise PushUnderWayError(process=lock.holder())
    try:
        yield
    finally:
        lock.release()


def ask_heads(line: Line, logs: Iterable[tuple[str, int]]) -> Heads:
    """What central holds of logs (device, head), however many they are."""
    asked = [LogAsked(device=device, to=to) for device, to in logs]
    found = line.heads(HeadsAsked(logs=tuple(asked[:MAX_LOGS])))
    for start in range(MAX_LOGS, len(asked), MAX_LOGS):
        more = line.heads(HeadsAsked(logs=tuple(asked[start : start + MAX_LOGS])))
        found = found.model_copy(update={"logs": (*found.logs, *more.logs)})
    return found


class _Push:
    """One try of a laptop's push."""

    def __init__(
        self, laptop: Laptop, line: Line, tally: Tally, progress: Progress | None, bounds: tuple[int, int]
    ) -> None:
        self._laptop, self._line, self._tally, self._progress, self._bounds = laptop, line, tally, progress, bounds
        self._logs = {log.device_card().device: log for log in laptop.locked.logs()}
        self._before = {device: at_central(log) for device, log in self._logs.items()}
        self._resume = True
        self._box = Exchange(line, laptop.home, laptop.locked.device_card().project)

    def run(self) -> PushReport:
        """Withdrawals and the project first, then batches, then all that comes back."""
        line, box = self._line, self._box
        line.hello()
        heads = ask_heads(line, ((device, log.head().seq) for device, log in self._logs.items()))
        box.fetch_project(heads, self._laptop.locked.pin().version)
        self._tally.withdrawals += box.agree(heads)
        box.put_receipts(receipt for log in heads.logs for receipt in log.receipts)
        first = collect(
            self._laptop, box.place, place=line.server.url
        )  # the project before the receipts: role keys may be new
        self._note(first)
        lacks = {log.device: log.lacks for log in heads.logs}
        left = {device: self._log(log, lacks.get(device)) for device, log in self._logs.items()}
        box.fetch_returns(heads)
        box.put_receipts(())
        last = collect(self._laptop, box.place, place=line.server.url)
        box.taken()
        sent = tuple(
            LogSent(device, self._before[device], at_central(log), log.head().seq, left[device])
            for device, log in self._logs.items()
        )
        return PushReport(
            line.server.url,
            self._tally.sent,
            self._tally.new,
            self._tally.bytes + line.sent,
            self._tally.withdrawals,
            tuple(one for one in sent if one.head > one.before or one.confirmed > one.before),
            self._received(first, last),
        )

    def _log(self, log: SealedLog, lacks: tuple[tuple[int, int], ...] | None) -> tuple[int, ...]:
        """Send one log; the entries that could not travel. Raises NotConfirmedError."""
        head = log.head().seq
        hinted = lacks is not None
        for stretches in (lacks or (), None) if hinted else (None,):
            after = at_central(log)
            if after >= head:
                return ()
            wanted = stretches if stretches is not None else ((after + 1, head),)
            travelled: set[int] = set()
            for first, last in wanted:  # in order: what was asked for twice goes once
                self._stretch(log, max(first, after + 1), min(last, head), travelled)
                after = max(after, last)
            after = at_central(log)
            missing = set(range(after + 1, head + 1)) - travelled if stretches is None else ()
            if missing:  # their records are gone or damaged: nobody can confirm what follows
                return tuple(sorted(missing))
        if at_central(log) < head:
            raise NotConfirmedError(server=self._line.server.url)
        return ()

    def _stretch(self, log: SealedLog, first: int, last: int, travelled: set[int]) -> None:
        max_entries, max_bytes = self._bounds
        if first > last:
            return
        gone = list(erased_entries(log))
        for plan in plan_batches(log, first, last, erased=gone, max_entries=max_entries, max_bytes=max_bytes):
            text = f"{plan.first}-{plan.last}"
            source = partial(write_batch, log, plan)
            self._take(send_batch(self._line, source, self._tally, self._progress, text, resume=self._resume))
            self._resume = False  # what follows is begun now
            self._tally.got_through(f"{log.number} {text}")
            self._tally.sent += len(plan.entries)
            travelled.update(range(plan.first, plan.last + 1))

    def _take(self, receipts: Iterable[str]) -> None:
        """Receipts as from a stick: only what central's key signed over our own history changes anything."""
        self._box.put_receipts(receipts)
        self._note(
            take_receipts(self._laptop.locked, self._box.place, self._laptop.project, now=self._laptop.clock.now())
        )

    def _note(self, report: ReceiptsReport) -> None:
        self._tally.taken += report.taken
        self._tally.ignored = [*self._tally.ignored, *report.warnings][-100:]

    def _received(self, first: ReceiptsReport, last: ReceiptsReport) -> ReceiptsReport:
        """What came in over this try, and the receipts of all tries."""
        return replace(
            first,
            taken=tuple(self._tally.taken),
            ignored=tuple(dict.fromkeys(self._tally.ignored)),
            withdrawals=first.withdrawals + last.withdrawals,
            returned=first.returned + last.returned,
            returns_ignored=(*first.returns_ignored, *last.returns_ignored),
            purged=first.purged + last.purged,
        )
