"""What goes over a line in one try: a batch as packs, and the question what central holds; and what got through so far.

Nothing is decided here: who sends what, and when it is taken up again, is for others to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from fieldsurvey.records.receipt import Receipt
from sync.folder import IgnoredReceipt, ReceiptsReport
from sync.http.errors import ServerBusyError
from sync.http.line import Line
from sync.http.packs import Cut, Pieces, cut
from sync.http.wire import MAX_LOGS, Heads, HeadsAsked, LogAsked
from sync.stick import Progress
from sync.stretches import Stretch


@dataclass(frozen=True, slots=True)
class LogSent:
    """One log: confirmed up to `before` when the push began, up to `confirmed` now, of `head`.

    `left_out`: entries whose record is damaged or gone here, so that nobody can confirm them. `again`: entries that
    were confirmed, and went once more since central lost them; `lost`: stretches that it lacks and that are not here
    any more; `resting`: entries that it asks for too often.
    """

    device: str
    before: int
    confirmed: int
    head: int
    left_out: tuple[int, ...] = ()
    again: int = 0
    lost: tuple[Stretch, ...] = ()
    resting: int = 0


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
        """Everything that can be is, and central does not say that it lost some of it."""
        return all(
            (log.confirmed == log.head or log.left_out) and not log.lost and not log.resting for log in self.logs
        )

    @property
    def again(self) -> int:
        """Entries that were confirmed, and that central asked for again."""
        return sum(log.again for log in self.logs)


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
    entries: dict[str, set[int]] = field(default_factory=dict)

    def got_through(self, what: str) -> None:
        """A pack or a batch. Only the first time does it count as moved: else a server that forgets what it takes would
        never be given up.
        """
        self.moved += what not in self.through
        self.through.add(what)

    def went(self, device: str, positions: range) -> None:
        """A batch of entries. However they are cut into batches, an entry moves it once."""
        known = self.entries.setdefault(device, set())
        self.moved += not known.issuperset(positions)
        known.update(positions)


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


def ask_heads(line: Line, logs: Iterable[tuple[str, int]]) -> Heads:
    """What central holds of logs (device, head), however many they are."""
    asked = [LogAsked(device=device, to=to) for device, to in logs]
    found = line.heads(HeadsAsked(logs=tuple(asked[:MAX_LOGS])))
    for start in range(MAX_LOGS, len(asked), MAX_LOGS):
        more = line.heads(HeadsAsked(logs=tuple(asked[start : start + MAX_LOGS])))
        found = found.model_copy(update={"logs": (*found.logs, *more.logs)})
    return found
