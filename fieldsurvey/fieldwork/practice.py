"""Practice: an interview that lives in the memory of the unlocked process and nowhere else.

It has no recipient and no row in the vault, so it can neither be sealed nor exported; locking ends the process and it
with it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.fieldwork.work import Work

if TYPE_CHECKING:
    from fieldsurvey.fieldwork.cards import SealedCard


class PracticeError(RefusedError):
    """Sealing a practice interview."""

    code = "fieldwork.practice"
    template = "This is a practice interview: it has no recipient and cannot be sealed or exported."
    hint = "Nothing was stored. Start the form again from Home for a real interview."


@dataclass(frozen=True, slots=True)
class PracticeCard:
    """A practice interview that was completed, and is gone."""

    title: str


class MemoryDraft:
    """What `vault.OpenDraft` is, without a vault."""

    def __init__(self, head: bytes, snapshot: bytes) -> None:
        self.draft_id = secrets.token_hex(16)
        self.head = head
        self.snapshot = snapshot
        self.changes: list[bytes] = []

    @property
    def changes_since_snapshot(self) -> int:
        """As in the vault."""
        return len(self.changes)

    def append(self, change: bytes) -> None:
        """Keep a change."""
        self.changes.append(change)

    def rebase(self, head: bytes, snapshot: bytes, *, keep: bool = False) -> None:  # noqa: ARG002 - nothing is kept
        """Replace snapshot and changes."""
        self.head, self.snapshot, self.changes = head, snapshot, []


class PracticeWork(Work):
    """The same interview, kept nowhere."""

    practice = True

    def complete(self) -> PracticeCard:
        """Check it as a real one is checked, then forget it. Raises NotReadyError with the problems that block."""
        self._check_open()
        self.interview.finalise()
        self.discard()
        return PracticeCard(self.title)

    def finalise(self) -> SealedCard:
        """Raises PracticeError, always."""
        raise PracticeError

    def discard(self) -> None:
        """Forget it."""
        self._check_open()
        self._session.practice.pop(self.draft_id, None)
        self._closed = True
        self._session.forget(self)
