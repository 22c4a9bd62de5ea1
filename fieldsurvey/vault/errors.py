"""What the vault refuses. A wrong passphrase is base's UnlockError; disk full, read-only and the like are base's too.

StorageError
├── NoVaultError           nobody has joined a project here
├── VaultExistsError       somebody has
├── NewerVaultError        made by a newer fieldsurvey
├── VaultDamagedError      something in it does not open or does not hold together
└── VaultInUseError        another process has it unlocked (a DatabaseBusyError)
RefusedError
├── NoSuchDraftError       not a draft, or somebody else's
├── SlotsFullError         eight people already
├── PersonExistsError      the code has a slot
├── NoSuchPersonError      the code has none
├── LastPersonError        removing the only way in
├── UnfinishedDraftsError  removing somebody whose drafts would be lost
├── NotOurRecordError      a record that is not sealed for this device and project
├── OtherRootError         a project signed by another root than the one pinned
├── ReceiptMismatchError   a receipt that does not speak of this log
├── RecoveryKeyError       an escrow key that opens no recovery slot here
├── NoRecoverySlotError    a person without one
├── BackupAheadError       the backup there goes further than this vault
└── NoBackupError          no backup, or several, in a folder
UntrustedError
└── BackupDamagedError     not the bytes of a backup, or not those that were written
"""

from __future__ import annotations

from fieldsurvey.base.errors import RefusedError, StorageError, UntrustedError
from fieldsurvey.base.sqlite import DatabaseBusyError


class NoVaultError(StorageError):
    """Nobody has joined a project here."""

    code = "vault.none"
    template = "This laptop has not joined a project yet ({place})."
    hint = "Join with the project's file: fieldsurvey device join PROJECT.fsp"


class VaultExistsError(StorageError):
    """There is a vault already."""

    code = "vault.exists"
    template = "This laptop has joined a project already ({place})."
    hint = "Nothing was changed: its drafts and sealed records are safe."


class NewerVaultError(StorageError):
    """Made by a newer fieldsurvey."""

    code = "vault.newer"
    template = "The vault {place} was made by a newer fieldsurvey (version {found}; this one knows {known})."
    hint = "Nothing was changed. Install the newer version on this laptop, then open it again."


class VaultDamagedError(StorageError):
    """Something in it does not open, or does not hold together. `what` names the part, never its content."""

    code = "vault.damaged"
    template = "Part of this laptop's vault is damaged: {what}."
    hint = (
        "Nothing was changed. Sealed records still export: do that first. Then copy the whole folder before anything"
        " else, and run `fieldsurvey device verify` to see what is whole."
    )


class VaultInUseError(DatabaseBusyError):
    """Another process has it unlocked."""

    code = "vault.in_use"
    template = "The vault is already open in another fieldsurvey (process {process})."
    hint = "Nothing was changed. Go on in the other window, or close it and try again."


class NoSuchDraftError(RefusedError):
    """Not a draft, or somebody else's."""

    code = "vault.no_draft"
    template = "There is no such draft here."
    hint = "Nothing was changed. It was finalised or discarded, or belongs to another person on this laptop."


class SlotsFullError(RefusedError):
    """Eight people already."""

    code = "vault.full"
    template = "This laptop has {count} people already, the most it takes."
    hint = "Nothing was changed. Remove somebody who has left: fieldsurvey device people remove CODE"


class PersonExistsError(RefusedError):
    """The code has a slot."""

    code = "vault.person_exists"
    template = "{person} is already on this laptop."
    hint = "Nothing was changed. To start again with a new passphrase, remove the code first, then add it."


class NoSuchPersonError(RefusedError):
    """The code has none."""

    code = "vault.no_person"
    template = "{person} is not on this laptop."
    hint = "Nothing was changed. `fieldsurvey device people list` shows who is."


class LastPersonError(RefusedError):
    """Removing the only way in."""

    code = "vault.last_person"
    template = "{person} is the only one who can unlock this laptop."
    hint = "Nothing was changed. Add somebody else first."


class UnfinishedDraftsError(RefusedError):
    """Removing somebody whose drafts would be lost."""

    code = "vault.unfinished"
    template = "{person} has {count} unfinished drafts that only {person} can open; removing loses them."
    hint = "Nothing was changed. Let {person} finish them, or repeat with --forget-drafts."


class NotOurRecordError(RefusedError):
    """A record that is not sealed for this device and project: nothing else may enter the log."""

    code = "vault.not_ours"
    template = "This is not a sealed record of this device and project ({reason})."
    hint = "Nothing was stored and the draft is kept as it was."


class OtherRootError(RefusedError):
    """A project signed by another root than the one pinned."""

    code = "vault.other_root"
    template = "This project is signed by another root ({found}) than the one this laptop trusts ({pinned})."
    hint = "It was refused and nothing was changed. Ask the project's steward, and compare the words of both."


class ReceiptMismatchError(RefusedError):
    """A receipt that does not speak of this log."""

    code = "vault.receipt"
    template = "This receipt does not speak of this laptop's log ({reason})."
    hint = "It was left aside and nothing was changed: every record stays on this laptop."


class RecoveryKeyError(RefusedError):
    """An escrow key that opens no recovery slot here."""

    code = "vault.recovery_key"
    template = "This key does not open the recovery slot."
    hint = "Nothing was changed. It must be the escrow key of this project to which the laptop last sealed its slots."


class NoRecoverySlotError(RefusedError):
    """A person without a recovery slot."""

    code = "vault.no_recovery"
    template = "{person} has no recovery slot on this laptop."
    hint = (
        "Nothing was changed. There is one only where the project's policy asks for it and the person unlocked since."
        " What is sealed still exports; to work on: fieldsurvey device new-vault"
    )


class BackupAheadError(RefusedError):
    """The backup there goes further than this vault, or comes from another history of it."""

    code = "vault.backup_ahead"
    template = "The backup {place} is of this laptop and holds what this vault does not (up to record {seq})."
    hint = "It was not replaced and nothing was changed. Back up to another folder, and keep both."


class NoBackupError(RefusedError):
    """No backup in a folder, or several."""

    code = "vault.no_backup"
    template = "Which backup? In {place}: {found}."
    hint = "Nothing was changed. Name the file itself: fieldsurvey device restore FILE"


class BackupDamagedError(UntrustedError):
    """Not the bytes of a backup, or not those that were written."""

    code = "vault.backup_damaged"
    template = "{place} is not a whole backup ({reason})."
    hint = "Nothing was restored and nothing was changed. Look for another copy of it."
