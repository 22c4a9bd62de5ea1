"""How far work has got, in words: saved, sealed, copied, received, acknowledged; and times as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.fieldwork.cards import WAITS_LONG, DeviceStatus, State

STATES = {
    State.SAVED: n_("saved"),
    State.SEALED: n_("only here"),
    State.COPIED: n_("copied"),
    State.RECEIVED: n_("received by the supervisor"),
    State.ACKNOWLEDGED: n_("acknowledged by central"),
}


def state_line(counts: Mapping[State, int], total: int) -> str:
    """`14 sealed: 5 only here · 9 acknowledged by central`; states that no record is in are left out."""
    parts = [f"{counts[state]} {_(words)}" for state, words in STATES.items() if counts.get(state)]
    return _("{total} sealed: {parts}").format(total=total, parts=" · ".join(parts))


def when(iso: str) -> str:
    """`21/11 10:42` from an ISO 8601 time, `21/11/2026` from a day."""
    day, _t, clock = iso.partition("T")
    year, month, date = [*day.split("-"), "", ""][:3]
    return f"{date}/{month} {clock[:5]}" if clock else f"{date}/{month}/{year}"


def moment(iso: str) -> str:
    """The same on this machine's clock, from a time with its zone."""
    return when(datetime.fromisoformat(iso).astimezone().isoformat())


def local_day(iso: str) -> str:
    """`21/11/2026` on this machine's clock, from a time with its zone."""
    return when(datetime.fromisoformat(iso).astimezone().date().isoformat())


def asked_again_line(count: int) -> str:
    """Something that this laptop took for safe was not, and is again."""
    text = ngettext(
        "Central had lost {count} record that it had confirmed: it asked again, and got it.",
        "Central had lost {count} records that it had confirmed: it asked again, and got them.",
        count,
    )
    return text.format(count=count)


def waiting_lines(status: DeviceStatus) -> list[str]:
    """Since when something waits for central's word; after WAITS_LONG days where its copies lie, and what to do."""
    if not status.waiting_since:
        return []
    count = status.sealed - status.acknowledged
    text = ngettext(
        "{count} not acknowledged by central, since {day}.", "{count} not acknowledged by central, since {day}.", count
    )
    lines = [text.format(count=count, day=when(status.waiting_since))]
    if status.waiting_long:
        lines.append(overdue_line(status))
        lines += [
            filled(_("  up to record {up_to} on {place}, copied {when}"), up_to=up_to, place=place, when=when(at))
            for place, at, up_to in status.copies
            if up_to > status.acknowledged
        ]
        lines.append(_("Ask the supervisor where those sticks are, and copy to another one."))
    return lines


def overdue_line(status: DeviceStatus) -> str:
    """That something has waited too long for central's word; "" when nothing has."""
    if not status.waiting_long:
        return ""
    text = ngettext(
        "{count} record has waited for central for {limit} days or more: copy it again.",
        "{count} records have waited for central for {limit} days or more: copy them again.",
        status.waiting_long,
    )
    return text.format(count=status.waiting_long, limit=WAITS_LONG)
