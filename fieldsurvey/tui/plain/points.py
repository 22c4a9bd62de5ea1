"""A line or an area in `--plain`: a point a line; every line is saved before the next is asked for."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, action, of
from fieldsurvey.tui.places import PlaceError
from fieldsurvey.tui.plain.console import Command, Console, Line
from fieldsurvey.tui.points import Points
from fieldsurvey.tui.sitting import Sitting
from fieldsurvey.xforms.contract import Question

_REPLACE = re.compile(r"(\d{1,4})\s*=\s*(.+)")
_MOVE = re.compile(r"(\d{1,4})\s*>\s*(\d{1,4})")
_ACTIONS = [a for a in of(Scope.INTERVIEW, Scope.REPEAT, Scope.EVERYWHERE) if a.plain]


def ask_points(console: Console, sitting: Sitting, question: Question) -> Line:
    """Points until an empty line or another command, which is given back."""
    points = Points(question.type, question.raw if question.raw is not None else question.value)
    if points.typed:
        console.say(_("Left out, because it is no place: {text}").format(text=points.typed))
        points.typed = ""
    remove = _(action("remove").plain)
    console.say(_("One point a line: latitude longitude. 2 = 0.35 -78.12 puts another in place 2, 3 > 1 moves."))
    console.say(_("/{remove} 2 removes; an empty line ends.").format(remove=remove))
    while True:
        for number, place in enumerate(points.places, 1):
            console.say(f"  {number} {place.words()}")
        console.say(points.summary())
        line = console.ask(_ACTIONS)
        if isinstance(line, Command):
            if line.action != "remove":
                return line
            _remove(console, points, line.rest)
        elif not line.strip():
            return ""
        else:
            _take(console, points, line)
        sitting.put(question.ref, points.stored())


def _remove(console: Console, points: Points, rest: str) -> None:
    if rest.isdecimal() and 1 <= int(rest) <= len(points.places):
        points.remove(int(rest) - 1)
    else:
        console.say(_("There is no point {number}.").format(number=rest))


def _take(console: Console, points: Points, line: str) -> None:
    text = line.strip()
    try:
        if found := _MOVE.fullmatch(text):
            if not points.move(int(found[1]) - 1, int(found[2]) - 1):
                console.say(_("There is no point {number}.").format(number=f"{found[1]} > {found[2]}"))
        elif (found := _REPLACE.fullmatch(text)) and 1 <= int(found[1]) <= len(points.places):
            points.replace(int(found[1]) - 1, found[2])
        else:
            points.add(text)
    except PlaceError as error:
        console.say(f"{_('Attention')}: {_(str(error))}")
