"""Erasing the bodies of a withdrawn case. The log's entries stay, with their hashes; whose they are is for others."""

from __future__ import annotations

from collections.abc import Sequence

from fieldsurvey.records.log import LogEntry
from fieldsurvey.vault.sealed_log import SealedLog


def erase_bodies(log: SealedLog, entries: Sequence[LogEntry]) -> int:
    """Remove the records of these entries, all or none; how many were still there. Raises StorageError."""
    rows = [(log.first_row + entry.seq,) for entry in entries]
    with log.store.write() as connection:
        gone = sum(connection.execute("DELETE FROM outbox WHERE seq = ?", row).rowcount for row in rows)
        connection.executemany("INSERT OR IGNORE INTO erased (seq) VALUES (?)", rows)
    log.store.tidy()
    return gone


def erased(log: SealedLog) -> frozenset[int]:
    """The entries of a log whose record was erased because its case was withdrawn."""
    return frozenset(seq - log.first_row for (seq,) in log.store.rows("SELECT seq FROM erased") if _of(log, seq))


def _of(log: SealedLog, seq: int) -> bool:
    return 0 < seq - log.first_row <= log.head().seq
