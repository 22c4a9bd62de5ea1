"""People on one laptop: a slot each, up to eight. Who they are is encrypted; a locked laptop shows only how many."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.slots import Argon2Params, lock_slot
from fieldsurvey.vault.drafts import delete_draft
from fieldsurvey.vault.errors import (
    LastPersonError,
    NoSuchPersonError,
    PersonExistsError,
    SlotsFullError,
    UnfinishedDraftsError,
    VaultDamagedError,
)
from fieldsurvey.vault.keys import (
    MAX_CODE,
    OWNER,
    PEOPLE,
    SLOT_LABEL,
    SlotContent,
    code_bytes,
    derive,
    lock_box,
    new_key,
    open_box,
)
from fieldsurvey.vault.recovery import is_sealed_to, seal_recovery
from fieldsurvey.vault.store import Store

MAX_PEOPLE: Final = 8


@dataclass(frozen=True, slots=True)
class Person:
    """An enumerator's code, the slot's number, and how many drafts only they can open."""

    slot: int
    person: str
    drafts: int


class People:
    """Any of them, unlocked, may add, list and remove others, as colleagues do who share a laptop."""

    def __init__(self, store: Store, project: str, slot: int, content: SlotContent) -> None:
        self._store = store
        self._project = project
        self._slot = slot
        self._content = content

    def listed(self) -> list[Person]:
        """In the order of their slots. Raises VaultDamagedError."""
        return [
            Person(number, _open_name(self._content.vault_key, box, self._project, number), drafts)
            for number, box, drafts in self._store.rows(
                "SELECT number, person, (SELECT count(*) FROM draft WHERE draft.owner = slot.owner)"
                " FROM slot ORDER BY number"
            )
        ]

    def add(
        self,
        person: str,
        passphrase: str,
        params: Argon2Params | None = None,
        recovery: RecipientPublic | None = None,
    ) -> Person:
        """A slot for `person`, and one sealed to `recovery` if the policy asks for it.

        Raises PersonExistsError, SlotsFullError, PersonCodeError, StorageError.
        """
        code_bytes(person)
        content = SlotContent(self._content.vault_key, new_key(), person)
        taken = self.require_new(person)
        if len(taken) == MAX_PEOPLE:
            raise SlotsFullError(count=MAX_PEOPLE)
        number = min(set(range(1, MAX_PEOPLE + 1)) - {other.slot for other in taken})
        slot = lock_slot(content.to_bytes(), passphrase, label=SLOT_LABEL, params=params)
        with self._store.write() as connection:
            insert_slot(connection, number, slot, content, self._project, recovery=recovery)
        return Person(number, person, 0)

    def require_new(self, person: str) -> list[Person]:
        """Who has a slot, if `person` is not among them. Raises PersonExistsError."""
        taken = self.listed()
        if any(other.person == person for other in taken):
            raise PersonExistsError(person=person)
        return taken

    def remove(self, person: str, *, forget_drafts: bool = False) -> Person:
        """Remove the slot of `person`; what they sealed stays in the log.

        Raises NoSuchPersonError, LastPersonError, and UnfinishedDraftsError unless their drafts may be forgotten.
        """
        everybody = self.listed()
        found = next((other for other in everybody if other.person == person), None)
        if found is None:
            raise NoSuchPersonError(person=person)
        if len(everybody) == 1:
            raise LastPersonError(person=person)
        if found.drafts and not forget_drafts:
            raise UnfinishedDraftsError(person=person, count=found.drafts)
        with self._store.write() as connection:
            owner = connection.execute("SELECT owner FROM slot WHERE number = ?", (found.slot,)).fetchone()
            for (number,) in connection.execute("SELECT number FROM draft WHERE owner = ?", owner).fetchall():
                delete_draft(connection, number)
            connection.execute("DELETE FROM slot WHERE number = ?", (found.slot,))
        self._store.tidy()
        return found

    def change_passphrase(self, passphrase: str, params: Argon2Params | None = None) -> None:
        """Lock one's own slot anew; nothing else is re-encrypted."""
        slot = lock_slot(self._content.to_bytes(), passphrase, label=SLOT_LABEL, params=params)
        with self._store.write() as connection:
            connection.execute("UPDATE slot SET slot = ? WHERE number = ?", (slot, self._slot))
        self._store.tidy()

    def keep_recovery(self, recovery: RecipientPublic | None) -> bool:
        """Seal one's own slot to the escrow key that the policy names now, or to nobody; whether that changed it."""
        held = self._store.one("SELECT recovery FROM slot WHERE number = ?", (self._slot,))[0]
        if (recovery is None and held is None) or (recovery is not None and is_sealed_to(held, recovery)):
            return False
        box = seal_recovery(self._content, recovery, self._project) if recovery else None
        with self._store.write() as connection:
            connection.execute("UPDATE slot SET recovery = ? WHERE number = ?", (box, self._slot))
        return True


def insert_slot(
    connection: sqlite3.Connection,
    number: int,
    slot: bytes,
    content: SlotContent,
    project: str,
    *,
    recovery: RecipientPublic | None = None,
) -> None:
    """A slot's row, inside the caller's transaction."""
    name = code_bytes(content.person)
    padded = bytes([len(name)]) + name.ljust(MAX_CODE, b"\0")
    key = derive(content.vault_key, PEOPLE)
    connection.execute(
        "INSERT INTO slot (number, slot, owner, person, recovery) VALUES (?, ?, ?, ?, ?)",
        (
            number,
            slot,
            derive(content.person_key, OWNER)[:16],
            lock_box(key, padded, PEOPLE, bytes.fromhex(project), bytes([number])),
            seal_recovery(content, recovery, project) if recovery else None,
        ),
    )


def _open_name(vault_key: bytes, box: bytes, project: str, number: int) -> str:
    padded = open_box(derive(vault_key, PEOPLE), box, PEOPLE, bytes.fromhex(project), bytes([number]))
    if len(padded) != 1 + MAX_CODE or padded[0] > MAX_CODE:
        raise VaultDamagedError(what="people")
    return padded[1 : 1 + padded[0]].decode("ascii")
