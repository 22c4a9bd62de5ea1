"""Erasing the bodies of a withdrawn case. The log's entries stay, with their hashes; whose they are is for others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fieldsurvey.records.log import LogEntry
from fieldsurvey.vault.sealed_log import SealedLog


def erase_bodies(log: SealedLog, entries: Sequence[LogEntry]) -> int:
    """Remove the records of these entries, all or none; how many were still there. Raises StorageError."""
    base = log.first_row
    gone = 0
    with log.store.write() as connection:
        for entry in entries:
            ours = connection.execute("SELECT entry FROM log WHERE seq = ?", (base + entry.seq,)).fetchone()
            if ours == (entry.to_bytes(),):
                connection.execute("INSERT OR IGNORE INTO erased (seq) VALUES (?)", (base + entry.seq,))
                gone += connection.execute("DELETE FROM outbox WHERE seq = ?", (base + entry.seq,)).rowcount
    log.store.tidy()
    return gone


def erased(log: SealedLog) -> frozenset[int]:
    """The entries of a log whose record was erased because its case was withdrawn."""
    return frozenset(seq - log.first_row for (seq,) in log.store.rows("SELECT seq FROM erased") if _of(log, seq))


def erased_entries(log: SealedLog) -> Iterator[LogEntry]:
    """The same as entries, in order: they travel without their record, so that the log stays whole."""
    for seq in sorted(erased(log)):
        yield LogEntry.from_bytes(log.store.one("SELECT entry FROM log WHERE seq = ?", (log.first_row + seq,))[0])


def _of(log: SealedLog, seq: int) -> bool:
    return 0 < seq - log.first_row <= log.head().seq
