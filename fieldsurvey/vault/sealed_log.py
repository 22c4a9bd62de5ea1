"""What a locked laptop can do: show its state, hand out its sealed log, take receipts. It holds no secret but the
carrier key, which signs batch manifests and requests and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.labels import SIGN_REQUEST
from fieldsurvey.records.log import LogEntry, start_head
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.records.signing import Signature, SigningKey
from fieldsurvey.records.slots import read_params
from fieldsurvey.vault.errors import NotOurRecordError, OtherRootError, ReceiptMismatchError, VaultDamagedError
from fieldsurvey.vault.store import Store

_PAGE = 32


class Head(NamedTuple):
    """The end of the log; seq 0 when it is empty."""

    seq: int
    head: bytes


class Pin(NamedTuple):
    """Which project this laptop trusts: the root's fingerprint (hex), and the last version seen."""

    root: str
    version: int


class Copied(NamedTuple):
    """Up to which entry, where, and when (ISO 8601)."""

    up_to: int
    place: str
    at: str


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """All that a slot shows: its number, and whether its bytes can be a slot at all."""

    number: int
    damaged: bool


class SealedLog:
    """See the module. Entries and records are streamed, a few at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def path(self) -> Path:
        """The database's file."""
        return self.store.path

    def device_card(self) -> DeviceCard:
        """The laptop's public keys, self-signed."""
        return self._card

    @cached_property
    def _card(self) -> DeviceCard:
        (data,) = self.store.one("SELECT card FROM device")
        try:
            return DeviceCard.from_bytes(data)
        except FieldsurveyError:
            raise VaultDamagedError(what="device card") from None

    @property
    def carrier(self) -> SigningKey:
        """Signs batch manifests and requests; lies in the clear so that a locked laptop can export."""
        (seed,) = self.store.one("SELECT carrier FROM device")
        return SigningKey.from_bytes(seed)

    def carrier_sign(self, data: bytes, label: str = SIGN_REQUEST) -> Signature:
        """The carrier key's signature under `label`."""
        return self.carrier.sign(label, data)

    def pin(self) -> Pin:
        """The project that is trusted."""
        return Pin(*self.store.one("SELECT root, project_version FROM device"))

    def move_pin(self, root: str, version: int) -> None:
        """Trust a newer version of the same root's project. Raises OtherRootError; an older version changes nothing."""
        pinned = self.pin()
        if root != pinned.root:
            raise OtherRootError(found=root, pinned=pinned.root)
        with self.store.write() as connection:
            connection.execute("UPDATE device SET project_version = max(project_version, ?)", (version,))

    def head(self) -> Head:
        """The end of the log."""
        return Head(*self.store.one("SELECT head_seq, head FROM device"))

    def head_at(self, seq: int) -> bytes:
        """The head after entry `seq`; 0 gives the start."""
        if seq == 0:
            return start_head(self._card.project, self._card.device)
        found = self.store.rows("SELECT entry FROM log WHERE seq = ?", (seq,))
        if not found:
            raise VaultDamagedError(what=f"entry {seq}")
        return LogEntry.from_bytes(found[0][0]).head

    def entries(self, from_seq: int = 1, to_seq: int | None = None) -> Iterator[tuple[LogEntry, bytes]]:
        """Entries with their records, both ends included, in order. Purged records are left out."""
        last = self.head().seq if to_seq is None else to_seq
        after = from_seq - 1
        while after < last:
            page = self.store.rows(
                "SELECT seq, entry FROM log JOIN outbox USING (seq) WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (after, last, _PAGE),
            )
            if not page:
                return
            for seq, entry in page:  # records one by one: a few of 8 MiB must not lie in memory together
                (record,) = self.store.one("SELECT record FROM outbox WHERE seq = ?", (seq,))
                yield LogEntry.from_bytes(entry), record
                after = seq

    def rows(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Every row of the log as it lies there: seq, entry, and the record or None where it was purged."""
        after = 0
        while found := self.store.rows(
            "SELECT seq, entry, record FROM log LEFT JOIN outbox USING (seq) WHERE seq > ? ORDER BY seq LIMIT 1",
            (after,),
        ):
            yield found[0]
            after = found[0][0]

    def receipts(self) -> list[Receipt]:
        """The furthest of each level."""
        return [Receipt.from_bytes(row[0]) for row in self.store.rows("SELECT receipt FROM receipt ORDER BY up_to")]

    def take_receipt(self, receipt: Receipt) -> bool:
        """Keep it if it says more than what is held; returns whether it did. The caller has verified its signature.

        Raises ReceiptMismatchError when it is another log's, reaches beyond ours, or its head is not ours there.
        """
        card = self._card
        if (receipt.project, receipt.device) != (card.project, card.device):
            raise ReceiptMismatchError(reason=_("another device"))
        if receipt.up_to > self.head().seq:
            raise ReceiptMismatchError(reason=_("beyond the end of the log"))
        if bytes.fromhex(receipt.head) != self.head_at(receipt.up_to):
            raise ReceiptMismatchError(reason=_("another history"))
        with self.store.write() as connection:
            cursor = connection.execute(
                "INSERT INTO receipt (level, up_to, receipt) VALUES (?, ?, ?) ON CONFLICT (level)"
                " DO UPDATE SET up_to = excluded.up_to, receipt = excluded.receipt WHERE excluded.up_to > up_to",
                (receipt.level.value, receipt.up_to, receipt.to_bytes()),
            )
            return cursor.rowcount == 1

    def acknowledged(self) -> dict[str, int]:
        """Level -> up to which entry, without loading the receipts."""
        return dict(self.store.rows("SELECT level, up_to FROM receipt"))

    def mark_copied(self, up_to: int, where: str, when: datetime) -> None:
        """Entries 1 … `up_to` were written to `where` and read back. Raises ReceiptMismatchError beyond the end."""
        if not 0 <= up_to <= self.head().seq:
            raise ReceiptMismatchError(reason=_("beyond the end of the log"))
        with self.store.write() as connection:
            connection.execute("DELETE FROM copied WHERE place = ?", (where,))
            connection.execute(
                "INSERT INTO copied (up_to, place, at) VALUES (?, ?, ?)",
                (up_to, where, when.isoformat("T", "seconds")),
            )

    def copied(self) -> list[Copied]:
        """The last copy in each place, oldest first."""
        return [Copied(*row) for row in self.store.rows("SELECT up_to, place, at FROM copied ORDER BY id")]

    def slots(self) -> list[SlotInfo]:
        """One for each person; nothing says who."""
        return [
            SlotInfo(number, not _well_formed(slot))
            for number, slot in self.store.rows("SELECT number, slot FROM slot ORDER BY number")
        ]

    def draft_count(self) -> int:
        """Everybody's."""
        return int(self.store.one("SELECT count(*) FROM draft")[0])

    def append(self, connection: sqlite3.Connection, entry: LogEntry, record: bytes) -> None:
        """Insert an entry and its record and move the head; inside the caller's transaction."""
        connection.execute("INSERT INTO log (seq, entry) VALUES (?, ?)", (entry.seq, entry.to_bytes()))
        connection.execute("INSERT INTO outbox (seq, record) VALUES (?, ?)", (entry.seq, record))
        moved = connection.execute(
            "UPDATE device SET head_seq = ?, head = ? WHERE head_seq = ?", (entry.seq, entry.head, entry.seq - 1)
        )
        if moved.rowcount != 1:
            raise NotOurRecordError(reason="the log moved")

    def last_entry(self) -> LogEntry | None:
        """The last, None when there is none."""
        found = self.store.rows("SELECT entry FROM log ORDER BY seq DESC LIMIT 1")
        return LogEntry.from_bytes(found[0][0]) if found else None

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def _well_formed(slot: bytes) -> bool:
    try:
        read_params(slot)
    except FieldsurveyError:
        return False
    return True
