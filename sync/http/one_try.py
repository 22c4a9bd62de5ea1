"""One try of a laptop's push: what central has not confirmed goes, what comes back is taken. Works locked.

It begins after what central's signed receipts confirm; what else the server says that it holds is a hint that saves
bytes and is given up when no receipt bears it out. What it says that it lacks of what is confirmed (a central whose
disk was lost does) goes again first, within the bounds of asked_again.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erased_entries
from sync.batches import Plan, plan_batches, write_batch
from sync.folder import ReceiptsReport, at_central, collect, take_receipts
from sync.http.asked_again import Allowance, Asked, allowance
from sync.http.errors import NotConfirmedError
from sync.http.exchange import Exchange
from sync.http.line import Line
from sync.http.sending import LogSent, PushReport, Tally, ask_heads, send_batch
from sync.stick import Progress
from sync.stretches import Stretch, joined


@dataclass(slots=True)
class Going:
    """A push over all its tries. `bounds`: entries and bytes of a batch; `asked`: by device, see asked_again.py."""

    tally: Tally
    allowance: Allowance
    progress: Progress | None
    bounds: tuple[int, int]
    asked: dict[str, Asked] = field(default_factory=dict)


class Try:
    """One try of a laptop's push."""

    def __init__(self, laptop: Laptop, line: Line, going: Going) -> None:
        self._laptop, self._line, self._going = laptop, line, going
        self._tally = going.tally
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
        # the project before the receipts: role keys may be new; and nothing goes that central may be asking for
        first = collect(self._laptop, box.place, place=line.server.url, let_go=False)
        self._note(first)
        lacks = {log.device: joined(log.lacks) for log in heads.logs}
        for device, log in self._logs.items():
            self._again(log, lacks.get(device, []))
        left = {device: self._log(log, lacks.get(device)) for device, log in self._logs.items()}
        box.fetch_returns(heads)
        box.put_receipts(())
        asked = self._going.asked
        last = collect(
            self._laptop, box.place, place=line.server.url, let_go=not any(one.resting for one in asked.values())
        )
        box.taken()
        sent = tuple(
            LogSent(
                device, self._before[device], at_central(log), log.head().seq, left[device],
                len(asked[device].sent), tuple(asked[device].lost), len(asked[device].resting),
            )
            for device, log in self._logs.items()
        )  # fmt: skip
        return PushReport(
            line.server.url,
            self._tally.sent,
            self._tally.new,
            self._tally.bytes + line.sent,
            self._tally.withdrawals,
            tuple(one for one in sent if one.head > one.before or one.again or one.lost or one.resting),
            self._received(first, last),
        )

    def _again(self, log: SealedLog, lacks: list[Stretch]) -> None:
        """Send what is confirmed and central says that it lacks, each entry once in a push, as far as it is here."""
        device, confirmed = log.device_card().device, at_central(log)
        asked = self._going.asked.setdefault(device, Asked())
        whole = allowance(log.stored_bytes(1, confirmed), confirmed)
        for first, last in asked.wanted(lacks, confirmed):
            for plan in self._plans(log, first, last):
                here = range(plan.first, plan.last + 1)
                if not self._going.allowance.has(device, whole):
                    asked.resting.update(here)
                    continue
                before = self._line.sent
                try:
                    self._send(log, plan)
                finally:
                    self._going.allowance.spend(device, self._line.sent - before)
                asked.sent.update(here)
        asked.went()

    def _log(self, log: SealedLog, lacks: list[Stretch] | None) -> tuple[int, ...]:
        """Send one log; the entries that could not travel. Raises NotConfirmedError."""
        head = log.head().seq
        whole = self._going.asked[log.device_card().device].whole
        ways: tuple[list[Stretch] | None, ...] = (None,) if lacks is None else (lacks, None) if whole else (lacks,)
        for stretches in ways:
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
        if at_central(log) < head and whole:  # else nobody can confirm what follows upon what is lost
            raise NotConfirmedError(server=self._line.server.url)
        return ()

    def _stretch(self, log: SealedLog, first: int, last: int, travelled: set[int]) -> None:
        for plan in self._plans(log, first, last):
            self._send(log, plan)
            travelled.update(range(plan.first, plan.last + 1))

    def _plans(self, log: SealedLog, first: int, last: int) -> Iterator[Plan]:
        max_entries, max_bytes = self._going.bounds
        gone = list(erased_entries(log)) if first <= last else []
        return plan_batches(log, first, last, erased=gone, max_entries=max_entries, max_bytes=max_bytes)

    def _send(self, log: SealedLog, plan: Plan) -> None:
        source, text = partial(write_batch, log, plan), f"{plan.first}-{plan.last}"
        self._take(send_batch(self._line, source, self._tally, self._going.progress, text, resume=self._resume))
        self._resume = False  # what follows is begun now
        self._tally.went(log.device_card().device, range(plan.first, plan.last + 1))
        self._tally.sent += len(plan.entries)

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
