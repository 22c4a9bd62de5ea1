"""The evening review and withdrawals, in lines."""

from __future__ import annotations

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.codes import read_code
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.tui.actions import Scope, action, of
from fieldsurvey.tui.evening import card_line, report_text, what_for
from fieldsurvey.tui.plain.console import Command, Console
from fieldsurvey.tui.withdrawing import access_lines, erased_lines, look, place_lines

_ACTIONS = [a for a in of(Scope.EVENING) if a.plain]


def evening(console: Console, session: Session) -> WaitingCard | None:
    """List what waits; seal it all, or give back the one that is to be looked at."""
    waiting = session.waiting()
    if not waiting:
        console.say(_("Nothing waits."))
        return None
    console.say(what_for())
    for number, card in enumerate(waiting, 1):
        console.say(f"  {number} {card.title}, {card_line(card)}")
    seal = _(action("seal_all").plain)
    console.say(_("A number opens one, /{seal} seals all, [Enter] goes back.").format(seal=seal))
    given = console.ask(_ACTIONS)
    if isinstance(given, Command):
        title = ngettext("Seal {count} interview?", "Seal {count} interviews?", len(waiting))
        if console.yes(title.format(count=len(waiting))):
            console.say(report_text(session.seal_waiting(everything=True)))
        return None
    at = int(given) - 1 if given.strip().isdigit() else -1
    return waiting[at] if 0 <= at < len(waiting) else None


def withdrawal(console: Console, laptop: Laptop, clock: Clock) -> None:
    """The code, what is held here, and erasing it after asking. Works locked."""
    try:
        typed = console.secret(_("The code on the slip, or its seven words (not shown): "))
        if not typed.strip():
            return
        code = read_code(typed)
        now = clock.now()
        found = look(laptop, code, now.date())
        console.say("\n".join(access_lines(found)))
        if found.requested is not None and not found.held:
            return  # nothing is left to decide
        if console.yes(_("Erase this case, here and everywhere?")):
            done = withdraw(laptop.locked, code, now.date(), now)
            places = look(laptop, code, now.date()).places
            console.say("\n".join([*erased_lines(done), *place_lines(places)]))
    except FieldsurveyError as error:
        console.say(f"{error.message} {error.advice}")
