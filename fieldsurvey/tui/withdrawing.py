"""Withdrawal in words: what is held about a code, what was erased. For the screen, `--plain` and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fieldsurvey.base.clock import instant
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.fieldwork.backup_places import StaleBackup
from fieldsurvey.fieldwork.cards import State
from fieldsurvey.fieldwork.erasures import Overdue, Standing
from fieldsurvey.fieldwork.withdrawals import Access, Erased, Held, access
from fieldsurvey.records.erased import HeardReport, Place
from fieldsurvey.tui.standing import when

if TYPE_CHECKING:
    from datetime import date

    from fieldsurvey.fieldwork import Laptop
    from fieldsurvey.records.withdrawal import WithdrawalCode
    from sync.waiting import Waiting

PLACES = {
    Place.CENTRAL: n_("central"),
    Place.HMU: n_("the HMU"),
    Place.RELAY: n_("a supervisor's laptop"),
    Place.LAPTOP: n_("laptop"),
}
HELD = {
    State.SAVED: n_("saved"),
    State.SEALED: n_("on this laptop alone"),
    State.COPIED: n_("copied to a stick"),
    State.RECEIVED: n_("held by a supervisor's laptop too"),
    State.ACKNOWLEDGED: n_("held by central too"),
}
"""How far one record has got."""


def look(laptop: Laptop, code: WithdrawalCode, today: date) -> Access:
    """What the laptop holds of a code and what became of it elsewhere; also where its project's file is gone."""
    try:
        model = laptop.project.model
    except FieldsurveyError:  # what is held here can be said without it
        model = None
    found = access(laptop.locked, code, model, today)
    card = laptop.locked.device_card()
    here = _("{name} (this one)").format(name=card.name)  # not enrolled yet, it would be a number
    mine = {card.device[:8], card.name}
    places = (
        replace(one, name=here) if one.place is Place.LAPTOP and one.name in mine else one for one in found.places
    )
    return replace(found, places=tuple(places))


def access_lines(found: Access) -> list[str]:
    """What this laptop holds. Answers are not shown: the laptop cannot open them, the HMU gives them on request."""
    lines = []
    if found.requested is not None:
        lines.append(_("Withdrawn on {day}: excluded, and erased here.").format(day=when(found.requested)))
        lines += place_lines(found.places)
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
    lines = [text.format(seq=held.seq, revision=held.revision, size=held.size, state=_(HELD[held.state]))]
    lines += [filled(_("  copied {when} to {place}"), when=when(at), place=place) for place, at in held.copied]
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
            filled(_("Copies were made to: {places}. Copy again there, so that it is known."), places=", ".join(gone))
        )
    return lines


def waiting_lines(waiting: Iterable[Waiting]) -> list[str]:
    """A relay's batches that hold a withdrawn record and other people's: why they are still there, and until when."""
    text = _(
        "Entries {first} to {last} of {name}: somebody in them withdrew. They wait until {day} to be handed on or sent,"
        " for the others in them; then they are erased here."
    )
    return [
        filled(text, first=held.first, last=held.last, name=held.name, day=when(until.isoformat()))
        for held, until in waiting
    ]


def place_lines(places: tuple[Standing, ...]) -> list[str]:
    """Place by place: erased when, or due when; what a backup still holds, and until when."""
    return [_place_line(one) for one in places]


def _place_line(one: Standing) -> str:
    kind = _(PLACES[one.place])
    where = kind if one.name.casefold() in {kind.casefold(), one.place.value} else f"{kind} {visible(one.name)}"
    if one.at is None:
        text = _("{where}: NO WORD, and it was due by {due}") if one.overdue else _("{where}: to come, by {due}")
        return "  " + text.format(where=where, due=when(one.due))
    if one.records:
        text = ngettext("{where}: erased, {count} record, {at}", "{where}: erased, {count} records, {at}", one.records)
    else:
        text = _("{where}: holds nothing of it, {at}")
    line = "  " + text.format(where=where, count=one.records, at=when(one.at))
    if one.backups_until is not None:
        line += _("; in backups until {day}").format(day=when(one.backups_until))
    return line


def stale_lines(found: tuple[StaleBackup, ...]) -> list[str]:
    """Backups that may still hold what was erased, said loudly."""
    text = _(
        "OVERDUE: the backup of {day} in {place} may hold what was erased since."
        " Back up there again, which takes its place, or delete it."
    )
    return [filled(text, day=when(one.made), place=one.place) for one in found]


def backup_to_go(reports: Iterable[HeardReport], project: str, last: str | None, today: date) -> str | None:
    """By which day (ISO) central's backups from before an erasure were to be gone, where no later backup removed them.

    `reports`: what is kept here; `last`: when the newest backup was made. None where nothing is late.
    """
    held = [
        heard.report.backups_until
        for heard in reports
        if heard.report.place is Place.CENTRAL and heard.report.backups_until is not None
        if heard.report.project == project and last is not None
        if _may_be_before(instant(last), datetime.fromisoformat(heard.report.at), today)
    ]
    return min((until for until in held if until < today.isoformat()), default=None)


def _may_be_before(last: datetime | None, erased: datetime, today: date) -> bool:
    """Of a backup whose date is none, or in the future, nobody knows when it was made."""
    return last is None or last < erased or last.date() > today + timedelta(days=1)


def backup_to_go_line(until: str) -> str:
    """Said loudly, and what to do about it."""
    text = _(
        "OVERDUE: a backup from before an erasure was to be gone by {day}. Back up into the same folder: it goes then."
    )
    return text.format(day=when(until))


def overdue_lines(found: tuple[Overdue, ...]) -> list[str]:
    """Said loudly, and what to do about it; nothing when nothing is overdue."""
    lines = []
    for one in found:
        text = ngettext(
            "OVERDUE: {count} withdrawal is not reported erased by {where}; it was due by {due}.",
            "OVERDUE: {count} withdrawals are not reported erased by {where}; the first was due by {due}.",
            one.count,
        )
        where = " ".join(dict.fromkeys((_(PLACES[one.place]), visible(one.name))))
        lines.append(text.format(count=one.count, where=where, due=when(one.due)))
    todo = {
        Place.HMU: _("  At the HMU: fieldsurvey needs erase"),
        Place.CENTRAL: _("  At central: fieldsurvey central status, then a stick to bring its word back"),
        Place.RELAY: _("  Take a stick with the withdrawals to the supervisor's laptop, and back"),
        Place.LAPTOP: _("  Take a stick with the withdrawals to the laptop, and back"),
    }
    return lines + [todo[place] for place in dict.fromkeys(one.place for one in found)]
