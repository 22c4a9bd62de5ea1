"""A laptop that joined a project: its folder holds the vault and the project's file."""

from __future__ import annotations

import contextlib
from functools import cached_property
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.cards import DeviceStatus
from fieldsurvey.fieldwork.errors import OtherProjectError, ProjectGoneError, UnknownPersonError
from fieldsurvey.fieldwork.forms import FormShelf
from fieldsurvey.fieldwork.retention import PurgeReport, purge
from fieldsurvey.fieldwork.session import Session
from fieldsurvey.fieldwork.standing import device_status
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.slots import Argon2Params, calibrate
from fieldsurvey.records.words import check_strength
from fieldsurvey.vault import LockedVault, Vault, open_locked
from fieldsurvey.vault.errors import NoVaultError, VaultExistsError

VAULT: Final = "vault.db"
PROJECT: Final = "project.fsp"


class Laptop:
    """Locked, until `unlock` gives a Session."""

    def __init__(self, home: Path, locked: LockedVault, clock: Clock) -> None:
        self.home = home
        self.locked = locked
        self.clock = clock

    @classmethod
    def join(
        cls,
        home: Path,
        project_bytes: bytes,
        *,
        device_name: str,
        person: str,
        passphrase: str,
        clock: Clock,
        argon2: Argon2Params | None = None,
    ) -> Laptop:
        """A new device for a project, with one person; `argon2` is calibrated to this machine when not given.

        Raises VaultExistsError when the laptop has joined one already (see `update`), UnknownPersonError,
        WeakPassphraseError, what `read_project` refuses, StorageError. If it fails, joining again starts afresh.
        """
        project = read_project(project_bytes)
        check_strength(passphrase, project.model.policy.passphrase_bits)
        check_person(project, person)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        vault = home / VAULT
        if vault.exists() and not is_blank(vault):
            raise VaultExistsError(place=str(home))
        # The project first: a vault that trusts a project whose file never arrived would be of no use.
        write_atomic(home / PROJECT, project_bytes, private=True)
        made = Vault.create(
            vault,
            project=project.model.id,
            root=project.root_fingerprint,
            project_version=project.model.version,
            name=device_name,
            person=person,
            passphrase=passphrase,
            now=clock.now(),
            params=argon2 or slot_params(project),
            recovery=recovery_key(project),
        )
        made.locked.move_pin(project.root_fingerprint, project.model.version, project.model.issued)
        made.close()
        laptop = cls(home, made.locked, clock)
        laptop.__dict__["project"] = project
        return laptop

    @classmethod
    def open(cls, home: Path, clock: Clock) -> Laptop:
        """The laptop as it is, locked. Raises NoVaultError, NewerVaultError, StorageError."""
        return cls(home, open_locked(home / VAULT), clock)

    @cached_property
    def project(self) -> SignedProject:
        """The project that is trusted, verified against the pinned root. Raises ProjectGoneError, and what
        `read_project` refuses: a foreign root, a version older than one seen before.
        """
        pin = self.locked.pin()
        path = self.home / PROJECT
        if not path.exists():
            raise ProjectGoneError(place=str(path))
        return read_project(path, pinned=pin.root, at_least_version=pin.version)

    def status(self) -> DeviceStatus:
        """What a locked laptop may show to anybody."""
        return device_status(self.locked, self.project, self.clock.now())

    def unlock(self, passphrase: str) -> Session:
        """Raises UnlockError for whatever keeps it from opening, VaultInUseError, and what `project` raises.

        Lets go of what the policy no longer keeps, and seals the slot to the escrow key that the policy names now.
        """
        project = self.project
        with contextlib.suppress(StorageError):  # a full disk must not keep anybody out: the next unlock does it
            self.purge()
        vault = self.locked.unlock(passphrase)
        with contextlib.suppress(StorageError):
            vault.people.keep_recovery(recovery_key(project))
        session = Session(project, vault, FormShelf(project), self.clock)
        session.seal_at_unlock()
        return session

    def purge(self) -> PurgeReport:
        """Let go of what the policy no longer keeps (see `retention`); drafts only while nobody else is at work.

        Raises StorageError, and what `project` raises.
        """
        return purge(self.locked, self.project.model.policy, self.clock.now())

    def update(self, project_bytes: bytes) -> SignedProject:
        """Trust a newer version of the same project from now on; drafts keep the form they were begun with.

        Where its root handed over to another, the laptop follows and trusts the new one alone.

        Raises what `read_project` refuses (foreign root, older version), StorageError; then nothing has changed.
        """
        pin = self.locked.pin()
        project = read_project(project_bytes, pinned=pin.root, at_least_version=pin.version)
        if project.model.id != self.locked.device_card().project:
            raise OtherProjectError(name=project.model.name)
        write_atomic(self.home / PROJECT, project_bytes, private=True)
        model = project.model
        self.locked.move_pin(project.root_fingerprint, model.version, model.issued, roots=model.root_fingerprints)
        self.__dict__["project"] = project
        return project

    def close(self) -> None:
        """Close the database."""
        self.locked.close()


def check_person(project: SignedProject, person: str) -> None:
    """Raises UnknownPersonError when the project lists people, and not this one."""
    known = [listed.code for listed in project.model.people]
    if known and person not in known:
        raise UnknownPersonError(person=person, known=", ".join(known))


def slot_params(project: SignedProject) -> Argon2Params:
    """The cost of a guess that the policy asks for, else calibrated to this machine."""
    asked = project.model.policy.argon2
    return Argon2Params(asked.memory_kib, asked.iterations, asked.lanes) if asked else calibrate()


def recovery_key(project: SignedProject) -> RecipientPublic | None:
    """The escrow key to which slots are sealed for recovery: the project's own in use, never a round's, which is
    destroyed one day. None unless the policy asks for recovery.
    """
    if not project.model.policy.recovery_slot:
        return None
    escrow = [one for one in project.model.recipients if one.label == "escrow" and one.active and not one.round]
    return max(escrow, key=lambda one: one.created or "").key if escrow else None


def is_blank(vault: Path) -> bool:
    """Whether a join that was cut off left a file without tables."""
    try:
        open_locked(vault).close()
    except NoVaultError:
        return True
    return False
