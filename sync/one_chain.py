"""Whether a log is one chain from its first entry on with all its records, as nearly all are, without reading it all.

What was seen whole is not read again: what is held up to there is counted each time, which a fork or a lost entry
changes, and what follows is read. That its records are there is looked for in the database each time, all of them,
unless the store can tell that nothing was changed by anybody else since the last look: then at what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldsurvey.records.log import start_head
from sync.merge import Position

if TYPE_CHECKING:
    from sync.central import Central


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to where a log was one chain, with all its records; `mark`: of the store, before they were looked for."""

    at: Position
    mark: tuple[int, int] | None


def one_chain(central: Central, device: str) -> Position | None:
    """The end of such a log; None for an empty one, and where it has to be read. Raises StorageError."""
    project = central.project()
    if project is None:
        return None
    central.check_id(device)
    found: Seen | None = None
    known = central.seen.pop(device, None)
    if known is not None:
        found = _followed(central, device, known)
    if found is None:  # not seen yet, or not as it was seen
        found = _followed(central, device, Seen((0, start_head(project.id, device)), None))
    if found is None:
        return None
    central.seen[device] = found
    return found.at if found.at[0] else None


def _followed(central: Central, device: str, known: Seen) -> Seen | None:
    """What was seen, with what follows it; None where it is no chain, or lacks an entry or a record."""
    store, mark = central.store, central.store.mark()
    looked = mark is not None and mark == known.mark
    seq, head = known.at
    new: list[Position] = []
    for link in store.links(device, seq):
        if link.seq != seq + 1 or link.previous != head:
            return None
        seq, head = link.seq, link.head
        if looked:
            new.append((seq, head))
    if store.held(device, seq) != (seq, 0):
        return None
    lost = store.missing(device, new) > 0 if looked else store.first_without_body(device) is not None
    return None if lost else Seen((seq, head), mark)
