"""What central vouches for, as receipts: how far it holds a log with its records, and how far a backup does.

Where a device is said to have erased a record, a receipt over it says so, for the device to judge: whoever copied the
carrier key from a disk could have said it. It signs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from fieldsurvey.records.log import MAX_SEQ
from fieldsurvey.records.receipt import MAX_ABSENT, Level, Receipt, Role
from sync.bare import without_record
from sync.covering import believed
from sync.merge import Position
from sync.one_chain import one_chain
from sync.stretches import Stretch, stretches

if TYPE_CHECKING:
    from sync.central import Central

Stretches = tuple[Stretch, ...]
_NONE: Final[tuple[int, ...]] = ()


class Vouching:
    """One device's log at central, at this moment."""

    def __init__(self, central: Central, device: str) -> None:
        """Raises StorageError."""
        self._central, self._device = central, device
        self._project = central.project()
        self._chain = one_chain(central, device)
        self._said = [(entry.seq, entry.head) for entry in central.store.absent(device)]
        self._bare = without_record(central.store, device, self._said, brought=True)
        self._lost = central.store.first_without_body(device) if self._chain is None else None
        self._before: dict[Position, bytes] | None = None

    def receipts(self) -> list[Receipt]:
        """One for each unbroken history, with its records: of level `committed`, then `backed_up` ones up to what the
        newest backup holds.
        """
        levels = ((Level.COMMITTED, self.held()), (Level.BACKED_UP, self._safe()))
        return [self._receipt(level, tip, absent) for level, tips in levels for tip, absent in tips]

    def held(self) -> list[tuple[Position, Stretches]]:
        """Where each unbroken history ends, and the stretches in it whose records are not here."""
        return [(tip, self._without(tip)) for tip in self._tips(self._end())]

    def _safe(self) -> Iterator[tuple[Position, Stretches]]:
        """The same of what the newest backup holds, as far as that is still held here.

        Whether it has a record that was said to be erased after it was made is not asked: it is named too, as is what
        was said to be erased then and came since.
        """
        for note in believed(self._central, self._device):
            tip = note.up_to, bytes.fromhex(note.head)
            if not self._reaches(tip):
                continue
            then = (seq for first, last in note.absent for seq in range(first, last + 1))
            absent = tuple(stretches([*then, *self._behind(tip, self._said)]))
            if len(absent) <= MAX_ABSENT:
                yield tip, absent

    def receipts_at(self, ends: Iterable[int], known: Sequence[Receipt]) -> list[Receipt]:
        """Those of level `committed` at these positions; `known`: what `receipts` gives already."""
        said = {(receipt.up_to, receipt.head) for receipt in known}
        reached = max((receipt.up_to for receipt in known), default=0)
        stop = self._end()
        wanted = [end for end in sorted(set(ends)) if 1 <= end <= reached and end < stop]
        tips = (tip for end in wanted for tip in self._tips(end + 1) if tip[0] == end)
        new = (tip for tip in tips if (tip[0], tip[1].hex()) not in said)
        return [self._receipt(Level.COMMITTED, tip, self._without(tip)) for tip in new]

    def _end(self) -> int:
        """Before this position a receipt may end: a record is lost there, or more is absent than fits into one."""
        bare = stretches(seq for seq, _head in self._bare)
        return min(self._lost or MAX_SEQ, bare[MAX_ABSENT][0] if len(bare) > MAX_ABSENT else MAX_SEQ)

    def _tips(self, before: int) -> Sequence[Position]:
        if self._chain is not None:
            if before > self._chain[0]:
                return (self._chain,)
            links = self._central.store.links(self._device, before - 2)
            return tuple((link.seq, link.head) for link in islice(links, 1 if before > 1 else 0))
        return self._central.log(self._device, before).tips if self._project is not None else ()

    def _reaches(self, tip: Position) -> bool:
        """Whether the log is unbroken from its first entry to `tip`: what a backup held may be damaged here since."""
        return tip[0] < (self._lost or MAX_SEQ) and tip in self._tips(tip[0] + 1)

    def _without(self, tip: Position) -> Stretches:
        return tuple(stretches(self._behind(tip, self._bare)))

    def _receipt(self, level: Level, tip: Position, absent: Stretches) -> Receipt:
        assert self._project is not None  # there are no tips without
        seq, head = tip
        version: dict[str, Any] = {"format_version": 2, "absent": absent} if absent else {}
        return Receipt(
            project=self._project.id,
            device=self._device,
            up_to=seq,
            head=head.hex(),
            level=level,
            by=Role.CENTRAL,
            issued=self._central.clock.now().isoformat("T", "seconds"),
            **version,
        )

    def _behind(self, tip: Position, among: Sequence[Position]) -> Iterable[int]:
        """The positions of those in the history that ends at `tip`: not what a clone says of its own."""
        if not among:
            return _NONE
        if self._before is None:
            links = self._central.store.links(self._device)
            self._before = {(link.seq, link.head): link.previous for link in links}
        history: set[Position] = set()
        at = tip
        while at in self._before:
            history.add(at)
            at = (at[0] - 1, self._before[at])
        return (seq for seq, head in among if (seq, head) in history)
