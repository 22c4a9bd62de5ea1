"""What becomes of a laptop: a backup, a restore, a new vault when the words are gone, its end.

None of it ever stores or exports anything unsealed, and whatever fails leaves the laptop as it was.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import FieldsurveyError, UntrustedError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.fieldwork.backup_places import FILE as BACKUPS
from fieldsurvey.fieldwork.backup_places import note_backup
from fieldsurvey.fieldwork.enrolment import CARD_SUFFIX
from fieldsurvey.fieldwork.errors import NotAcknowledgedError, NotConfirmedRetireError
from fieldsurvey.fieldwork.laptop import PROJECT, VAULT, Laptop, check_person, is_blank, recovery_key, slot_params
from fieldsurvey.fieldwork.withdrawals import Withdrawals, apply_all
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.device import LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import Argon2Params
from fieldsurvey.records.withdrawal import Tombstone
from fieldsurvey.records.words import check_strength
from fieldsurvey.vault import LockedVault, VerifyReport, open_locked, verify_log
from fieldsurvey.vault.attachments import FOLDER
from fieldsurvey.vault.backup import (
    SUFFIX,
    BackupManifest,
    BackupReport,
    Beside,
    discard,
    extract,
    files_of,
    read_manifest,
    write_backup,
)
from fieldsurvey.vault.backup_files import put_in_place
from fieldsurvey.vault.ending import destroy
from fieldsurvey.vault.errors import BackupDamagedError, NoBackupError, VaultExistsError
from fieldsurvey.vault.renewal import begin_after_restore, new_vault, recover
from fieldsurvey.vault.schema import check_tables
from fieldsurvey.vault.store import Store

_RESTORING: Final = "vault.restoring"


def backup(laptop: Laptop, folder: Path) -> BackupReport:
    """Copy the vault and the project's file into `folder`; works while locked. Raises BackupAheadError, StorageError,
    and what `Laptop.project` raises: a laptop without its project is not backed up as if it were whole.
    """
    _ = laptop.project
    place = laptop.home / PROJECT
    try:
        project_file = place.read_bytes()
    except OSError as error:
        raise storage_error(error, place) from error
    stones = [stone.to_bytes() for stone in Withdrawals(laptop.home)]
    withdrawals = b"".join(len(stone).to_bytes(2, "big") + stone for stone in stones)
    report = write_backup(laptop.locked, Beside(project_file, withdrawals), folder, laptop.clock.now())
    if report.verified.whole:
        note_backup(laptop.home, folder.absolute(), laptop.clock.now())
    return report


def _tombstones(data: bytes, file: Path) -> Iterator[Tombstone]:
    """The withdrawals of a backup. Raises BackupDamagedError."""
    while data:
        length = int.from_bytes(data[:2], "big")
        try:
            yield Tombstone.from_bytes(data[2 : 2 + length])
        except UntrustedError:
            raise BackupDamagedError(place=str(file), reason="withdrawals") from None
        data = data[2 + length :]


def find_backup(place: Path) -> Path:
    """The backup itself, or the only one in a folder. Raises NoBackupError."""
    if not place.is_dir():
        return place
    found = sorted(place.glob(f"*{SUFFIX}"))
    if len(found) != 1:
        raise NoBackupError(place=str(place), found=", ".join(_described(file) for file in found) or "-")
    return found[0]


def _described(file: Path) -> str:
    try:
        manifest = read_manifest(file)
    except FieldsurveyError:  # damaged: this list tells which is which, opening it says what is wrong
        return file.name
    return f"{file.name} ({manifest.name}, {manifest.seq}, {manifest.made})"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `parent`: where the former log ends; `verified`: what was found in it."""

    laptop: Laptop
    manifest: BackupManifest
    parent: LogParent
    verified: VerifyReport


class Restoring:
    """A backup read whole and verified, not yet in place: `project` is what its words are compared with.

    Use as a context manager: what is left undone leaves nothing behind.
    """

    def __init__(self, home: Path, file: Path, clock: Clock) -> None:
        """Raises VaultExistsError when there is a vault in `home`, BackupDamagedError, NewerVaultError, StorageError,
        and what `read_project` refuses.
        """
        vault = home / VAULT
        if vault.exists() and not is_blank(vault):
            raise VaultExistsError(place=str(home))
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error, home) from error
        self._home = home
        self._clock = clock
        self._database = home / _RESTORING
        discard(self._database)
        self.manifest, self._beside = extract(file, self._database)
        try:
            self._locked = _opened(self._database)
            try:
                self.verified = verify_log(self._locked)
                self._check(file)
                pin = self._locked.pin()
                self.project: SignedProject = read_project(
                    self._beside.project_file, pinned=pin.root, at_least_version=pin.version
                )
            except BaseException:
                self._locked.close()
                raise
        except BaseException:
            discard(self._database)
            raise

    def finish(self, passphrase: str) -> Restored:
        """Open it with one person's words, begin a new log, and put it in place; all or nothing.

        Raises UnlockError, SlotDamagedError, SlotMemoryError, StorageError; then nothing is there.
        """
        parent = begin_after_restore(self._locked, passphrase, self._clock.now())
        self._locked.store.tidy()
        self._locked.close()
        write_atomic(self._home / PROJECT, self._beside.project_file, private=True)
        kept = Withdrawals(self._home)
        for stone in self._stones:
            kept.enter(stone)
        put_in_place(files_of(self._database), self._home)
        try:
            discard(self._home / VAULT)  # at most the empty file of a join that was cut off
            self._database.replace(self._home / VAULT)
        except OSError as error:
            raise storage_error(error, self._home) from error
        laptop = Laptop.open(self._home, self._clock)
        apply_all(laptop.locked, self._clock.now())  # what was withdrawn, as far as it is known here or in the backup
        return Restored(laptop, self.manifest, parent, self.verified)

    @property
    def expired(self) -> bool:
        """Whether it is older than backups should be: withdrawals since then are for a stick to bring."""
        made = datetime.fromisoformat(self.manifest.made)
        return self._clock.now() - made > timedelta(days=self.project.model.policy.retention.backup_days)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._locked.close()
        discard(self._database)

    def _check(self, file: Path) -> None:
        """The manifest and what is inside must speak of the same."""
        card, head = self._locked.device_card(), self._locked.head()
        self._stones = [*_tombstones(self._beside.withdrawals, file)]
        manifest = self.manifest
        if (card.project, card.device, card.name) != (manifest.project, manifest.device, manifest.name):
            raise BackupDamagedError(place=str(file), reason="device")
        if (head.seq, head.head.hex(), self._locked.pin().root) != (manifest.seq, manifest.head, manifest.root):
            raise BackupDamagedError(place=str(file), reason="log")


def _opened(database: Path) -> LockedVault:
    """A database that was out of the laptop's hands: its tables are looked at before anything in it is used."""
    store = Store(database)
    try:
        check_tables(store.connection, database)
    finally:
        store.close()
    return open_locked(database)


def begin_again(laptop: Laptop, person: str, passphrase: str, argon2: Argon2Params | None = None) -> None:
    """A new vault in place of one that nobody can unlock; only unfinished drafts are out of reach.

    Raises UnknownPersonError, WeakPassphraseError, VaultInUseError, StorageError, and what `Laptop.project` raises.
    """
    project = laptop.project
    check_person(project, person)
    check_strength(passphrase, project.model.policy.passphrase_bits)
    new_vault(
        laptop.locked,
        person=person,
        passphrase=passphrase,
        now=laptop.clock.now(),
        params=argon2 or slot_params(project),
        recovery=recovery_key(project),
    )


def recover_person(
    laptop: Laptop, escrow: RecipientPrivate, person: str, passphrase: str, argon2: Argon2Params | None = None
) -> None:
    """New words for `person` through the recovery slot; drafts are as they were.

    Raises NoRecoverySlotError, RecoveryKeyError, WeakPassphraseError, VaultInUseError, StorageError.
    """
    project = laptop.project
    check_strength(passphrase, project.model.policy.passphrase_bits)
    recover(laptop.locked, escrow, person, passphrase, argon2 or slot_params(project))


@dataclass(frozen=True, slots=True)
class Stake:
    """What would be lost if this laptop ended now. `not_backed_up`: acknowledged, but not yet in central's backup.

    `withdrawals`: kept in the folder of that name, which stays: nobody can tell whether central has them all.
    """

    device: str
    name: str
    drafts: int
    not_acknowledged: int
    not_backed_up: int
    withdrawals: int

    @property
    def lost(self) -> bool:
        """Whether anything would be."""
        return bool(self.drafts or self.not_acknowledged)


def at_stake(locked: LockedVault) -> Stake:
    """Former logs included."""
    waiting = unsafe = 0
    for log in locked.logs():
        levels = log.acknowledged()
        backed_up = levels.get("backed_up", 0)
        acknowledged = max(levels.get("committed", 0), backed_up)
        waiting += log.head().seq - acknowledged
        unsafe += acknowledged - backed_up
    card = locked.device_card()
    withdrawn = sum(1 for _ in Withdrawals(locked.path.parent))
    return Stake(card.device, card.name, locked.draft_count(), waiting, unsafe, withdrawn)


def retire(laptop: Laptop, *, force: bool = False, typed_name: str = "") -> Stake:
    """End this laptop: destroy its slots and keys, then everything else of ours in its folder. There is no way back.

    Raises NotAcknowledgedError while something would be lost, unless `force`; then `typed_name` must be the laptop's
    name (NotConfirmedRetireError). Raises VaultInUseError, StorageError.
    """
    stake = at_stake(laptop.locked)
    if stake.lost and not force:
        raise NotAcknowledgedError(records=stake.not_acknowledged, drafts=stake.drafts)
    if typed_name.strip() != stake.name:
        raise NotConfirmedRetireError(name=stake.name)
    destroy(laptop.locked)
    for file in (
        laptop.home / PROJECT,
        laptop.home / _RESTORING,
        laptop.home / BACKUPS,
        *laptop.home.glob(f"*{CARD_SUFFIX}"),
    ):
        with contextlib.suppress(OSError):  # public: the keys are gone already
            file.unlink(missing_ok=True)
    shutil.rmtree(laptop.home / FOLDER, ignore_errors=True)
    return stake
