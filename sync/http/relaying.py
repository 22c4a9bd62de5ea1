"""A relay's push: the batches that it holds for other laptops, signed for by its supervisor's key. It reads none.

What comes back (central's receipts, returned work, withdrawals, the project) is taken as from a stick.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldsurvey.records.receipt import Receipt
from sync.carrying import TakeReport, take_stick
from sync.http.errors import PushRefusedError
from sync.http.exchange import Exchange
from sync.http.hanging_up import Check
from sync.http.line import Line
from sync.http.packs import pieces_of
from sync.http.pushing import Connect, Patience, alone, through
from sync.http.sending import PushReport, Tally, ask_heads, send_batch
from sync.relay import Relay
from sync.settling import Settled, settling
from sync.stick import Progress


@dataclass
class _Done:
    """What was taken over all tries, and what went from here."""

    settled: Settled
    receipts: list[Receipt] = field(default_factory=list)
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class RelayPushReport:
    """`pushed`: as of a laptop, without logs of its own. `receipts`: central's, for laptops; `forgotten`: batches that
    are safe at central now; `left`: those still held; `erased`: those of withdrawn cases that went from here.
    """

    pushed: PushReport
    receipts: tuple[Receipt, ...]
    forgotten: int
    left: int
    erased: int = 0


def push_relay(
    relay: Relay,
    *,
    progress: Progress | None = None,
    patience: Patience | None = None,
    connect: Connect = Line,
    check: Check | None = None,
) -> RelayPushReport:
    """Send every batch that is held and that central lacks, what has to go soonest first.

    On its last day a batch that waits is sent before it goes from here, and goes however that ends; past it, it goes
    before anything is sent. Raises as `push` does, and RelayBusyError; then everything else stays. PushRefusedError of
    one batch is raised when the others were sent.

    `check` is asked now and then, from another thread, and raises StoppedError once it is to stop: then the request
    under way is given up. What arrived stays there.
    """
    tally = Tally()

    with settling(relay) as settled, alone(relay.home), relay.sending():
        done = _Done(settled)

        def once(line: Line) -> PushReport:
            line.check = check
            return _try(relay, line, tally, done, progress)

        pushed = through(
            relay.project.model, relay.key, once, tally, home=relay.home, role="relay", clock=relay.clock,
            patience=patience, connect=connect,
        )  # fmt: skip
    left = len(relay.holding.batches())
    return RelayPushReport(pushed, tuple(done.receipts), done.forgotten, left, settled.batches)


def _try(relay: Relay, line: Line, tally: Tally, done: _Done, progress: Progress | None) -> PushReport:
    box = Exchange(line, relay.home, relay.project.model.id)
    line.hello()
    reach: dict[str, int] = {}
    for held in relay.holding.batches():
        reach[held.device] = max(held.last, reach.get(held.device, 0))
    heads = ask_heads(line, reach.items())
    box.fetch_project(heads, relay.project.model.version)
    tally.withdrawals += box.agree(heads)
    box.fetch_returns(heads)
    box.put_receipts(receipt for log in heads.logs for receipt in log.receipts)
    _take(relay, box, done)
    refused: PushRefusedError | None = None
    for held in list(relay.offers()):
        if not held.path.exists():  # forgotten meanwhile: central holds it
            continue
        text = f"{held.name} {held.first}-{held.last}"
        try:
            receipts = send_batch(line, pieces_of(held.path), tally, progress, text)
        except PushRefusedError as error:  # this one, whatever is wrong with it: those behind it go all the same
            refused = refused or error
            continue
        box.put_receipts(receipts)
        tally.got_through(held.manifest.hex())
        tally.sent += held.last - held.first + 1
        _take(relay, box, done)
    box.taken()
    if refused is not None:
        raise refused
    return PushReport(line.server.url, tally.sent, tally.new, tally.bytes + line.sent, tally.withdrawals)


def _take(relay: Relay, box: Exchange, done: _Done) -> TakeReport:
    report = take_stick(relay, box.place, answer=False)
    done.receipts += report.committed
    done.forgotten += report.forgotten
    done.settled.batches += report.erased
    return report
