"""Today's round in words: until when, in which parishes, how many interviews are wanted and how many were sealed here.

What other laptops have done nobody can tell here: records are sealed, and every laptop counts its own.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language, ngettext
from fieldsurvey.project.quotas import Cell
from fieldsurvey.tui.standing import when
from fieldsurvey.tui.symbols import symbols

if TYPE_CHECKING:  # start-up: Home shows values that are there already
    from fieldsurvey.fieldwork.quotas import Counted
    from fieldsurvey.project.policy import Quota, Round

PARISHES = 4  # lines; more would push the forms off the screen
_BAR = 5  # cells of a bar


@cache
def parish_names(code: str) -> dict[str, str]:
    """INEC's DPA code -> name, from the questionnaires' own list; `code` is the language."""
    text = (resources.files("forms") / "shared" / "parish.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    labels = [column for column in (rows[0] if rows else {}) if column.startswith("label")]
    own = next((column for column in labels if f"({code})" in column), labels[0] if labels else "")
    return {row["name"]: row[own] for row in rows if own}


def round_lines(plan: Round | None, counted: Counted | None = None, *, most: int | None = PARISHES) -> list[str]:
    """What Home says of the round; nothing where there is none today.

    `counted`: what this laptop has done of it; without, only what is wanted is said. `most`: lines of parishes, those
    with something left to do first; None: all, in the plan's order.
    """
    if plan is None:
        return []
    names = parish_names(language())
    named = plan.title.casefold().startswith(_("Round").casefold())  # "Round 3", not "Round Round 3"
    line = _("{title}, until {end}") if named else _("Round {title}, until {end}")
    lines = [line.format(title=plan.title, end=when(plan.end))]
    places = list(plan.parishes or dict.fromkeys(q.parish for q in plan.quotas if q.parish))
    if most is not None and counted is not None:
        places.sort(key=lambda place: _is_done(plan, place, counted))
    for place in places[:most]:
        wanted = [_told(quota, counted) for quota in plan.quotas if quota.parish == place]
        lines.append(f"  {names.get(place, place)}" + (f": {' · '.join(wanted)}" if wanted else ""))
    more = len(places) - len(places[:most])
    if more > 0:
        lines.append("  " + ngettext("and {count} parish more", "and {count} parishes more", more).format(count=more))
    anywhere = [_told(quota, counted) for quota in plan.quotas if quota.parish is None]
    if anywhere:
        lines.append("  " + _("In all parishes: {wanted}").format(wanted=" · ".join(anywhere)))
    if plan.quotas and counted is not None:
        lines.append("  " + _("Counted: what was sealed on this laptop. Other laptops count their own."))
        if not counted.whole:
            lines.append(f"  {symbols().caution} " + _("Some of what was sealed here earlier is not in the count."))
    return lines


def _is_done(plan: Round, place: str, counted: Counted) -> bool:
    mine = [quota for quota in plan.quotas if quota.parish == place]
    return bool(mine) and all(counted.done.get(Cell.of(quota), 0) >= quota.count for quota in mine)


def _told(quota: Quota, counted: Counted | None) -> str:
    whom = ", ".join(code for code in (quota.mobility, quota.sex, quota.age) if code)
    if counted is None:
        count = ngettext("{count} interview", "{count} interviews", quota.count).format(count=quota.count)
    else:
        done = counted.done.get(Cell.of(quota), 0)
        count = f"{bar(done, quota.count)} " + _("{done} of {wanted}").format(done=done, wanted=quota.count)
    return f"{whom} {count}" if whom else count


def bar(done: int, wanted: int) -> str:
    """How far, in a few signs: the first is there from the first interview on, the last only with the last."""
    share = 1.0 if done >= wanted else done / wanted
    full = _BAR if share == 1.0 else min(_BAR - 1, max(done > 0, int(share * _BAR)))
    return f"[{symbols().bar * full}{symbols().rest * (_BAR - full)}]"
