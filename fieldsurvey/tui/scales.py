"""Where a number stands: on the scale of a range, or in what is left of a hundred pebbles. Words and signs only."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.typed import read_number
from fieldsurvey.xforms.contract import Interview, Question

PEBBLES = 100
"""What is shared out among the questions of the appearance `pebbles` (assembly/README.md)."""
_CELLS = 31
_POSITION = re.compile(r"\[\d+\]")


def scale(question: Question, typed: str) -> str:
    """`0 ────●──── 5`, where `typed` stands between the ends of a range; "" where the form says no ends.

    With the form's labels along the scale: those of the ends, and that of what is typed.
    """
    low, high = _number(question.parameters.get("start", "")), _number(question.parameters.get("end", ""))
    if low is None or high is None or low == high:
        return ""
    signs = symbols()
    line = [signs.rest] * _CELLS
    value = _number(typed)
    if value is not None and min(low, high) <= value <= max(low, high):
        line[round((value - low) / (high - low) * (_CELLS - 1))] = signs.saved
    labels = {_number(tick.value): tick.label for tick in question.ticks}
    first, last = (f"{end} {labels.get(end, '')}".strip() for end in (low, high))
    said = labels.get(value, "") if value is not None else ""
    return f"{first} {''.join(line)} {last}" + (f"\n= {said}" if said else "")


def ticks(question: Question) -> list[str]:
    """`0 Nada`, `5 Mucho`: the labels along a range, one a line."""
    return [f"{tick.value} {tick.label}" for tick in question.ticks if tick.label]


def pebbles_left(question: Question, interview: Interview) -> int | None:
    """How many of the hundred the other questions of that name leave; None where it is no question of pebbles."""
    if "pebbles" not in question.appearance:
        return None
    name = _POSITION.sub("", question.ref)
    others = [
        item.ref
        for item in interview.outline()
        if item.answered and item.ref != question.ref and _POSITION.sub("", item.ref) == name
    ]
    given = sum(_number(interview.question(ref).value or "") or Decimal(0) for ref in others)
    return PEBBLES - int(given)


def pebbles_line(left: int, typed: str) -> str:
    """`40 left to share, 15 after this one`."""
    line = _("{count} of 100 are left to share").format(count=left)
    value = _number(typed)
    if value is None:
        return line
    after = left - int(value)
    more = _("{count} after this one") if after >= 0 else _("{count} too many")
    return f"{line}, {more.format(count=abs(after))}"


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(read_number(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
