"""The evening review: a completed interview waits, still an encrypted draft of its enumerator, until it is sealed.

How long it may wait is the policy's `review_window_hours`; 0 is not at all. It does not wait where a part of the form
that says `fs:seal` was answered. A clock that cannot be right never makes it wait longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from fieldsurvey.base.errors import Rendered
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.saved import Head

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Form, Interview
    from fieldsurvey.xforms.form import LoadedForm

SEAL: Final = "fs:seal"
"""On the bind of a group or question: once it has an answer, the interview is sealed as soon as it is completed."""
_SLACK: Final = timedelta(minutes=10)
_POSITION: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """A completed interview that waits. `completed`, `seal_by`: ISO 8601; it is sealed at `seal_by` at the latest, or
    when its enumerator unlocks next after that.

    The code and the words are set only on what `Work.complete` returns: they are shown once.
    """

    draft_id: str
    form_id: str
    version: str
    title: str
    completed: str
    seal_by: str
    withdrawal_code: str | None = field(default=None, repr=False)
    withdrawal_words: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """What became of waiting interviews: sealed, erased because the person withdrew, or (title, why) not sealed."""

    sealed: tuple[SealedCard, ...] = ()
    withdrawn: int = 0
    failed: tuple[tuple[str, Rendered], ...] = ()


def seal_by(completed: str, hours: int) -> datetime:
    """When the window ends."""
    return datetime.fromisoformat(completed).astimezone(UTC) + timedelta(hours=hours)


def is_due(head: Head, hours: int, now: datetime, signed: str) -> bool:
    """Whether a completed interview must be sealed now. `signed`: the latest time signed by the project, or "".

    Also when the clock stands before the interview was completed: then nobody can tell how long it has waited.
    """
    end = seal_by(head.completed, hours)
    went_back = now < datetime.fromisoformat(head.completed) - _SLACK
    return now >= end or went_back or bool(signed and datetime.fromisoformat(signed) >= end)


def waiting_card(draft_id: str, head: Head, hours: int) -> WaitingCard:
    """As lists show it."""
    end = seal_by(head.completed, hours).astimezone(datetime.fromisoformat(head.completed).tzinfo)
    form = head.form
    return WaitingCard(draft_id, form.id, form.version, head.title, head.completed, end.isoformat("T", "seconds"))


def sealed_at_once(form: Form, interview: Interview) -> bool:
    """Whether a part of the form that says `fs:seal` has an answer."""
    nodes = cast("LoadedForm", form).nodes
    marked = [node.path for node in nodes if node.bind is not None and node.bind.extra.get(SEAL, "").strip()]
    if not marked:
        return False
    answered = [_POSITION.sub("", i.ref) for i in interview.outline() if i.kind == "question" and i.answered]
    return any(ref == path or ref.startswith(path + "/") for path in marked for ref in answered)
