"""Erasing the bodies of a withdrawn case. The log's entries stay, with their hashes; whose they are is for others."""

from __future__ import annotations

from collections.abc import Sequence

from fieldsurvey.records.log import LogEntry
from fieldsurvey.vault.sealed_log import SealedLog


def erase_bodies(log: SealedLog, entries: Sequence[LogEntry]) -> int:
    """Remove the records of these entries, all or none; how many were still there. Raises StorageError."""
    with log.store.write() as connection:
        gone = sum(
            connection.execute(
                "DELETE FROM outbox WHERE seq = (SELECT seq FROM log WHERE entry = ?)", (entry.to_bytes(),)
            ).rowcount
            for entry in entries
        )
    log.store.tidy()
    return gone
