"""A laptop whose log cannot go on: words that nobody remembers, or a vault that comes from a backup.

It begins a new log with a new device key that names the old head as its parent, proven with the old carrier key. The
former log stays in the vault without its signing key: it exports with the signatures it has and takes receipts, and
nothing can be added to it.
A restored vault must not go on with the old key: the lost laptop may have sealed more, and that would be a fork.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Literal

from fieldsurvey.records.device import LogParent
from fieldsurvey.records.log import start_head
from fieldsurvey.records.recipients import RecipientPrivate, RecipientPublic
from fieldsurvey.records.slots import Argon2Params, lock_slot
from fieldsurvey.vault.device_keys import DeviceKeys
from fieldsurvey.vault.errors import NoRecoverySlotError, RecoveryKeyError, VaultDamagedError
from fieldsurvey.vault.keys import SLOT_LABEL, SlotContent, code_bytes, new_key
from fieldsurvey.vault.people import insert_slot
from fieldsurvey.vault.recovery import open_recovery
from fieldsurvey.vault.sealed_log import SealedLog
from fieldsurvey.vault.tally import begin_tally
from fieldsurvey.vault.vault import LockedVault, hold

Reason = Literal["new vault", "restored"]


def new_vault(
    locked: LockedVault,
    *,
    person: str,
    passphrase: str,
    now: datetime,
    params: Argon2Params | None = None,
    recovery: RecipientPublic | None = None,
) -> None:
    """Begin again with one person and new words; asks for no old ones. All or nothing.

    The slots that were there are set aside: only their words open the drafts made with them, and `take_over_drafts`
    brings those back if the words are found. What is sealed exports as before. Raises VaultInUseError,
    PersonCodeError, VaultDamagedError (device card), StorageError, what `slots.lock_slot` raises.
    """
    code_bytes(person)
    guard = hold(locked.path)
    try:
        content = SlotContent(new_key(), new_key(), person)
        keys = _next_keys(locked, content.vault_key, now)
        slot = lock_slot(content.to_bytes(), passphrase, label=SLOT_LABEL, params=params)
        with locked.store.write() as connection:
            _begin_log(connection, keys, "new vault", now)
            connection.execute(
                "INSERT INTO former_slot (slot, owner, since) SELECT slot, owner, signed_time FROM slot, device"
            )
            connection.execute("DELETE FROM slot")
            insert_slot(connection, 1, slot, content, keys.card.project, recovery=recovery)
        locked.store.tidy()
    finally:
        guard.release()


def begin_after_restore(locked: LockedVault, passphrase: str, now: datetime) -> LogParent:
    """With one person's words, give a restored vault a new device and log; slots and drafts stay as they are.

    Returns where the former log ends. Raises what `LockedVault.unlock` raises, StorageError.
    """
    with locked.unlock(passphrase) as vault:
        keys = _next_keys(locked, vault.vault_key, now)
        with locked.store.write() as connection:
            _begin_log(connection, keys, "restored", now)
    parent = keys.card.parent
    assert parent is not None
    return parent


def recover(
    locked: LockedVault,
    escrow: RecipientPrivate,
    person: str,
    passphrase: str,
    params: Argon2Params | None = None,
) -> None:
    """Give `person` new words through their recovery slot; their drafts are as they were.

    Raises RecoveryKeyError, NoRecoverySlotError, VaultInUseError, StorageError, what `slots.lock_slot` raises.
    """
    guard = hold(locked.path)
    try:
        number, content = _recovered(locked, escrow, person)
        slot = lock_slot(content.to_bytes(), passphrase, label=SLOT_LABEL, params=params)
        with locked.store.write() as connection:
            connection.execute("UPDATE slot SET slot = ? WHERE number = ?", (slot, number))
        locked.store.tidy()
    finally:
        guard.release()


def _recovered(locked: LockedVault, escrow: RecipientPrivate, person: str) -> tuple[int, SlotContent]:
    project = locked.device_card().project
    boxes = locked.store.rows("SELECT number, recovery FROM slot WHERE recovery IS NOT NULL ORDER BY number")
    opened = False
    for number, box in boxes:
        try:
            content = open_recovery(box, escrow, project)
        except (RecoveryKeyError, VaultDamagedError):  # another may still be this person's
            continue
        opened = True
        if content.person == person:
            return number, content
    if boxes and not opened:
        raise RecoveryKeyError
    raise NoRecoverySlotError(person=person)


def _next_keys(log: SealedLog, vault_key: bytes, now: datetime) -> DeviceKeys:
    card, head = log.device_card(), log.head()
    parent = LogParent(device=card.device, seq=head.seq, head=head.head.hex())
    return DeviceKeys.make(vault_key, project=card.project, name=card.name, now=now, parent=parent, former=log.carrier)


def _begin_log(connection: sqlite3.Connection, keys: DeviceKeys, reason: Reason, now: datetime) -> None:
    """Inside the caller's transaction, with the vault held: the log stands still. The old secrets are overwritten."""
    connection.execute(
        "INSERT INTO former (log, card, carrier, head_seq, head, reason, ended)"
        " SELECT log, card, carrier, head_seq, head, ?, ? FROM device",
        (reason, now.isoformat("T", "seconds")),
    )
    card = keys.card
    connection.execute(
        "UPDATE device SET log = log + 1, card = ?, carrier = ?, secrets = ?, head_seq = 0, head = ?",
        (card.to_bytes(), keys.carrier, keys.secrets, start_head(card.project, card.device)),
    )
    begin_tally(connection, now.date().isoformat(), keep=reason == "restored")
