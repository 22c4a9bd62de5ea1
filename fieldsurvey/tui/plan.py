"""Today's round in words: until when, in which parishes, how many interviews are wanted and how many were sealed here.

What other laptops have done nobody can tell here: records are sealed, and every laptop counts its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language, ngettext
from fieldsurvey.project.quotas import Cell
from fieldsurvey.tui.standing import when
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.whom import parish_names

if TYPE_CHECKING:  # start-up: Home shows values that are there already
    from fieldsurvey.fieldwork.quotas import Counted
    from fieldsurvey.project.policy import Quota, Round

LINES: Final = 3
"""Lines of quotas on Home; more would push the drafts off the screen."""
PARISHES: Final = 4
_BAR = 8  # cells of a bar
Named = Callable[["Quota"], str]
"""What `whom.Whom` does."""


class Row(NamedTuple):
    """How far one quota is, or several of the same people in all their parishes together."""

    label: str
    done: int
    wanted: int


def round_lines(
    plan: Round | None, counted: Counted | None, named: Named, *, most: int = LINES, width: int = 0, key: str = ""
) -> list[str]:
    """What Home says of the round: when it ends, then a line for each group, `most` of them; nothing without a round.

    Few quotas stand one by one. Many are added up over the parishes, those with something left to do first:
    `round_whole` has them all, behind `key`. Lines of quotas are cut to `width`, 0: not at all.
    """
    if plan is None:
        return []
    head = _title(plan)
    if not plan.quotas or counted is None:
        return [head, *_parishes(plan)]
    rows = _single(plan, counted, named) if len(plan.quotas) <= most else _groups(plan, counted, named)
    rows.sort(key=lambda row: row.done >= row.wanted)
    if most < 1:
        rows = [Row(_("all quotas together"), sum(row.done for row in rows), sum(row.wanted for row in rows))]
    shown = rows[: max(most, 1)]
    more = len(rows) - len(shown)
    line = _("{round}. Sealed on this laptop; {count} more: [{key}]") if more else _("{round}. Sealed on this laptop:")
    lines = [line.format(round=head, count=more, key=key)]
    lines += [_cut(line, width) if width else line for line in _barred(shown)]
    return lines + _doubt(counted)


def round_whole(plan: Round | None, counted: Counted | None, named: Named) -> list[str]:
    """Every parish with its quotas, and what holds for all; for the box that Home opens and for `--plain`."""
    if plan is None:
        return []
    names = parish_names(language())
    lines = [_title(plan)]
    for place in _places(plan):
        lines.append(f"  {names.get(place, place)}")
        mine = [quota for quota in plan.quotas if quota.parish == place]
        lines += [f"  {line}" for line in _barred([_row(quota, counted, named) for quota in mine] if counted else [])]
    anywhere = [quota for quota in plan.quotas if quota.parish is None]
    if anywhere and counted is not None:
        lines.append("  " + _("In all parishes:"))
        lines += [f"  {line}" for line in _barred([_row(quota, counted, named) for quota in anywhere])]
    if plan.quotas and counted is not None:
        lines.append(_("Counted: what was sealed on this laptop. Other laptops count their own."))
        lines += _doubt(counted)
    return lines


def _title(plan: Round) -> str:
    named = plan.title.casefold().startswith(_("Round").casefold())  # "Round 3", not "Round Round 3"
    line = _("{title}, until {end}") if named else _("Round {title}, until {end}")
    return line.format(title=plan.title, end=when(plan.end))


def _places(plan: Round) -> list[str]:
    asked = [quota.parish for quota in plan.quotas if quota.parish]
    return list(dict.fromkeys((*plan.parishes, *asked)))


def _parishes(plan: Round) -> list[str]:
    names = parish_names(language())
    places = _places(plan)
    if not places:
        return []
    line = "  " + "; ".join(names.get(place, place) for place in places[:PARISHES])
    more = len(places) - PARISHES
    if more > 0:
        line += " " + ngettext("and {count} parish more", "and {count} parishes more", more).format(count=more)
    return [line]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _doubt(counted: Counted) -> list[str]:
    said = _("Some of what was sealed here earlier is not in the count.")
    return [] if counted.whole else [f"  {symbols().caution} {said}"]


def _single(plan: Round, counted: Counted, named: Named) -> list[Row]:
    names = parish_names(language())
    rows = []
    for quota in plan.quotas:
        row = _row(quota, counted, named)
        where = names.get(quota.parish, quota.parish) if quota.parish else _("in all parishes")
        rows.append(row._replace(label=f"{row.label}, {where}"))
    return rows


def _groups(plan: Round, counted: Counted, named: Named) -> list[Row]:
    """The same people in different parishes are one; what holds for all parishes stays for itself."""
    found: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for quota in plan.quotas:
        row = _row(quota, counted, named)
        if quota.parish is None:
            row = row._replace(label=f"{row.label}, " + _("in all parishes"))
        found[Cell.of(quota)._replace(parish=None), quota.parish is None].append(row)
    return [
        Row(rows[0].label, sum(min(row.done, row.wanted) for row in rows), sum(row.wanted for row in rows))
        for rows in found.values()
    ]


def _row(quota: Quota, counted: Counted, named: Named) -> Row:
    return Row(named(quota) or _("anybody"), counted.done.get(Cell.of(quota), 0), quota.count)


def _barred(rows: Sequence[Row]) -> list[str]:
    """Bars and numbers under each other, so that labels of any length begin in one column."""
    said = [_("{done} of {wanted}").format(done=row.done, wanted=row.wanted) for row in rows]
    wide = max(map(len, said), default=0)
    return [f"  {bar(row.done, row.wanted)} {text:>{wide}}  {row.label}" for row, text in zip(rows, said, strict=True)]


def bar(done: int, wanted: int) -> str:
    """How far, in a few signs: the first is there from the first interview on, the last only with the last."""
    share = 1.0 if done >= wanted else done / wanted
    full = _BAR if share == 1.0 else min(_BAR - 1, max(done > 0, int(share * _BAR)))
    return f"[{symbols().bar * full}{symbols().rest * (_BAR - full)}]"
