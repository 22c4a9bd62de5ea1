"""Which log entries their devices' signatures cover, worked out from the rows themselves.

What is merged was verified when it came; who can write to the database can put anything there since. Whoever is about
to believe a record asks here. It reads no record: that one is what its entry's hash says is for who opens it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.log import LogEntry, next_head, verify_entry
from sync.store import AbsentEntry, Store, StoredEntry

_MANY = 8_192


@dataclass(slots=True)
class _Node:
    """An entry whose head follows from what is before it. `before` is let go of once it is proved."""

    head: bytes
    before: _Node | None
    proved: bool = False


class Proof:
    """At the moment when it was made. One look at every entry, and one signature for each batch that came."""

    def __init__(self, store: Store, project: str) -> None:
        """Raises StorageError."""
        self._devices: set[str] = set()
        self._without: set[tuple[str, bytes]] = set()
        for stored in store.devices():
            if stored.device in self._devices:  # every card of a device has the same signing key
                continue
            try:
                card = DeviceCard.from_bytes(stored.card)
            except UntrustedError:  # damaged: nothing of that device is proved
                continue
            if (card.device, card.project) == (stored.device, project):
                self._devices.add(card.device)
                self._without.update((card.device, head) for head in _unproved(store, card))

    def covers(self, device: str, head: bytes) -> bool:
        """Whether the device itself signed that entry, or one that follows from it."""
        return device in self._devices and (device, head) not in self._without


def _unproved(store: Store, card: DeviceCard) -> Iterator[bytes]:
    """The heads of one device's entries that nothing it signed covers."""
    signatures = {(seq, head): signature for seq, head, signature in store.signatures(card.device)}
    before: dict[bytes, _Node] = {}
    here: dict[bytes, _Node] = {}
    waiting: list[_Node] = []
    position = 0
    for row in _rows(store, card.device):
        if row.seq != position:
            before, here, position = here if row.seq == position + 1 else {}, {}, row.seq
        if next_head(row.previous, row.seq, row.record_hash) != row.head:
            yield row.head
            continue
        node = here.setdefault(row.head, _Node(row.head, before.get(row.previous)))
        waiting.append(node)
        signature = signatures.get((row.seq, row.head))
        if signature is not None and _signed(card, row, signature):
            _prove(node)
        if len(waiting) > _MANY and waiting[-1].proved:
            waiting = [one for one in waiting if not one.proved]
    yield from (one.head for one in waiting if not one.proved)


def _rows(store: Store, device: str) -> Iterator[StoredEntry | AbsentEntry]:
    return heapq.merge(store.entries(device), store.absent(device), key=lambda row: (row.seq, row.head))


def _prove(node: _Node) -> None:
    """It, and all that it follows from."""
    at: _Node | None = node
    while at is not None and not at.proved:
        at.proved = True
        at.before, at = None, at.before


def _signed(card: DeviceCard, row: StoredEntry | AbsentEntry, signature: bytes) -> bool:
    try:
        verify_entry(card.sign_key, LogEntry(card.project, card.device, row.seq, row.record_hash, row.head, signature))
    except UntrustedError:
        return False
    return True
