"""Returned work in the vault: sealed files that wait until somebody unlocks, and what became of each.

A file is kept as it came, sealed to this laptop, and goes in the transaction that makes a draft of it. What is
remembered of it afterwards is its identity, its case and its revision, so that it is not taken twice. What may be
taken is for others to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from fieldsurvey.records.returned import SealedReturn
from fieldsurvey.vault.sealed_log import SealedLog

MAX_WAITING: Final = 200
MAX_WAITING_BYTES: Final = 64 << 20
State = Literal["waiting", "draft", "sealed", "gone"]
_HASH_AT: Final = 41  # of a log entry's bytes: project 16, device 16, seq 8 come before
_ERASE: Final = "UPDATE returned SET state = 'gone', sealed = NULL"


@dataclass(frozen=True, slots=True)
class StoredReturn:
    """What is remembered of one. `case`: 32 hexadecimal digits; `draft`: the id of the draft that it became, or "".

    `tag`: the case's withdrawal tag, or None.
    """

    digest: bytes
    case: str
    revision: int
    state: State
    draft: str
    tag: str | None


def stored_returns(log: SealedLog) -> list[StoredReturn]:
    """Every one that ever came, in no order."""
    rows = log.store.rows("SELECT digest, case_id, revision, state, draft, tag FROM returned")
    return [
        StoredReturn(digest, case.hex(), revision, state, draft.hex() if draft else "", tag.hex() if tag else None)
        for digest, case, revision, state, draft, tag in rows
    ]


def waiting_returns(log: SealedLog) -> int:
    """How many wait for somebody to unlock."""
    return int(log.store.one("SELECT count(*) FROM returned WHERE state = 'waiting'")[0])


def has_room(log: SealedLog, size: int) -> bool:
    """Whether one more of that many bytes may be kept."""
    count, total = log.store.one(
        "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM returned WHERE state = 'waiting'"
    )
    return bool(count < MAX_WAITING and total + size <= MAX_WAITING_BYTES)


def logged(log: SealedLog, record_hash: bytes) -> bool:
    """Whether this log, the present one, has an entry of that record, its body kept or not."""
    base = log.first_row
    sql = f"SELECT 1 FROM log WHERE seq > ? AND substr(entry, {_HASH_AT}, 32) = ? LIMIT 1"  # noqa: S608 - a constant
    return bool(log.store.rows(sql, (base, record_hash)))


def keep_return(log: SealedLog, sealed: SealedReturn) -> None:
    """Keep a file until somebody unlocks; durable on return. Raises StorageError."""
    manifest = sealed.manifest
    tag = bytes.fromhex(manifest.withdrawal) if manifest.withdrawal else None
    with log.store.write() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO returned (digest, case_id, revision, tag, state, sealed, since)"
            " SELECT ?, ?, ?, ?, 'waiting', ?, '>' || signed_time FROM device",
            (sealed.digest, bytes.fromhex(manifest.case), manifest.revision, tag, sealed.data),
        )


def sealed_return(log: SealedLog, digest: bytes) -> bytes | None:
    """A file that waits."""
    found = log.store.rows("SELECT sealed FROM returned WHERE digest = ? AND state = 'waiting'", (digest,))
    return found[0][0] if found else None


def becomes_draft(digest: bytes) -> Callable[[sqlite3.Connection, bytes], None]:
    """For `Drafts.create`: the file goes, and the draft's id stands in its place."""

    def also(connection: sqlite3.Connection, draft_id: bytes) -> None:
        sql = "UPDATE returned SET state = 'draft', draft = ?, sealed = NULL WHERE digest = ? AND state = 'waiting'"
        if connection.execute(sql, (draft_id, digest)).rowcount != 1:
            raise LookupError("no such return")  # rolled back: another process was quicker

    return also


def note_sealed(connection: sqlite3.Connection, draft_id: str) -> None:
    """The draft of a returned record is sealed, inside the caller's transaction; nothing for any other draft."""
    connection.execute("UPDATE returned SET state = 'sealed', draft = NULL WHERE draft = ?", (bytes.fromhex(draft_id),))


def drop_return(log: SealedLog, digest: bytes) -> None:
    """Erase a file that waits and that nobody can open. Raises StorageError."""
    with log.store.write() as connection:
        connection.execute(f"{_ERASE} WHERE digest = ? AND state = 'waiting'", (digest,))
    log.store.tidy()


def drop_withdrawn(log: SealedLog, tags: Collection[str]) -> int:
    """Erase the files that wait whose case is withdrawn; how many. Raises StorageError."""
    gone = 0
    with log.store.write() as connection:
        for tag in tags:
            found = connection.execute(f"{_ERASE} WHERE tag = ? AND state = 'waiting'", (bytes.fromhex(tag),))
            gone += found.rowcount
    if gone:
        log.store.tidy()
    return gone


def purge_returns(log: SealedLog, before: datetime) -> int:
    """Erase what has waited since a signed time before then; how many. Raises StorageError."""
    limit = before.astimezone(UTC).isoformat("T", "seconds")
    later = "since LIKE '>%' AND substr(since, 2) < (SELECT signed_time FROM device)"
    if not log.store.rows("SELECT 1 FROM returned WHERE state = 'waiting' LIMIT 1"):
        return 0
    with log.store.write() as connection:
        connection.execute(f"UPDATE returned SET since = (SELECT signed_time FROM device) WHERE {later}")  # noqa: S608 - from above
        return connection.execute(f"{_ERASE} WHERE state = 'waiting' AND since <= ?", (limit,)).rowcount
