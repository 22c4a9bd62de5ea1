"""Returned work, in lines: what came back, and which of it to open."""

from __future__ import annotations

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork import Session
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.returned import card_line, left_line, returned_title, what_to_do


def pick_returned(console: Console, session: Session) -> str:
    """The draft to open, "" for none. One whose enumerator has left is taken over when it is picked."""
    mine, left = session.returned(), session.returns.left
    if not mine and not left:
        console.say(_("Nothing came back from the HMU."))
        return ""
    console.say(f"{returned_title()}. {what_to_do()}")
    for number, card in enumerate(mine, 1):
        console.say(f"  {number} {card.title}: {card_line(card)}")
    for number, one in enumerate(left, len(mine) + 1):
        console.say(f"  {number} {one.title}: {left_line(one)}")
    given = console.line(_("Number, or [Enter] for none > ")).strip()
    at = int(given) - 1 if given.isdigit() else -1
    if 0 <= at < len(mine):
        return mine[at].draft_id
    if len(mine) <= at < len(mine) + len(left):
        try:
            return session.take_returned(left[at - len(mine)].digest)
        except FieldsurveyError as error:
            console.say(f"{error.message} {error.advice}")
    return ""
