"""Drafts: opaque bytes to this module, opaque rows to everybody else.

A draft is a head (what a list shows), a snapshot, and the changes since, each encrypted under a key that only its
owner's slot gives, padded, and bound to project, draft, form and save counter. Saving appends one change; a new
snapshot now and then replaces what came before. What form it is, is inside.

Each draft has a random key of its own, kept in a row of its own and encrypted to its owner: when the draft goes, that
row is overwritten first, and what the disk may still hold of the rest opens with nothing.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from fieldsurvey.records.labels import sequence
from fieldsurvey.records.padding import pad, unpad
from fieldsurvey.vault.errors import NoSuchDraftError, VaultDamagedError
from fieldsurvey.vault.keys import (
    DRAFT,
    DRAFT_CHANGE,
    DRAFT_HEAD,
    DRAFT_KEY,
    DRAFT_SNAPSHOT,
    derive,
    lock_box,
    new_key,
    open_box,
)
from fieldsurvey.vault.store import Store

FORM_TAG_BYTES: Final = 32
_SHIFT: Final = 32
KEPT: Final = "until sealed"
"""In place of a signed time, and after every one: retention lets the draft be."""


@dataclass(frozen=True, slots=True)
class ListedDraft:
    """`head` and `last_change` (None right after a snapshot) as their writer gave them."""

    draft_id: str
    head: bytes = field(repr=False)
    last_change: bytes | None = field(repr=False)


class OpenDraft:
    """One draft at work. `snapshot` and `changes` are what was there when it was opened."""

    def __init__(
        self, drafts: Drafts, draft_id: bytes, number: int, counter: int, form_tag: bytes, *, key: bytes
    ) -> None:
        self._drafts = drafts
        self._id = draft_id
        self._number = number
        self._base = counter
        self._counter = counter
        self._form_tag = form_tag
        self._key = key
        self._worked_on = False
        self.head = b""
        self.snapshot = b""
        self.changes: list[bytes] = []

    @property
    def draft_id(self) -> str:
        """32 hexadecimal digits."""
        return self._id.hex()

    @property
    def changes_since_snapshot(self) -> int:
        """How many changes a resume would have to replay."""
        return self._counter - self._base

    def append(self, change: bytes) -> None:
        """Durable when it returns. Raises StorageError, and then nothing of it is stored: call again with it."""
        counter = self._counter + 1
        box = self._lock(pad(change), DRAFT_CHANGE, counter)
        with self._drafts.store.write() as connection:
            # REPLACE: when a COMMIT failed yet reached the disk, the retry carries all of what the first one did.
            added = connection.execute(
                "INSERT OR REPLACE INTO change (place, data) SELECT ?, ? WHERE EXISTS"
                " (SELECT 1 FROM draft WHERE number = ? AND counter = ?)",
                (self._number << _SHIFT | counter, box, self._number, self._base),
            )
            if added.rowcount != 1:
                raise NoSuchDraftError
            self._note_work(connection)
        self._counter = counter
        self._worked_on = True

    def rebase(self, head: bytes, snapshot: bytes, *, keep: bool = False) -> None:
        """Replace snapshot and changes by a new snapshot; all or nothing. Raises StorageError.

        `keep`: it is complete and waits to be sealed; from now on retention lets it be.
        """
        counter = self._counter + 1
        boxes = (
            counter,
            self._lock(pad(self._form_tag + head), DRAFT_HEAD, counter),
            self._lock(pad(snapshot), DRAFT_SNAPSHOT, counter),
        )
        with self._drafts.store.write() as connection:
            moved = connection.execute(
                "UPDATE draft SET counter = ?, head = ?, snapshot = ? WHERE number = ? AND counter = ?",
                (*boxes, self._number, self._base),
            )
            if moved.rowcount != 1:
                raise NoSuchDraftError
            delete_changes(connection, self._number)
            if keep:
                connection.execute("UPDATE draft_age SET since = ? WHERE number = ?", (KEPT, self._number))
            self._note_work(connection)
        self._base = self._counter = counter
        self._worked_on = True

    def _note_work(self, connection: sqlite3.Connection) -> None:
        """It is not left lying: retention counts anew. Once each time that it is opened, to keep saving quick."""
        if not self._worked_on:
            sql = "UPDATE draft_age SET since = '>' || (SELECT signed_time FROM device) WHERE number = ? AND since <> ?"
            connection.execute(sql, (self._number, KEPT))

    def _lock(self, plaintext: bytes, label: str, counter: int) -> bytes:
        form = () if label == DRAFT_HEAD else (self._form_tag,)
        return lock_box(self._key, plaintext, label, self._drafts.project, self._id, *form, sequence(counter))


class Drafts:
    """One person's."""

    def __init__(self, store: Store, project: str, person_key: bytes, owner: bytes) -> None:
        self.store = store
        self.project = bytes.fromhex(project)
        self._person_key = person_key
        self._owner = owner

    def key_of(self, number: int, draft_id: bytes) -> bytes:
        """The key of one draft. Raises VaultDamagedError."""
        found = self.store.rows("SELECT box FROM draft_key WHERE number = ?", (number,))
        if not found:  # begun before drafts had keys of their own
            return derive(self._person_key, DRAFT, draft_id)
        return open_box(self._key_key(), found[0][0], DRAFT_KEY, self.project, draft_id)

    def _key_key(self) -> bytes:
        return derive(self._person_key, DRAFT_KEY)

    def create(
        self,
        form_tag: bytes,
        head: bytes,
        snapshot: bytes,
        *,
        also: Callable[[sqlite3.Connection, bytes], None] | None = None,
    ) -> OpenDraft:
        """A new draft, durable. `form_tag`: 32 bytes that stand for form, version and hash. Raises StorageError.

        `also` is done in the same transaction, with the draft's id.
        """
        assert len(form_tag) == FORM_TAG_BYTES
        draft_id = secrets.token_bytes(16)
        key = new_key()
        made = OpenDraft(self, draft_id, secrets.randbits(31), 0, form_tag, key=key)
        bound = (self.project, draft_id)
        with self.store.write() as connection:
            connection.execute(
                "INSERT INTO draft (number, id, owner, counter, head, snapshot) VALUES (?, ?, ?, 0, ?, ?)",
                (
                    made._number,
                    draft_id,
                    self._owner,
                    lock_box(key, pad(form_tag + head), DRAFT_HEAD, *bound, sequence(0)),
                    lock_box(key, pad(snapshot), DRAFT_SNAPSHOT, *bound, form_tag, sequence(0)),
                ),
            )
            connection.execute(
                "INSERT INTO draft_age (number, since) SELECT ?, '>' || signed_time FROM device", (made._number,)
            )
            connection.execute(
                "INSERT INTO draft_key (number, box) VALUES (?, ?)",
                (made._number, lock_box(self._key_key(), key, DRAFT_KEY, *bound)),
            )
            if also is not None:
                also(connection, draft_id)
        made.head, made.snapshot = head, snapshot
        return made

    def open(self, draft_id: str) -> OpenDraft:
        """A draft as it was last saved. Raises NoSuchDraftError, VaultDamagedError."""
        found = self.store.rows(
            "SELECT number, id, counter, head, snapshot FROM draft WHERE id = ? AND owner = ?",
            (_id_bytes(draft_id), self._owner),
        )
        if not found:
            raise NoSuchDraftError
        number, raw_id, counter, head_box, snapshot_box = found[0]
        key = self.key_of(number, raw_id)
        head = self._open(key, raw_id, head_box, DRAFT_HEAD, counter)
        opened = OpenDraft(self, raw_id, number, counter, head[:FORM_TAG_BYTES], key=key)
        opened.head = head[FORM_TAG_BYTES:]
        form_tag = head[:FORM_TAG_BYTES]
        opened.snapshot = self._open(key, raw_id, snapshot_box, DRAFT_SNAPSHOT, counter, form_tag)
        for place, box in self.store.rows(
            "SELECT place, data FROM change WHERE place BETWEEN ? AND ? ORDER BY place", _range(number)
        ):
            expected = opened._counter + 1
            if place != number << _SHIFT | expected:
                raise VaultDamagedError(what="draft: a change is missing")
            opened.changes.append(self._open(key, raw_id, box, DRAFT_CHANGE, expected, form_tag))
            opened._counter = expected
        return opened

    def listed(self) -> Iterator[ListedDraft]:
        """This person's drafts. Raises VaultDamagedError at one that does not open."""
        for (raw_id,) in self.store.rows("SELECT id FROM draft WHERE owner = ?", (self._owner,)):
            yield self.look(raw_id.hex())

    def ids(self) -> list[str]:
        """This person's drafts, in no order."""
        return [row[0].hex() for row in self.store.rows("SELECT id FROM draft WHERE owner = ?", (self._owner,))]

    def look(self, draft_id: str) -> ListedDraft:
        """Head and last change of one draft, however large it is. Raises NoSuchDraftError, VaultDamagedError."""
        raw_id = _id_bytes(draft_id)
        found = self.store.rows(
            "SELECT number, counter, head FROM draft WHERE id = ? AND owner = ?", (raw_id, self._owner)
        )
        if not found:
            raise NoSuchDraftError
        number, counter, box = found[0]
        key = self.key_of(number, raw_id)
        head = self._open(key, raw_id, box, DRAFT_HEAD, counter)
        last = self.store.rows(
            "SELECT place, data FROM change WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1", _range(number)
        )
        change = None
        if last:
            place, data = last[0]
            change = self._open(key, raw_id, data, DRAFT_CHANGE, place & 0xFFFFFFFF, head[:FORM_TAG_BYTES])
        return ListedDraft(draft_id, head[FORM_TAG_BYTES:], change)

    def delete(self, connection: sqlite3.Connection, draft_id: str) -> None:
        """Delete it with its changes, inside the caller's transaction. Raises NoSuchDraftError."""
        found = connection.execute(
            "SELECT number FROM draft WHERE id = ? AND owner = ?", (_id_bytes(draft_id), self._owner)
        ).fetchone()
        if found is None:
            raise NoSuchDraftError
        delete_draft(connection, found[0])

    def take_over(self, other: Drafts) -> int:
        """Make everything that `other` has this person's, as after words were found again; how many. All or nothing.

        Raises VaultDamagedError, StorageError.
        """
        with self.store.write() as connection:
            found = connection.execute("SELECT number, id FROM draft WHERE owner = ?", (other._owner,)).fetchall()
            for number, raw_id in found:
                box = lock_box(self._key_key(), other.key_of(number, raw_id), DRAFT_KEY, self.project, raw_id)
                connection.execute("INSERT OR REPLACE INTO draft_key (number, box) VALUES (?, ?)", (number, box))
            connection.execute("UPDATE draft SET owner = ? WHERE owner = ?", (self._owner, other._owner))
            connection.execute("DELETE FROM former_slot WHERE owner = ?", (other._owner,))
        return len(found)

    def _open(self, key: bytes, draft_id: bytes, box: bytes, label: str, counter: int, *form: bytes) -> bytes:
        padded = open_box(key, box, label, self.project, draft_id, *form, sequence(counter))
        plaintext = unpad(padded)
        if plaintext is None or (label == DRAFT_HEAD and len(plaintext) < FORM_TAG_BYTES):
            raise VaultDamagedError(what="draft")
        return plaintext


def delete_draft(connection: sqlite3.Connection, number: int) -> None:
    """A draft with its key and changes, inside the caller's transaction; secure_delete overwrites each."""
    connection.execute(
        "UPDATE returned SET state = 'gone', draft = NULL WHERE draft = (SELECT id FROM draft WHERE number = ?)",
        (number,),
    )
    connection.execute("DELETE FROM draft_key WHERE number = ?", (number,))
    connection.execute("DELETE FROM draft_age WHERE number = ?", (number,))
    delete_changes(connection, number)
    connection.execute("DELETE FROM draft WHERE number = ?", (number,))


def delete_changes(connection: sqlite3.Connection, number: int) -> None:
    """All changes of a draft, inside the caller's transaction."""
    connection.execute("DELETE FROM change WHERE place BETWEEN ? AND ?", _range(number))


def _range(number: int) -> tuple[int, int]:
    return number << _SHIFT, number << _SHIFT | 0xFFFFFFFF


def _id_bytes(draft_id: str) -> bytes:
    try:
        return bytes.fromhex(draft_id)
    except ValueError:
        raise NoSuchDraftError from None
