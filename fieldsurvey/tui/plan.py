"""Today's round in words: until when, in which parishes, how many interviews are wanted.

How many of these are done nobody can tell here: records are sealed, and every laptop has its own.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language, ngettext
from fieldsurvey.tui.standing import when

if TYPE_CHECKING:  # start-up: Home shows values that are there already
    from fieldsurvey.project.policy import Quota, Round

PARISHES = 4  # lines; more would push the forms off the screen


@cache
def parish_names(code: str) -> dict[str, str]:
    """INEC's DPA code -> name, from the questionnaires' own list; `code` is the language."""
    text = (resources.files("forms") / "shared" / "parish.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    labels = [column for column in (rows[0] if rows else {}) if column.startswith("label")]
    own = next((column for column in labels if f"({code})" in column), labels[0] if labels else "")
    return {row["name"]: row[own] for row in rows if own}


def round_lines(plan: Round | None) -> list[str]:
    """What Home says of the round; nothing where there is none today."""
    if plan is None:
        return []
    names = parish_names(language())
    lines = [_("Round {title}, until {end}").format(title=plan.title, end=when(plan.end))]
    places = plan.parishes or tuple(dict.fromkeys(q.parish for q in plan.quotas if q.parish))
    for place in places[:PARISHES]:
        wanted = [_wanted(quota) for quota in plan.quotas if quota.parish == place]
        lines.append(f"  {names.get(place, place)}" + (f": {' · '.join(wanted)}" if wanted else ""))
    more = len(places) - PARISHES
    if more > 0:
        lines.append("  " + ngettext("and {count} parish more", "and {count} parishes more", more).format(count=more))
    anywhere = [_wanted(quota) for quota in plan.quotas if quota.parish is None]
    if anywhere:
        lines.append("  " + _("In all parishes: {wanted}").format(wanted=" · ".join(anywhere)))
    return lines


def _wanted(quota: Quota) -> str:
    whom = ", ".join(code for code in (quota.mobility, quota.sex, quota.age) if code)
    count = ngettext("{count} interview", "{count} interviews", quota.count).format(count=quota.count)
    return f"{whom} {count}" if whom else count
