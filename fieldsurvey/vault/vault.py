"""The vault: locked it shows and exports; unlocked by one person it keeps that person's drafts and seals the log.

One process at a time has it unlocked. It never sees an answer: drafts and records are bytes to it. Zeroing keys inside
a living Python process cannot be promised: locking means ending the process that called `unlock`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from fieldsurvey.base.errors import UnlockError, UntrustedError
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.log import LogEntry, next_entry, start_head
from fieldsurvey.records.recipients import RecipientPrivate, RecipientPublic
from fieldsurvey.records.slots import Argon2Params, SlotDamagedError, lock_slot, open_slot
from fieldsurvey.vault.device_keys import DeviceKeys, open_secrets
from fieldsurvey.vault.drafts import Drafts
from fieldsurvey.vault.errors import NotOurRecordError, VaultInUseError
from fieldsurvey.vault.keys import OWNER, SLOT_LABEL, SlotContent, code_bytes, derive, new_key
from fieldsurvey.vault.people import People, insert_slot
from fieldsurvey.vault.returned import note_sealed
from fieldsurvey.vault.schema import check_blank, migrate
from fieldsurvey.vault.sealed_log import SealedLog
from fieldsurvey.vault.store import Store
from fieldsurvey.vault.tally import Tally


class LockedVault(SealedLog):
    """A laptop's vault as anybody who holds the laptop has it."""

    def unlock(self, passphrase: str, slot: int | None = None) -> Vault:
        """Open it with one person's passphrase, trying every slot unless one is named.

        Raises UnlockError for whatever keeps it from opening, VaultInUseError before a guess is made when another
        process has it unlocked, SlotDamagedError when no slot is whole, SlotMemoryError.
        """
        guard = hold(self.path)
        try:
            number, content = self._try_slots(passphrase, slot)
            return Vault(self, guard, number, content)
        except BaseException:
            guard.release()
            raise

    def _try_slots(self, passphrase: str, wanted: int | None) -> tuple[int, SlotContent]:
        whole = False
        for number, slot in self.store.rows("SELECT number, slot FROM slot ORDER BY number"):
            if wanted not in {None, number}:
                continue
            try:
                return number, SlotContent.from_bytes(open_slot(slot, passphrase, label=SLOT_LABEL))
            except FormatVersionError:
                raise
            except UntrustedError:  # this slot is damaged; another may still open
                continue
            except UnlockError:  # whole, but of other words
                whole = True
        if whole:
            raise UnlockError
        raise SlotDamagedError(reason="no slot is whole")


class Vault:
    """Unlocked by `person`. Use as a context manager, or call `close`."""

    def __init__(self, locked: LockedVault, guard: ProcessLock, slot: int, content: SlotContent) -> None:
        self.locked = locked
        self.person = content.person
        self.slot = slot
        self._guard = guard
        self._content = content
        card = locked.device_card()
        self.project = card.project
        self.device = card.device
        box = locked.store.one("SELECT secrets FROM device")[0]
        self._signing, self._hpke_seed = open_secrets(content.vault_key, card, box)
        self.drafts = drafts_of(locked.store, self.project, content)
        self.people = People(locked.store, self.project, slot, content)
        self.tally = Tally(locked.store, self.project, content.vault_key)

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        project: str,
        root: str,
        project_version: int,
        name: str,
        person: str,
        passphrase: str,
        now: datetime,
        params: Argon2Params | None = None,
        recovery: RecipientPublic | None = None,
    ) -> Vault:
        """A new vault with new device keys and one person's slot; nothing of it remains if anything fails.

        `project` is the project's id and `root` the fingerprint of its root key, both hex. Raises VaultExistsError,
        VaultInUseError, PersonCodeError, FieldError (name), StorageError and what `slots.lock_slot` raises.
        """
        code_bytes(person)
        content = SlotContent(new_key(), new_key(), person)
        keys = DeviceKeys.make(content.vault_key, project=project, name=name, now=now)
        start = start_head(project, keys.card.device)
        device = (keys.card.to_bytes(), keys.carrier, keys.secrets, root, project_version, start)
        guard = hold(path)
        store = None
        try:
            store = Store(path)
            check_blank(store.connection, path)
            slot = lock_slot(content.to_bytes(), passphrase, label=SLOT_LABEL, params=params)
            with store.write() as connection:
                check_blank(connection, path)
                migrate(connection, path)
                connection.execute(
                    "INSERT INTO device (id, card, carrier, secrets, root, project_version, head_seq, head)"
                    " VALUES (1, ?, ?, ?, ?, ?, 0, ?)",
                    device,
                )
                insert_slot(connection, 1, slot, content, project, recovery=recovery)
            return cls(LockedVault(store), guard, 1, content)
        except BaseException:
            if store is not None:
                store.close()
            guard.release()
            raise

    def finalise(self, draft_id: str, record: bytes, *, count: bytes | None = None) -> LogEntry:
        """Append a sealed record to the log and delete the draft it came from, in one transaction.

        `count`: what its case counts for from now on (see `tally`), in the same transaction.
        Raises NotOurRecordError for anything that is not a sealed record of this device and project, NoSuchDraftError,
        StorageError; then the draft and the log are as they were.
        """
        try:
            header = read_header(record)
        except UntrustedError as error:
            raise NotOurRecordError(reason=error.code) from None
        if (header.project, header.device) != (self.project, self.device):
            raise NotOurRecordError(reason="project or device")
        with self.locked.store.write() as connection:
            entry = next_entry(self._signing, self.project, self.device, self.locked.last_entry(), record_hash(record))
            self.locked.append(connection, entry, record)
            if count is not None:
                self.tally.put(connection, header.case, count)
            note_sealed(connection, draft_id)
            self.drafts.delete(connection, draft_id)
        self.locked.store.tidy()
        return entry

    @property
    def recipient(self) -> RecipientPrivate:
        """To whom work is returned: this laptop, whoever unlocked it."""
        return RecipientPrivate(self._hpke_seed)

    @property
    def vault_key(self) -> bytes:
        """What locks the device's secrets and the list of people."""
        return self._content.vault_key

    def take_over_drafts(self, passphrase: str) -> int:
        """Words that were forgotten have been found: the drafts left behind are this person's now; how many.

        Raises UnlockError when the words are of none of the slots that were set aside, VaultDamagedError, StorageError.
        """
        store = self.locked.store
        for (slot,) in store.rows("SELECT slot FROM former_slot ORDER BY id DESC"):
            try:
                found = SlotContent.from_bytes(open_slot(slot, passphrase, label=SLOT_LABEL))
            except (UnlockError, UntrustedError):  # of other words, or damaged: another may open
                continue
            taken = self.drafts.take_over(drafts_of(store, self.project, found))
            store.tidy()
            return taken
        raise UnlockError

    def discard(self, draft_id: str) -> None:
        """Delete a draft for good. Raises NoSuchDraftError, StorageError."""
        with self.locked.store.write() as connection:
            self.drafts.delete(connection, draft_id)
        self.locked.store.tidy()

    def close(self) -> None:
        """Empty the write-ahead log and let another process unlock. The locked view stays usable."""
        self.locked.store.tidy()
        self._guard.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def drafts_of(store: Store, project: str, content: SlotContent) -> Drafts:
    """The drafts of the person whose slot's content it is."""
    return Drafts(store, project, content.person_key, derive(content.person_key, OWNER)[:16])


def open_locked(path: Path) -> LockedVault:
    """The vault of this laptop, locked. Raises NoVaultError, NewerVaultError, DatabaseDamagedError, StorageError."""
    return LockedVault(Store.opened(path))


def hold(path: Path) -> ProcessLock:
    """Keep every other process from unlocking it. Raises VaultInUseError, StorageError."""
    guard = ProcessLock(path.with_name(path.name + ".lock"))
    if not guard.acquire():
        raise VaultInUseError(process=guard.holder(), place=str(path))
    return guard
