"""One try of a laptop's push: what central has not confirmed goes, what comes back is taken. Works locked.

It begins after what central's signed receipts confirm; what else the server says that it holds is a hint that saves
bytes and is given up when no receipt bears it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erased_entries
from sync.batches import plan_batches, write_batch
from sync.folder import ReceiptsReport, at_central, collect, take_receipts
from sync.http.errors import NotConfirmedError
from sync.http.exchange import Exchange
from sync.http.line import Line
from sync.http.sending import LogSent, PushReport, Tally, ask_heads, send_batch
from sync.stick import Progress


class Try:
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
