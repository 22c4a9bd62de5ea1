"""What an interview at work needs of its draft and of the engine, apart from `work` so that neither grows long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Interview, Place


class DraftLike(Protocol):
    """What work needs of a draft: see `vault.OpenDraft`."""

    @property
    def draft_id(self) -> str: ...
    @property
    def changes_since_snapshot(self) -> int: ...
    def append(self, change: bytes) -> None: ...
    def rebase(self, head: bytes, snapshot: bytes, *, keep: bool = False) -> None: ...


def blocked(interview: Interview) -> bool:
    """Whether something keeps it from being sealed."""
    return any(problem.blocks for problem in interview.problems())


def place_ref(place: Place) -> str:
    """Where an interview stands; "" after the last question."""
    return getattr(place, "ref", "")
