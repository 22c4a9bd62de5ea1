"""The key files of those who run a project: what is in them, how they are locked, how they are read.

root.key, hmu.key and escrow.key open with a passphrase each. central.key and supervisor.key have none: they sign
receipts, open nothing, and must work unattended; they are readable by their owner only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.project.errors import KeyFileError
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.slots import Argon2Params
from fieldsurvey.records.wire import Hash, Id, Wire

ROOT = "root.key"
HMU = "hmu.key"
ESCROW = "escrow.key"
CENTRAL = "central.key"
SUPERVISOR = "supervisor.key"
MAX_KEY_FILE = 128 << 10


class _Secret(Wire):
    what: ClassVar[str] = "key file"
    max_bytes: ClassVar[int] = 8 << 10

    format: Literal["fieldsurvey key"] = "fieldsurvey key"
    format_version: Literal[0] = 0
    purpose: Literal["root", "hmu", "escrow", "central", "supervisor"]
    project: Id
    seed: Hash
    sign: Hash | None = None
    dataset: Hash | None = None

    def __repr__(self) -> str:
        return f"_Secret({self.purpose})"


@dataclass(frozen=True, slots=True)
class HmuKeys:
    """What the Human Mobility Unit holds: it opens records, signs returned work, and locks the dataset at rest."""

    project: str
    recipient: RecipientPrivate
    sign: SigningKey
    dataset: bytes = field(repr=False)

    @classmethod
    def generate(cls, project: str) -> HmuKeys:
        """New ones."""
        return cls(project, RecipientPrivate.generate(), SigningKey.generate(), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class RoleKeyFile:
    """A role's signing key, and the project it belongs to."""

    project: str
    role: Role
    key: SigningKey


def lock_root(project: str, root: RootKey, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of root.key."""
    return _lock(_Secret(purpose="root", project=project, seed=root.to_bytes().hex()), passphrase, argon2)


def unlock_root(path: Path, passphrase: str) -> RootKey:
    """Raises UnlockError, KeyFileError, StorageError."""
    return RootKey(bytes.fromhex(_unlock(path, passphrase, "root").seed))


def lock_hmu(keys: HmuKeys, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of hmu.key."""
    secret = _Secret(
        purpose="hmu",
        project=keys.project,
        seed=keys.recipient.seed.hex(),
        sign=keys.sign.to_bytes().hex(),
        dataset=keys.dataset.hex(),
    )
    return _lock(secret, passphrase, argon2)


def unlock_hmu(path: Path, passphrase: str) -> HmuKeys:
    """Raises UnlockError, KeyFileError, StorageError."""
    secret = _unlock(path, passphrase, "hmu")
    if secret.sign is None or secret.dataset is None:
        raise KeyFileError(place=str(path))
    return HmuKeys(
        secret.project,
        RecipientPrivate(bytes.fromhex(secret.seed)),
        SigningKey(bytes.fromhex(secret.sign)),
        bytes.fromhex(secret.dataset),
    )


def lock_escrow(project: str, escrow: RecipientPrivate, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of escrow.key."""
    return _lock(_Secret(purpose="escrow", project=project, seed=escrow.seed.hex()), passphrase, argon2)


def unlock_escrow(path: Path, passphrase: str) -> RecipientPrivate:
    """Raises UnlockError, KeyFileError, StorageError."""
    return RecipientPrivate(bytes.fromhex(_unlock(path, passphrase, "escrow").seed))


def role_key_bytes(project: str, role: Role, key: SigningKey) -> bytes:
    """The bytes of central.key or supervisor.key: not locked, to be written private to its owner."""
    purpose: Literal["central", "supervisor"] = "central" if role is Role.CENTRAL else "supervisor"
    return _Secret(purpose=purpose, project=project, seed=key.to_bytes().hex()).to_bytes()


def read_role_key(path: Path) -> RoleKeyFile:
    """Raises KeyFileError, StorageError."""
    try:
        secret = _Secret.from_bytes(_read(path))
    except UntrustedError:
        raise KeyFileError(place=str(path)) from None
    if secret.purpose not in {Role.CENTRAL.value, Role.SUPERVISOR.value}:
        raise KeyFileError(place=str(path))
    return RoleKeyFile(secret.project, Role(secret.purpose), SigningKey(bytes.fromhex(secret.seed)))


def _lock(secret: _Secret, passphrase: str, argon2: Argon2Params | None) -> bytes:
    return lock_secret(secret.to_bytes(), passphrase, argon2)


def _unlock(path: Path, passphrase: str, purpose: str) -> _Secret:
    secret = _Secret.from_bytes(unlock_secret(_read(path), passphrase))
    if secret.purpose != purpose:
        raise KeyFileError(place=str(path))
    return secret


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_KEY_FILE + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(data) > MAX_KEY_FILE:
        raise KeyFileError(place=str(path))
    return data
