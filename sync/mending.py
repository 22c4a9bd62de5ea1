"""What a disk or a stranger altered goes from central, so that whoever still has the true record can bring it again.

A record lies under its own hash: what does not hash to it is of no use to anybody, and stands in the way of the true
one, for what is held is never overwritten. Of all else that an audit finds nothing can be taken out: central is then
made anew, from a backup and from what the laptops and sticks have.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldsurvey.records.envelope import record_hash
from sync.central import Central
from sync.stick import Progress


@dataclass(frozen=True, slots=True)
class Discarded:
    """A record that was altered, and is not at central any more: its laptop, and its place in that log."""

    device: str
    seq: int


def discard_altered(central: Central, progress: Progress | None = None) -> tuple[Discarded, ...]:
    """Take out every record that is not what its log says; those are central's to get again. In a database that is
    itself damaged nothing is touched. Raises StorageError.
    """
    store = central.store
    if store.check():
        return ()
    total, done = store.counts().entries, 0
    found: list[Discarded] = []
    for device in store.senders():
        altered = []
        for entry in store.entries(device):
            done += 1
            if progress and done % 64 == 0:
                progress(done, total, device)
            body = store.body(entry.record_hash)
            if body is not None and record_hash(body) != entry.record_hash:
                altered.append(entry)
        if altered:
            with store.write() as writer:
                writer.discard([entry.record_hash for entry in altered])
            found += [Discarded(device, entry.seq) for entry in altered]
    return tuple(found)
