"""What a draft says of itself, as the plaintext bytes that the vault encrypts: head, snapshot, change.

JSON that only this module writes and reads, so floats and lone surrogates in an answer survive. It holds answers: it
never leaves memory but through the vault.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from fieldsurvey.vault.errors import VaultDamagedError


@dataclass(frozen=True, slots=True)
class FormKey:
    """A form, exactly. `hash` is the SHA-256 (hex) of its compiled XForm."""

    id: str
    version: str
    hash: str

    def tag(self) -> bytes:
        """32 bytes that stand for it in the vault's associated data."""
        return hashlib.sha256(json.dumps([self.id, self.version, self.hash]).encode()).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """What a list of drafts shows, and what does not change while the draft is open.

    `completed`: ISO 8601, "" while it is unfinished; from then on `withdrawal` is the code that the person was given.
    """

    form: FormKey
    title: str
    started: str
    saved: str
    place: str
    case: str
    completed: str = ""
    withdrawal: str = field(default="", repr=False)

    def to_bytes(self) -> bytes:
        """For the vault."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """The inverse. Raises VaultDamagedError."""
        found = _load(data)
        try:
            return cls(**{**found, "form": FormKey(**found["form"])})
        except (TypeError, KeyError):
            raise VaultDamagedError(what="draft head") from None


@dataclass(slots=True)
class Paradata:
    """How the interview went: seconds worked on it, how often it was taken up again, reasons for accepted warnings,
    what was said to questions of consent (see `consent.Said`), both by reference, and the pictures that it takes along
    by name (see `attachments.Held`).
    """

    seconds: int = 0
    resumed: int = 0
    saves: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    consent: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    files: dict[str, tuple[str, str, str, int]] = field(default_factory=dict, repr=False)


def snapshot_bytes(data: dict[str, Any], paradata: Paradata) -> bytes:
    """A snapshot: the engine's draft, and how it went so far."""
    return _dump({"data": data, "paradata": asdict(paradata)})


def read_snapshot(snapshot: bytes) -> tuple[dict[str, Any], Paradata]:
    """The inverse. Raises VaultDamagedError."""
    found = _load(snapshot)
    try:
        return found["data"], Paradata(**found["paradata"])
    except (TypeError, KeyError):
        raise VaultDamagedError(what="draft snapshot") from None


@dataclass(frozen=True, slots=True)
class SavedChange:
    """One save: what the engine says changed, and when, where, after how many seconds of work."""

    engine: dict[str, Any] = field(repr=False)
    at: str
    place: str
    seconds: int
    resumed: int
    reasons: dict[str, str] = field(default_factory=dict, repr=False)
    consent: dict[str, tuple[str, str, str]] = field(default_factory=dict, repr=False)
    files: dict[str, tuple[str, str, str, int]] = field(default_factory=dict, repr=False)

    def to_bytes(self) -> bytes:
        """For the vault."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> SavedChange:
        """The inverse. Raises VaultDamagedError."""
        try:
            return cls(**_load(data))
        except TypeError:
            raise VaultDamagedError(what="draft change") from None


def replay(paradata: Paradata, changes: Iterable[SavedChange]) -> Paradata:
    """How it went up to the last change."""
    for change in changes:
        paradata.seconds = change.seconds
        paradata.resumed = change.resumed
        paradata.saves += 1
        paradata.reasons.update(change.reasons)
        paradata.consent.update(change.consent)
        paradata.files.update(change.files)
    return paradata


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _load(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        raise VaultDamagedError(what="draft") from None
    if not isinstance(found, dict):
        raise VaultDamagedError(what="draft")
    return found
