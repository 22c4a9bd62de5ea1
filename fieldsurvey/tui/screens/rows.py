"""The rows of Home: what each opens, how it is painted; and what became of what was sealed, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork import DraftCard, FormCard, SealedCard, State
from fieldsurvey.fieldwork.returned import LeftReturn, ReturnedCard
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.tui.returned import card_line, left_line
from fieldsurvey.tui.standing import state_line
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.text import KEY

if TYPE_CHECKING:  # the engine loads with the first interview
    from fieldsurvey.fieldwork import Session, Work


@dataclass(frozen=True)
class HomeLine:
    """What a row opens."""

    form: FormCard | None = None
    draft: DraftCard | None = None
    waiting: WaitingCard | None = None
    practice: bool = False
    returned: ReturnedCard | None = None
    left: LeftReturn | None = None


def row(number: int, title: str, said: str, warning: str = "") -> Content:
    row = Content.assemble((f" [{number}]", KEY), f" {title}  ", (said, "$text-muted"))
    return row + Content.styled(f"\n     {symbols().caution} {warning}", "$warning") if warning else row


def returned_row(number: int, line: HomeLine) -> Content:
    if line.returned is not None:
        return row(number, line.returned.title, f"\n     {card_line(line.returned)}")
    assert line.left is not None
    return row(number, line.left.title, f"\n     {left_line(line.left)}")


def taken_up(session: Session, line: HomeLine) -> Work:
    """A returned record, after it was taken over where its enumerator has left."""
    if line.left is not None:
        return session.resume(session.take_returned(line.left.digest))
    assert line.returned is not None
    return session.resume(line.returned.draft_id)


def sealed_words(sealed: Sequence[SealedCard], sent: str = "", look: bool = False) -> Content:
    """How many were sealed and how far they got: each counts under the best state it has reached.

    `sent`: what the process that sends by itself says; `look`: somebody has to.
    """
    said = f"{symbols().caution} {sent}" if look else sent
    tail = Content.styled(f"\n{said}", "$warning" if look else "$text-muted") if sent else Content("")
    if not sealed:
        return Content.styled(_("Nothing sealed on this laptop yet."), "$text-muted") + tail
    counts = Counter(card.state for card in sealed)
    only_here = counts[State.SEALED]
    head = Content.styled(state_line(counts, len(sealed)), "")
    if not only_here:
        return head + tail
    sign = symbols().caution
    warn = _("{count} are on this laptop alone: copy them to a stick.").format(count=only_here)
    return head + "\n" + Content.styled(f"{sign} {warn}", "$warning") + tail
