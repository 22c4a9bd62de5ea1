"""Push: what central has not confirmed goes over the line, batch by batch, and what comes back is taken. Works locked.

Cut off anywhere, the next try goes on: packs that the server has are not sent again, and nothing is let go of here for
anything but a receipt. What one try does is in one_try.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.fieldwork.withdrawals import apply_all
from fieldsurvey.project.model import Project, Server
from fieldsurvey.records.container import Signer
from sync.batches import MAX_BYTES, MAX_ENTRIES
from sync.errors import ErasedMeanwhileError, StoppedError
from sync.http.asked_again import Allowance, trouble
from sync.http.errors import (
    LineError,
    NoServerError,
    PushUnderWayError,
    ServerBusyError,
    WrongServerError,
)
from sync.http.line import Backoff, Line
from sync.http.one_try import Going, Try
from sync.http.sending import PushReport, Tally
from sync.http.state import LOCK
from sync.journal import At, Journal
from sync.stick import Progress

Connect = Callable[[Server, str, Signer], Line]
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a push takes up again what broke, without anything getting through in between, and how it waits."""

    tries: int = TRIES
    wait: Callable[[float], None] = time.sleep


def push(
    laptop: Laptop,
    *,
    progress: Progress | None = None,
    patience: Patience | None = None,
    connect: Connect = Line,
    max_entries: int = MAX_ENTRIES,
    max_bytes: int = MAX_BYTES,
    by_hand: bool = True,
) -> PushReport:
    """Send what is not confirmed, of former logs too; take receipts, the project, withdrawals, returned work.

    Needs no passphrase. `by_hand`: somebody asked for it; else what central asks for again goes only so often.
    `progress` counts bytes of the batch under way. Raises NoServerError, PushUnderWayError, and what sync.http.errors
    lists: everything then stays here, and trying again goes on from there.
    """
    home = laptop.home
    with alone(home):
        model = laptop.project.model
        apply_all(laptop.locked)  # what was withdrawn is not handed on
        tally = Tally()
        allowance = Allowance(home, laptop.clock.now(), by_hand=by_hand)
        going = Going(tally, allowance, progress, (max_entries, max_bytes))

        def once(line: Line) -> PushReport:
            return Try(laptop, line, going).run()

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
    except StoppedError as error:  # by somebody here: nothing was refused
        journal.note("push", role, place=place, device=device, code=error.code, sent=tally.sent, new=tally.new)
        raise
    except FieldsurveyError as error:
        journal.note("refusal", role, place=place, device=device, code=error.code, sent=tally.sent)
        raise
    up_to = sum(log.confirmed for log in report.logs)
    journal.note(
        "push", role, place=report.server, device=device, sent=report.sent, new=report.new, bytes=report.bytes,
        confirmed=up_to, withdrawals=report.withdrawals, again=report.again,
    )  # fmt: skip
    if left := trouble(report):
        journal.note("refusal", role, place=report.server, device=device, code=left.code)
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
