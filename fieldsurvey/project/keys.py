"""The key files of those who run a project: what is in them, how they are locked, how they are read.

root.key, hmu.key and escrow.key open with a passphrase each. central.key and supervisor.key have none: they sign
receipts, open nothing, and must work unattended; they are readable by their owner only.

Where two people are needed, hmu.key opens with a key of its own that no file holds: it is split 2 of n over the HMU's
members, hmu-CODE.key each, which open with that member's passphrase (SLIP-39).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from pydantic import Field

from fieldsurvey.base.errors import UnlockError, UntrustedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.project import shares
from fieldsurvey.project.errors import FewPeopleError, KeyFileError, SharesError
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.records.labels import ROUND_LOCK, hash_of
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.slots import FLOOR, Argon2Params
from fieldsurvey.records.wire import Code, Hash, Id, Wire

ROOT = "root.key"
ROOT_NEW = "root-new.key"
HMU = "hmu.key"
ESCROW = "escrow.key"
CENTRAL = "central.key"
SUPERVISOR = "supervisor.key"
ROUNDS = "rounds"
MEMBERS: Final = "hmu-*.key"
MEMBERS_NEXT: Final = "hmu-*.next"
MAX_KEY_FILE = 128 << 10
MAX_EARLIER: Final = 100


class _Secret(Wire):
    what: ClassVar[str] = "key file"
    max_bytes: ClassVar[int] = 32 << 10

    format: Literal["fieldsurvey key"] = "fieldsurvey key"
    format_version: Literal[1] = 1
    purpose: Literal["root", "hmu", "escrow", "central", "supervisor", "round", "share"]
    project: Id
    seed: Hash | None = None
    sign: Hash | None = None
    dataset: Hash | None = None
    earlier: Annotated[tuple[Hash, ...], Field(strict=False, max_length=MAX_EARLIER)] = ()
    earlier_datasets: Annotated[tuple[Hash, ...], Field(strict=False, max_length=MAX_EARLIER)] = ()
    person: Code | None = None
    words: Annotated[str, Field(max_length=400)] | None = None

    def __repr__(self) -> str:
        return f"_Secret({self.purpose})"


@dataclass(frozen=True, slots=True)
class HmuKeys:
    """What the Human Mobility Unit holds: it opens records, signs returned work, and locks the dataset at rest.

    `earlier` and `earlier_datasets` are keys that were replaced: what was sealed to them still opens. `rounds` are the
    keys of each round that are not destroyed. `people` are the codes of those who opened, where members have codes.
    """

    project: str
    recipient: RecipientPrivate
    sign: SigningKey
    dataset: bytes = field(repr=False)
    earlier: tuple[RecipientPrivate, ...] = ()
    earlier_datasets: tuple[bytes, ...] = field(default=(), repr=False)
    rounds: Mapping[str, tuple[RecipientPrivate, ...]] = field(default_factory=dict)
    people: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[RecipientPrivate, ...]:
        """Every key that opens records, for `open_record`."""
        return (self.recipient, *self.earlier, *(key for keys in self.rounds.values() for key in keys))

    @property
    def datasets(self) -> tuple[bytes, ...]:
        """Every key that a dataset at rest may be locked with; the first locks new ones."""
        return (self.dataset, *self.earlier_datasets)

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
    return RootKey(_seed(_unlock(path, passphrase, "root"), path))


def lock_hmu(keys: HmuKeys, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of hmu.key."""
    secret = _Secret(
        purpose="hmu",
        project=keys.project,
        seed=keys.recipient.seed.hex(),
        sign=keys.sign.to_bytes().hex(),
        dataset=keys.dataset.hex(),
        earlier=tuple(key.seed.hex() for key in keys.earlier),
        earlier_datasets=tuple(key.hex() for key in keys.earlier_datasets),
    )
    return _lock(secret, passphrase, argon2)


def unlock_hmu(path: Path, passphrase: str) -> HmuKeys:
    """Raises UnlockError, KeyFileError, StorageError."""
    secret = _unlock(path, passphrase, "hmu")
    if secret.sign is None or secret.dataset is None:
        raise KeyFileError(place=str(path))
    return HmuKeys(
        secret.project,
        RecipientPrivate(_seed(secret, path)),
        SigningKey(bytes.fromhex(secret.sign)),
        bytes.fromhex(secret.dataset),
        tuple(RecipientPrivate(bytes.fromhex(seed)) for seed in secret.earlier),
        tuple(bytes.fromhex(key) for key in secret.earlier_datasets),
    )


def open_hmu(folder: Path, passphrases: Sequence[str]) -> HmuKeys:
    """The HMU's keys, those of rounds included, from a steward's folder.

    One passphrase where hmu.key opens with one; where members hold shares, those of two different members in any
    order. Raises UnlockError, FewPeopleError, SharesError, KeyFileError, StorageError.
    """
    found, _lock_of_file, people, _pending = open_locked(folder, passphrases)
    rounds = {place.name: _round_keys(place, found) for place in sorted((folder / ROUNDS).glob("*")) if place.is_dir()}
    return HmuKeys(
        found.project,
        found.recipient,
        found.sign,
        found.dataset,
        found.earlier,
        found.earlier_datasets,
        {code: keys for code, keys in rounds.items() if keys},
        people,
    )


def people_needed(folder: Path) -> int:
    """How many people's passphrases open hmu.key in this folder."""
    return shares.THRESHOLD if any(folder.glob(MEMBERS)) or any(folder.glob(MEMBERS_NEXT)) else 1


class Unlocked(NamedTuple):
    """What is in hmu.key, what it is locked by, the codes of the members whose shares gave that.

    `pending`: their shares are still the ones being made anew, beside the former.
    """

    keys: HmuKeys
    lock: str
    people: tuple[str, ...] = ()
    pending: bool = False


def open_locked(folder: Path, passphrases: Sequence[str]) -> Unlocked:
    """Open hmu.key. Shares that are being made anew lie beside the former until hmu.key is replaced: whichever fit it
    are used. Raises as `open_hmu`.
    """
    few = mismatch = None
    settled, made = sorted(folder.glob(MEMBERS)), sorted(folder.glob(MEMBERS_NEXT))
    replaced = {path.stem for path in made}
    for files in (settled, [*made, *(path for path in settled if path.stem not in replaced)] if made else []):
        given = dict(share for words in passphrases if (share := _share_of(files, words)))
        if len(given) == 1:
            few = FewPeopleError(needed=shares.THRESHOLD, given=1)
        if len(given) < shares.THRESHOLD:
            continue
        try:
            lock = shares.combine(given.values()).hex()
            return Unlocked(unlock_hmu(folder / HMU, lock), lock, tuple(given), files is not settled)
        except (SharesError, UnlockError):
            mismatch = KeyFileError(place=str(folder / MEMBERS))
    for words in passphrases if few is None and mismatch is None else ():
        try:
            return Unlocked(unlock_hmu(folder / HMU, words), words)
        except UnlockError:
            continue
    raise mismatch or few or UnlockError


def lock_share(project: str, person: str, words: str, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of hmu-CODE.key: one member's share of what opens hmu.key."""
    return _lock(_Secret(purpose="share", project=project, person=person, words=words), passphrase, argon2)


def lock_round(keys: HmuKeys, key: RecipientPrivate) -> bytes:
    """The bytes of a round's operational key, which opens with the HMU's keys."""
    secret = _Secret(purpose="round", project=keys.project, seed=key.seed.hex())
    return _lock(secret, _round_lock(keys.dataset), FLOOR)  # the lock is a key, not words that could be guessed


def _round_keys(place: Path, keys: HmuKeys) -> tuple[RecipientPrivate, ...]:
    found = []
    for path in sorted(place.glob("operational-*.key")):
        for dataset in keys.datasets:
            try:
                found.append(RecipientPrivate(_seed(_unlock(path, _round_lock(dataset), "round"), path)))
            except UnlockError:
                continue
            except UntrustedError:  # damaged: said with the file's name, like one that no key of ours opens
                raise KeyFileError(place=str(path)) from None
            break
        else:
            raise KeyFileError(place=str(path))
    return tuple(found)


def _round_lock(dataset: bytes) -> str:
    return hash_of(ROUND_LOCK, dataset).hex()


def _share_of(files: Sequence[Path], passphrase: str) -> tuple[str, str] | None:
    """The member's code and share that this passphrase opens."""
    for path in files:
        try:
            secret = _unlock(path, passphrase, "share")
        except (UnlockError, UntrustedError):  # a damaged share is its owner's loss; the others still open together
            continue
        if secret.person is None or secret.words is None:
            raise KeyFileError(place=str(path))
        return secret.person, secret.words
    return None


def lock_escrow(project: str, escrow: RecipientPrivate, passphrase: str, argon2: Argon2Params | None = None) -> bytes:
    """The bytes of escrow.key."""
    return _lock(_Secret(purpose="escrow", project=project, seed=escrow.seed.hex()), passphrase, argon2)


def unlock_escrow(path: Path, passphrase: str) -> RecipientPrivate:
    """Raises UnlockError, KeyFileError, StorageError."""
    return RecipientPrivate(_seed(_unlock(path, passphrase, "escrow"), path))


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
    return RoleKeyFile(secret.project, Role(secret.purpose), SigningKey(_seed(secret, path)))


def _lock(secret: _Secret, passphrase: str, argon2: Argon2Params | None) -> bytes:
    return lock_secret(secret.to_bytes(), passphrase, argon2)


def _unlock(path: Path, passphrase: str, purpose: str) -> _Secret:
    secret = _Secret.from_bytes(unlock_secret(_read(path), passphrase))
    if secret.purpose != purpose:
        raise KeyFileError(place=str(path))
    return secret


def _seed(secret: _Secret, path: Path) -> bytes:
    if secret.seed is None:
        raise KeyFileError(place=str(path))
    return bytes.fromhex(secret.seed)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_KEY_FILE + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(data) > MAX_KEY_FILE:
        raise KeyFileError(place=str(path))
    return data
