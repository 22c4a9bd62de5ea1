"""Synthetic laptops for the tests of this room: a log of sealed records without a vault. Nothing here is anybody's."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from typing import Any

from fieldsurvey.records.container import open_container, write_container
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.log import LogEntry, next_entry, start_head
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from sync.batches import plan_batches, write_batch

PROJECT = "0f" * 16
OTHER_PROJECT = "1e" * 16
HMU = RecipientPrivate.generate()
CREATED = "2026-03-01T08:00:00Z"


class SyntheticLaptop:
    """A device with a log in memory."""

    def __init__(
        self,
        project: str = PROJECT,
        name: str = "synthetic laptop",
        parent: LogParent | None = None,
        former: SigningKey | None = None,
    ) -> None:
        self.key, self.carrier = SigningKey.generate(), SigningKey.generate()
        self.card = DeviceCard.make(
            self.key,
            project=project,
            name=name,
            carrier=self.carrier.public,
            recipient=RecipientPrivate.generate().public,
            created=CREATED,
            parent=parent,
            former=former,
        )
        self.log: list[tuple[LogEntry, bytes]] = []
        self.erased: set[int] = set()

    @property
    def device(self) -> str:
        """Its id."""
        return self.card.device

    def device_card(self) -> DeviceCard:
        """As a locked vault gives it."""
        return self.card

    def head_at(self, seq: int) -> bytes:
        """As a locked vault gives it."""
        return self.log[seq - 1][0].head if seq else start_head(self.card.project, self.device)

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """As a locked vault gives them."""
        return (item for item in self.log[from_seq - 1 : to_seq] if item[0].seq not in self.erased)

    def erase(self, *seqs: int) -> None:
        """What a withdrawal does on the laptop: from now on these entries travel without their records."""
        self.erased.update(seqs)

    def seal(self, case: str | None = None, size: int = 40, **header: Any) -> bytes:
        """Seal one more synthetic record and log it; returns the record."""
        fields = {"project": self.card.project, "device": self.device, "case": case or secrets.token_hex(16), **header}
        return self.append(seal(Header(**fields), b"synthetic" + bytes(size), [HMU.public]))

    def append(self, record: bytes) -> bytes:
        """Log any bytes as a record."""
        previous = self.log[-1][0] if self.log else None
        entry = next_entry(self.key, self.card.project, self.device, previous, record_hash(record))
        self.log.append((entry, record))
        return record

    def clone(self) -> SyntheticLaptop:
        """The same keys and the same log so far: a copied disk."""
        twin = object.__new__(SyntheticLaptop)
        twin.key, twin.carrier, twin.card, twin.log = self.key, self.carrier, self.card, list(self.log)
        twin.erased = set(self.erased)
        return twin

    def batches(self, first: int = 1, last: int | None = None, **bounds: int) -> list[bytes]:
        """Batch files of a stretch of the log."""
        gone = [entry for entry, _record in self.log if entry.seq in self.erased]
        plans = plan_batches(self, first, last or len(self.log), erased=gone, **bounds)
        return [b"".join(write_batch(self, plan)) for plan in plans]

    def batch(self, first: int = 1, last: int | None = None) -> bytes:
        """One batch file."""
        (data,) = self.batches(first, last)
        return data

    def manifest(self, first: int = 1, last: int | None = None) -> dict[str, Any]:
        """The manifest of such a batch, to be tampered with: see `resign`."""
        return open_container(io.BytesIO(self.batch(first, last)), "batch").manifest

    def resign(self, manifest: dict[str, Any], records: list[bytes]) -> bytes:
        """What somebody who has the carrier key of a seized, locked laptop can make."""
        return b"".join(write_container("batch", manifest, records, self.carrier))


def laptop(records: int = 3, **kwargs: Any) -> SyntheticLaptop:
    """A laptop with that many sealed records, each a case of its own."""
    made = SyntheticLaptop(**kwargs)
    for _ in range(records):
        made.seal()
    return made
