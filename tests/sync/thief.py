"""Somebody with a copy of a locked laptop's disk, and so with its carrier key. Nothing here is anybody's."""

from __future__ import annotations

import io
from collections.abc import Iterator

from fieldsurvey.records.container import Signer
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.log import LogEntry
from fieldsurvey.vault import SealedLog
from sync.batches import plan_batches, write_batch


class Thief:
    """Has a copy of a locked laptop's disk: its log, its card and its carrier key, and no more."""

    def __init__(self, log: SealedLog, *keeps: int) -> None:
        self.log, self.keeps = log, keeps

    @property
    def carrier(self) -> Signer:
        """The laptop's own."""
        return self.log.carrier

    def device_card(self) -> DeviceCard:
        """The laptop's own."""
        return self.log.device_card()

    def head_at(self, seq: int) -> bytes:
        """The laptop's own."""
        return self.log.head_at(seq)

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """Only what he lets through."""
        return (item for item in self.log.entries(from_seq, to_seq) if item[0].seq in self.keeps)

    def batch(self) -> io.BytesIO:
        """Genuine entries, of which the others are said to be erased."""
        last = self.log.head().seq
        gone = [entry for entry, _record in self.log.entries(1, last) if entry.seq not in self.keeps]
        (plan,) = plan_batches(self, 1, last, erased=gone)
        return io.BytesIO(b"".join(write_batch(self, plan)))
