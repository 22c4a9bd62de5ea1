"""What a locked laptop can do: show its state, hand out its sealed log, take receipts. It holds no secret but the
carrier key, which signs batch manifests and requests and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.labels import SIGN_REQUEST
from fieldsurvey.records.log import LogEntry, start_head
from fieldsurvey.records.receipt import Level, Receipt
from fieldsurvey.records.signing import Signature, SigningKey
from fieldsurvey.records.slots import read_params
from fieldsurvey.vault.errors import NotOurRecordError, OtherRootError, ReceiptMismatchError, VaultDamagedError
from fieldsurvey.vault.store import Store

_PAGE = 32
_LOG: Final = 1 << 40
"""Entries that a log may have: its rows lie this far from those of the log before it."""


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
    """One log of the laptop: the current one, or a former one, which still exports and takes receipts but never grows.

    Entries and records are streamed, a few at a time.
    """

    def __init__(self, store: Store, former: int | None = None) -> None:
        self.store = store
        self._former = former
        self._read_card: tuple[int, DeviceCard] | None = None
        self.today: Callable[[], date] = date.today
        """The day by the laptop's clock."""

    @property
    def number(self) -> int:
        """Which of the laptop's logs: from 0 on, in the order in which they were begun."""
        return int(self.store.one("SELECT log FROM device")[0]) if self._former is None else self._former

    def former_logs(self) -> list[SealedLog]:
        """The logs before this one, oldest first; a former log has none."""
        if self._former is not None:
            return []
        return [SealedLog(self.store, log) for (log,) in self.store.rows("SELECT log FROM former ORDER BY log")]

    @property
    def former(self) -> bool:
        """Whether it has ended."""
        return self._former is not None

    def logs(self) -> list[SealedLog]:
        """All of the laptop's, oldest first, this one last."""
        return [*self.former_logs(), self]

    def _row(self) -> tuple[Any, ...]:
        """Card, carrier, last entry's number, head."""
        if self._former is None:
            return self.store.one("SELECT card, carrier, head_seq, head FROM device")
        return self.store.one("SELECT card, carrier, head_seq, head FROM former WHERE log = ?", (self._former,))

    @property
    def path(self) -> Path:
        """The database's file."""
        return self.store.path

    def device_card(self) -> DeviceCard:
        """The laptop's public keys, self-signed."""
        number = self.number  # another process may have begun a new log
        if self._read_card is None or self._read_card[0] != number:
            try:
                self._read_card = number, DeviceCard.from_bytes(self._row()[0])
            except FormatVersionError:
                raise
            except FieldsurveyError:
                raise VaultDamagedError(what="device card") from None
        return self._read_card[1]

    @property
    def carrier(self) -> SigningKey:
        """Signs batch manifests and requests; lies in the clear so that a locked laptop can export."""
        return SigningKey.from_bytes(self._row()[1])

    def carrier_sign(self, data: bytes, label: str = SIGN_REQUEST) -> Signature:
        """The carrier key's signature under `label`."""
        return self.carrier.sign(label, data)

    def pin(self) -> Pin:
        """The project that is trusted."""
        return Pin(*self.store.one("SELECT root, project_version FROM device"))

    def move_pin(self, root: str, version: int, issued: str | None = None, *, roots: Sequence[str] = ()) -> None:
        """Trust a newer version of the same root's project; `issued` is its signed time.

        `roots` are the verified project's roots, the present one last: a laptop follows from the one it trusted to
        `root`, and from then on the one before signs nothing for it. Raises OtherRootError; an older version changes
        nothing.
        """
        pinned = self.pin()
        if root != pinned.root and not (pinned.root in roots and roots[-1] == root):
            raise OtherRootError(found=root, pinned=pinned.root)
        with self.store.write() as connection:
            connection.execute("UPDATE device SET root = ?, project_version = max(project_version, ?)", (root, version))
            if issued and (instant := utc(issued)):
                note_signed_time(connection, instant)

    def signed_time(self) -> str:
        """The latest time that the project's root or central signed, ISO 8601 in UTC; "" before the first."""
        return str(self.store.one("SELECT signed_time FROM device")[0])

    def head(self) -> Head:
        """The end of the log."""
        return Head(*self._row()[2:])

    def head_at(self, seq: int) -> bytes:
        """The head after entry `seq`; 0 gives the start."""
        if seq == 0:
            card = self.device_card()
            return start_head(card.project, card.device)
        found = self.store.rows("SELECT entry FROM log WHERE seq = ?", (self.first_row + seq,))
        if not found:
            raise VaultDamagedError(what=f"entry {seq}")
        return LogEntry.from_bytes(found[0][0]).head

    def entries(self, from_seq: int = 1, to_seq: int | None = None) -> Iterator[tuple[LogEntry, bytes]]:
        """Entries with their records, both ends included, in order. Purged records are left out, and what another
        process erases meanwhile.
        """
        base = self.first_row
        last = base + (self.head().seq if to_seq is None else min(to_seq, _LOG - 1))
        after = base + from_seq - 1
        while after < last:
            page = self.store.rows(
                "SELECT seq, entry FROM log JOIN outbox USING (seq) WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (after, last, _PAGE),
            )
            if not page:
                return
            for seq, entry in page:  # records one by one: a few of 8 MiB must not lie in memory together
                after = seq
                for (record,) in self.store.rows("SELECT record FROM outbox WHERE seq = ?", (seq,)):
                    yield LogEntry.from_bytes(entry), record

    def bodies(self, from_seq: int, to_seq: int) -> Iterator[tuple[int, bytes | None]]:
        """The record of each entry, both ends included, in order; None where it was purged."""
        base = self.first_row
        for seq in range(from_seq, to_seq + 1):
            found = self.store.rows("SELECT record FROM outbox WHERE seq = ?", (base + seq,))
            yield seq, found[0][0] if found else None

    def rows(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Every row of the log as it lies there: seq, entry, and the record or None where it was purged."""
        base = after = self.first_row
        while found := self.store.rows(
            "SELECT seq, entry, record FROM log LEFT JOIN outbox USING (seq) WHERE seq > ? AND seq < ?"
            " ORDER BY seq LIMIT 1",
            (after, base + _LOG),
        ):
            after, entry, record = found[0]
            yield after - base, entry, record

    def stored_bytes(self, from_seq: int, to_seq: int) -> int:
        """Of the records of these entries, both ends included, that are here."""
        (found,) = self.store.one(
            "SELECT coalesce(sum(length(record)), 0) FROM outbox WHERE seq BETWEEN ? AND ?",
            (self.first_row + from_seq, self.first_row + to_seq),
        )
        return int(found)

    def purged(self) -> int:
        """How many records have gone after central had them safe; their entries stay."""
        base = self.first_row
        held = self.store.one("SELECT count(*) FROM outbox WHERE seq > ? AND seq < ?", (base, base + _LOG))
        return self.head().seq - int(held[0])

    def purged_up_to(self) -> int:
        """Up to which entry bodies were let go of; what is missing further on is a loss."""
        base, head = self.first_row, self.head().seq
        (first,) = self.store.one("SELECT min(seq) FROM outbox WHERE seq > ? AND seq < ?", (base, base + _LOG))
        missing = head if first is None else int(first) - base - 1
        return min(missing, self.acknowledged().get(Level.BACKED_UP.value, 0))

    def receipts(self) -> list[Receipt]:
        """The furthest of each level."""
        rows = self.store.rows("SELECT receipt FROM receipt WHERE log = ? ORDER BY up_to", (self.number,))
        return [Receipt.from_bytes(row[0]) for row in rows]

    def take_receipt(self, receipt: Receipt, taken: datetime | None = None) -> bool:
        """Keep it if it says more than what is held; returns whether it did. The caller has verified its signature.

        `taken`: the laptop's clock, by default the machine's. Central's time is remembered in any case: only signed
        time counts towards a purge. Raises ReceiptMismatchError when it is another log's, reaches beyond ours, its
        head is not ours there, or it leaves out a record that was not erased here: whoever copied the carrier key from
        a disk could have told central so.
        """
        card = self.device_card()
        if (receipt.project, receipt.device) != (card.project, card.device):
            raise ReceiptMismatchError(reason=_("another device"))
        if receipt.up_to > self.head().seq:
            raise ReceiptMismatchError(reason=_("beyond the end of the log"))
        if bytes.fromhex(receipt.head) != self.head_at(receipt.up_to):
            raise ReceiptMismatchError(reason=_("another history"))
        if any(not self._erased_all(first, last) for first, last in receipt.absent):
            raise ReceiptMismatchError(reason=_("somebody told central that records were erased here which were not"))
        issued = utc(receipt.issued)
        if issued is None:
            raise ReceiptMismatchError(reason=_("its time"))
        now = (taken or datetime.now(UTC)).astimezone(UTC).isoformat("T", "seconds")
        with self.store.write() as connection:
            cursor = connection.execute(
                "INSERT INTO receipt (log, level, up_to, receipt) VALUES (?, ?, ?, ?) ON CONFLICT (log, level)"
                " DO UPDATE SET up_to = excluded.up_to, receipt = excluded.receipt WHERE excluded.up_to > up_to",
                (self.number, receipt.level.value, receipt.up_to, receipt.to_bytes()),
            )
            further = cursor.rowcount == 1
            if receipt.level is not Level.RECEIVED:
                note_signed_time(connection, issued)
                self._forget_days(connection, receipt.up_to)
            if receipt.level is Level.BACKED_UP:
                connection.execute(
                    "INSERT OR IGNORE INTO backed_up (log, up_to, issued, taken) VALUES (?, ?, ?, ?)",
                    (self.number, receipt.up_to, issued, now),
                )
            return further

    def _erased_all(self, first: int, last: int) -> bool:
        """Whether every record of these entries was erased here."""
        base = self.first_row
        query = "SELECT count(*) FROM erased WHERE seq BETWEEN ? AND ?"
        return bool(self.store.one(query, (base + first, base + last)) == (last - first + 1,))

    def _forget_days(self, connection: sqlite3.Connection, up_to: int) -> None:
        """Central has these entries: when they were sealed is nobody's business any more."""
        base = self.first_row
        next_day = "(SELECT max(seq) FROM sealed_on WHERE seq > ? AND seq <= ?)"
        if up_to >= self.head().seq:
            connection.execute("DELETE FROM sealed_on WHERE seq > ? AND seq <= ?", (base, base + up_to))
        else:
            connection.execute(
                f"DELETE FROM sealed_on WHERE seq > ? AND seq < {next_day}",  # noqa: S608 - from the line above
                (base, base, base + up_to + 1),
            )

    def sealed_days(self) -> list[tuple[int, str]]:
        """(entry, day): from that entry on they were sealed on that day, by the laptop's clock; ordered by entry.

        Only as far as central has not confirmed them; what an older program sealed has no day.
        """
        base = self.first_row
        rows = self.store.rows(
            "SELECT seq, day FROM sealed_on WHERE seq > ? AND seq < ? ORDER BY seq", (base, base + _LOG)
        )
        return [(seq - base, day) for seq, day in rows]

    def acknowledged(self) -> dict[str, int]:
        """Level -> up to which entry, without loading the receipts."""
        return dict(self.store.rows("SELECT level, up_to FROM receipt WHERE log = ?", (self.number,)))

    def mark_copied(self, up_to: int, where: str, when: datetime) -> None:
        """Entries 1 … `up_to` were written to `where` and read back. Raises ReceiptMismatchError beyond the end."""
        if not 0 <= up_to <= self.head().seq:
            raise ReceiptMismatchError(reason=_("beyond the end of the log"))
        with self.store.write() as connection:
            number = self.number
            connection.execute("DELETE FROM copied WHERE place = ? AND log = ?", (where, number))
            connection.execute(
                "INSERT INTO copied (log, up_to, place, at) VALUES (?, ?, ?, ?)",
                (number, up_to, where, when.isoformat("T", "seconds")),
            )

    def copied(self) -> list[Copied]:
        """The last copy in each place, oldest first."""
        rows = self.store.rows("SELECT up_to, place, at FROM copied WHERE log = ? ORDER BY id", (self.number,))
        return [Copied(*row) for row in rows]

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
        """Insert an entry and its record and move the head; inside the caller's transaction. Current log only."""
        seq = self.first_row + entry.seq
        connection.execute("INSERT INTO log (seq, entry) VALUES (?, ?)", (seq, entry.to_bytes()))
        connection.execute("INSERT INTO outbox (seq, record) VALUES (?, ?)", (seq, record))
        moved = connection.execute(
            "UPDATE device SET head_seq = ?, head = ? WHERE head_seq = ?", (entry.seq, entry.head, entry.seq - 1)
        )
        if moved.rowcount != 1:
            raise NotOurRecordError(reason="the log moved")
        last = "(SELECT day FROM sealed_on WHERE seq > ? ORDER BY seq DESC LIMIT 1)"
        day = self.today().isoformat()
        connection.execute(
            f"INSERT INTO sealed_on (seq, day) SELECT ?, ? WHERE ? IS NOT {last}",
            (seq, day, day, self.first_row),
        )

    def last_entry(self) -> LogEntry | None:
        """The last, None when there is none."""
        base = self.first_row
        found = self.store.rows(
            "SELECT entry FROM log WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT 1", (base, base + _LOG)
        )
        return LogEntry.from_bytes(found[0][0]) if found else None

    @property
    def first_row(self) -> int:
        """What its rows in log and outbox have as seq, less the entry's own number."""
        return self.number * _LOG

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def utc(instant: str) -> str | None:
    """An ISO 8601 instant so that texts compare as times do; None at the very ends of the calendar."""
    try:
        return datetime.fromisoformat(instant).astimezone(UTC).isoformat("T", "seconds")
    except OverflowError:
        return None


def note_signed_time(connection: sqlite3.Connection, instant: str) -> None:
    """The project's root or central signed this time (as `utc` gives it). It only ever moves forward."""
    connection.execute("UPDATE device SET signed_time = max(signed_time, ?)", (instant,))


def _well_formed(slot: bytes) -> bool:
    try:
        read_params(slot)
    except FieldsurveyError:
        return False
    return True
