"""How far work has got, in words: saved, sealed, copied, received, acknowledged; and times as people say them."""

from __future__ import annotations

from collections.abc import Mapping

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.fieldwork.cards import State

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
