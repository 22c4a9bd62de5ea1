"""Letting go: bodies of records that central has safe, drafts whose time is over. When is for others to say."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.records.receipt import Level
from fieldsurvey.vault.attachments import sweep_locked
from fieldsurvey.vault.drafts import delete_draft
from fieldsurvey.vault.errors import VaultInUseError
from fieldsurvey.vault.returned import drop_withdrawn, stored_returns
from fieldsurvey.vault.sealed_log import SealedLog
from fieldsurvey.vault.vault import LockedVault, hold


def purge_records(log: SealedLog, before: datetime) -> int:
    """Remove the bodies up to the furthest `backed_up` that was both issued and taken before then; how many went.

    Nothing goes unless the `backed_up` receipt that is held still stands: well formed, with this log's own head.
    Entries stay. Raises StorageError.
    """
    held = _standing_backup(log)
    limit = before.astimezone(UTC).isoformat("T", "seconds")
    base = log.first_row
    with log.store.write() as connection:
        found = connection.execute(
            "SELECT max(up_to) FROM backed_up WHERE log = ? AND up_to <= ? AND issued <= ? AND taken <= ?",
            (log.number, held, limit, limit),
        ).fetchone()[0]
        if found is None:
            return 0
        gone = connection.execute("DELETE FROM outbox WHERE seq > ? AND seq <= ?", (base, base + found)).rowcount
        connection.execute("DELETE FROM backed_up WHERE log = ? AND up_to < ?", (log.number, found))
        return gone


def _standing_backup(log: SealedLog) -> int:
    """Up to where the `backed_up` receipt reaches; 0 when there is none that fits this log."""
    try:
        for receipt in log.receipts():
            if receipt.level is Level.BACKED_UP and log.head_at(receipt.up_to) == bytes.fromhex(receipt.head):
                return receipt.up_to
    except FieldsurveyError:  # a damaged receipt or entry: `verify` names it, and everything is kept
        return 0
    return 0


def purge_drafts(locked: LockedVault, before: datetime) -> int:
    """Destroy the drafts, everybody's, not worked on since a signed time before then; how many went.

    Raises VaultInUseError when one would go and somebody is at work, StorageError.
    """
    limit = before.astimezone(UTC).isoformat("T", "seconds")
    store = locked.store
    later = "since LIKE '>%' AND substr(since, 2) < (SELECT signed_time FROM device)"
    if store.rows(f"SELECT 1 FROM draft_age WHERE {later} LIMIT 1"):  # noqa: S608 - from the line above
        with store.write() as connection:
            connection.execute(f"UPDATE draft_age SET since = (SELECT signed_time FROM device) WHERE {later}")  # noqa: S608 - as above
    if not store.rows("SELECT 1 FROM draft_age WHERE since <= ? LIMIT 1", (limit,)):
        return 0
    guard = hold(locked.path)
    try:
        with store.write() as connection:
            due = connection.execute("SELECT number FROM draft_age WHERE since <= ?", (limit,)).fetchall()
            for (number,) in due:
                delete_draft(connection, number)
            connection.execute(
                "DELETE FROM former_slot WHERE since <= ? AND owner NOT IN (SELECT owner FROM draft)", (limit,)
            )
        sweep_locked(locked)
        return len(due)
    finally:
        guard.release()


def drop_withdrawn_returns(locked: SealedLog, tags: Collection[str]) -> int:
    """Erase returned work of withdrawn cases: files that wait, and the drafts that they became; how many.

    Drafts wait while somebody is at work: whoever is erases them when they are left. Raises StorageError.
    """
    gone = drop_withdrawn(locked, tags)
    drafts = [one for one in stored_returns(locked) if one.state == "draft" and one.tag in tags]
    if not drafts:
        return gone
    try:
        guard = hold(locked.path)
    except VaultInUseError:
        return gone
    try:
        with locked.store.write() as connection:
            for one in drafts:
                for (number,) in connection.execute(
                    "SELECT number FROM draft WHERE id = ?", (bytes.fromhex(one.draft),)
                ).fetchall():
                    delete_draft(connection, number)
                    gone += 1
        locked.store.tidy()
    finally:
        guard.release()
    return gone
