"""Withdrawal on the screen, locked or not: the code, what is held here, and erasing it after asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.codes import MistypedCodeError, read_code
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.tui.screens.dialogs import AskLine, AskYes, Tell
from fieldsurvey.tui.withdrawing import access_lines, erased_lines, look, place_lines

if TYPE_CHECKING:
    from fieldsurvey.fieldwork import Laptop
    from fieldsurvey.records.withdrawal import WithdrawalCode
    from fieldsurvey.tui.app import FieldsurveyApp


def begin(app: FieldsurveyApp, laptop: Laptop, said: str = "", before: str = "") -> None:
    """Ask for the code; `said`: what was wrong with the one before, which stands there to be mended."""

    async def typed(text: str | None) -> None:
        if not text:
            return
        try:
            code = read_code(text)
        except MistypedCodeError as error:
            begin(app, laptop, f"{error.message}\n{error.advice}", text)
            return
        await _ask(app, laptop, code)

    words = said or _("The code on the person's slip, or its seven words. Whoever brings it may use it.")
    keys = _("[Enter] looks what is held here   [Esc] goes back")
    app.push_screen(AskLine(_("Withdrawal"), f"{words}\n{keys}", before), typed)


async def _ask(app: FieldsurveyApp, laptop: Laptop, code: WithdrawalCode) -> None:
    async def decided(yes: bool | None) -> None:
        if yes:
            await _erase(app, laptop, code)

    try:
        found = await app.hand.do(lambda: look(laptop, code, app.now().date()))
    except FieldsurveyError as error:
        app.tell(error)
        return
    text = "\n".join(access_lines(found))
    if found.requested is not None and not found.held:
        app.push_screen(Tell(_("Withdrawal"), text))  # nothing is left to decide
        return
    app.push_screen(AskYes(_("Erase this case, here and everywhere?"), text, _("Erase it"), _("Keep it")), decided)


async def _erase(app: FieldsurveyApp, laptop: Laptop, code: WithdrawalCode) -> None:
    try:
        now = app.now()
        done = await app.hand.do(lambda: withdraw(laptop.locked, code, now.date(), now))
        if app.session is not None:
            await app.hand.do(app.session.seal_waiting)  # one that waits is erased now
        found = await app.hand.do(lambda: look(laptop, code, app.now().date()))
    except FieldsurveyError as error:
        app.tell(error)
        return
    app.push_screen(Tell(_("Withdrawal"), "\n".join([*erased_lines(done), *place_lines(found.places)])))
