"""What a draft says of itself, as the plaintext bytes that the vault encrypts: head, snapshot, change.

JSON that only this module writes and reads, so floats and lone surrogates in an answer survive. It holds answers: it
never leaves memory but through the vault.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from fieldsurvey.vault.errors import VaultDamagedError

MAX_EVENTS: Final = 10_000
"""Of an audit log: days of work on one interview, and still less than a record holds."""


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
class Correction:
    """What the HMU returned: revision `revision` of a case, whose hash is `record` and whose tag is `withdrawal`.

    `comments`: (reference, text). `finished`: when that revision was (ISO 8601); in its draft time stands still there.
    `mode` and `attachments` are as that record says; attachments as `records.payload.Attachment` has them.
    """

    revision: int
    record: str
    withdrawal: str | None
    finished: str
    mode: Literal["screen", "paper"]
    issued: str
    general: str = field(default="", repr=False)
    comments: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    attachments: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def by_ref(self) -> dict[str, str]:
        """The comments by reference."""
        return dict(self.comments)


@dataclass(frozen=True, slots=True)
class Head:
    """What a list of drafts shows, and what does not change while the draft is open.

    `completed`: ISO 8601, "" while it is unfinished; from then on `withdrawal` is the code that the person was given.
    `returned`: what the HMU says, where it is a record that came back.
    """

    form: FormKey
    title: str
    started: str
    saved: str
    place: str
    case: str
    completed: str = ""
    withdrawal: str = field(default="", repr=False)
    returned: Correction | None = None

    def to_bytes(self) -> bytes:
        """For the vault."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """The inverse. Raises VaultDamagedError."""
        found = _load(data)
        try:
            came = found.get("returned")
            if came is not None:
                comments = tuple((ref, text) for ref, text in came["comments"])
                came = Correction(**{**came, "comments": comments, "attachments": tuple(came["attachments"])})
            return cls(**{**found, "form": FormKey(**found["form"]), "returned": came})
        except (TypeError, KeyError, ValueError):
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
    audit: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def told(self, seconds: int, unsaved: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """For the record. `audit` is there only where the form asks for such a log."""
        found: dict[str, Any] = {"seconds": seconds, "resumed": self.resumed, "saves": self.saves}
        events = [*self.audit, *unsaved][:MAX_EVENTS]
        return {**found, "audit": events} if events else found


class AuditLog:
    """Takes the events of ODK's client audit log, timed by the monotonic clock, until the next save keeps them."""

    def __init__(self) -> None:
        self.unsaved: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> None:
        """One event; the log of an interview that never ends stops growing."""
        if len(self.unsaved) < MAX_EVENTS:
            self.unsaved.append({k: plain_text(v) if isinstance(v, str) else v for k, v in event.items()})


def plain_text(text: str) -> str:
    """What a terminal passed on that is no text (a lone surrogate) becomes a question mark: UTF-8 cannot hold it."""
    return text.encode("utf-8", "replace").decode("utf-8")


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
    audit: list[dict[str, Any]] = field(default_factory=list, repr=False)

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
        paradata.audit.extend(change.audit)
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
