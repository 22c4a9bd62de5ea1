"""What front ends show of a laptop's work: plain values, nothing live and nothing secret but the titles of drafts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

WAITS_LONG: Final = 7
"""Days after which a record that central has not acknowledged is worth a warning."""


class State(StrEnum):
    """How safe a piece of work is, in the words of the screen."""

    SAVED = "saved"  # a draft: encrypted and durable on this laptop
    SEALED = "sealed"  # finalised: only the HMU can read it; it is on this laptop alone
    COPIED = "copied"  # written to a stick or sent, and read back
    RECEIVED = "received"  # a supervisor's laptop says that it holds it
    ACKNOWLEDGED = "acknowledged"  # central says that it holds it


@dataclass(frozen=True, slots=True)
class FormCard:
    """A form of the project. `hash` is the SHA-256 (hex) of its compiled XForm."""

    id: str
    version: str
    title: str
    hash: str


@dataclass(frozen=True, slots=True)
class DraftCard:
    """An unfinished interview of the person who unlocked. `started`, `saved`: ISO 8601. `place`: the question's ref."""

    draft_id: str
    form_id: str
    version: str
    title: str
    started: str
    saved: str
    place: str
    state: State = State.SAVED


@dataclass(frozen=True, slots=True)
class SealedCard:
    """A finalised interview: what its clear header and the receipts say. Which form it was stays sealed.

    `size` in bytes. `removed`: central has it safe and its body went from this laptop; then only the entry remains,
    `case` is empty, `size` and `revision` are 0. `sealed`: the day, by the laptop's clock, as long as central has not
    got it ("" after that, and where an older program sealed it). `copies`: (place, ISO 8601) of each copy that was read
    back there. `withdrawal_code` and `withdrawal_words` are set only on what `Work.finalise` returns: the laptop keeps
    neither, so they are shown once.
    """

    seq: int
    case: str
    revision: int
    size: int
    state: State
    removed: bool = False
    sealed: str = ""
    copies: tuple[tuple[str, str], ...] = ()
    withdrawal_code: str | None = field(default=None, repr=False)
    withdrawal_words: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What a locked laptop may show to anybody.

    `sealed`: records in its log; `copied`, `received`, `acknowledged`, `backed_up`: up to which of them (0: none yet);
    `removed`: acknowledged ones whose body is no longer on this laptop. `former`: records in logs before this one (new
    vault, restored backup), `former_waiting`: those of them that central has not acknowledged.
    `enrolment`: enrolled, revoked, or unknown (joined, not yet in the project: interviewing works, central waits).
    `waiting_since`: the day on which the first of those was sealed that central has not acknowledged, "" where none
    waits or the day is not known; `waiting_long`: how many have waited WAITS_LONG days or more. `copies`: (where, ISO
    8601, up to which record), the last copy in each place. `last_copied`: (where, ISO 8601). `last_receipt`: the
    issuer's time. `damaged_slots`: numbers that cannot open.
    """

    device: str
    name: str
    project: str
    project_version: int
    expires: str
    expired: bool
    enrolment: str
    people: int
    drafts: int
    sealed: int
    copied: int
    received: int
    acknowledged: int
    backed_up: int
    last_copied: tuple[str, str] | None = None
    last_receipt: str | None = None
    damaged_slots: tuple[int, ...] = ()
    removed: int = 0
    former: int = 0
    former_waiting: int = 0
    waiting_since: str = ""
    waiting_long: int = 0
    copies: tuple[tuple[str, str, int], ...] = ()

    @property
    def on_sticks(self) -> int:
        """Up to which record something was copied to a stick or a folder; `copied` counts what is confirmed too, which
        may have gone by line.
        """
        return max((up_to for _place, _at, up_to in self.copies), default=0)
