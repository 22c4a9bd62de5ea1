"""Withdrawal in words: what is held about a code, what was erased. For the screen, `--plain` and the command line."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.fieldwork.withdrawals import Access, Erased, Held
from fieldsurvey.tui.standing import STATES, when


def access_lines(found: Access) -> list[str]:
    """What this laptop holds. Answers are not shown: the laptop cannot open them, the HMU gives them on request."""
    lines = []
    if found.requested is not None:
        lines.append(_("Withdrawn on {day}: excluded, and erased here.").format(day=when(found.requested)))
    if not found.held:
        lines.append(_("No record of this code is on this laptop."))
        if found.requested is None:
            lines.append(
                _(
                    "That does not mean that there is none: it may have gone to central, lie on another laptop, or wait"
                    " for the evening review inside a locked vault."
                )
            )
        return lines
    for held in found.held:
        lines += _held_lines(held)
    lines.append(_("Answers cannot be read here. To see them, the person asks the HMU with the code."))
    return lines


def _held_lines(held: Held) -> list[str]:
    text = _("Record {seq}, revision {revision}, {size} bytes, sealed: {state}.")
    lines = [text.format(seq=held.seq, revision=held.revision, size=held.size, state=_(STATES[held.state]))]
    lines += [_("  copied {when} to {place}").format(when=when(at), place=place) for place, at in held.copied]
    return lines


def erased_lines(done: Erased) -> list[str]:
    """What was done, and what must still happen elsewhere."""
    lines = []
    if done.bodies:
        text = ngettext("{count} record erased on this laptop.", "{count} records erased on this laptop.", done.bodies)
        lines.append(text.format(count=done.bodies))
    elif done.new:
        lines.append(
            _("Nothing of it was on this laptop; if it waits for the evening review, the next unlock erases it.")
        )
    if done.new:
        lines.append(_("The withdrawal is entered, with today's date. It travels with the next copy to a stick."))
    else:
        lines.append(
            _("It had been entered on {day}; that day stands.").format(day=when(done.tombstone.requested))
            if done.bodies == 0
            else _("It had been entered before; the rest was erased now.")
        )
    gone = sorted({place for held in done.held for place, _at in held.copied})
    if gone:
        lines.append(
            _("Copies were made to: {places}. Copy again there, so that it is known.").format(places=", ".join(gone))
        )
    return lines
