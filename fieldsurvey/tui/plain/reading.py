"""A line as the answer to a question: codes, letters, dates, numbers. No console."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.answers import choice_label
from fieldsurvey.tui.choosing import Chooser
from fieldsurvey.tui.typed import read
from fieldsurvey.xforms.contract import Question

LISTED = 15  # more options than this are not read out one by one
ACKNOWLEDGED = "OK"


@dataclass(frozen=True, slots=True)
class Understood:
    """`value` to store; or `ask_again` with what to say instead."""

    value: str | None = None
    ask_again: str = ""


def chooser_of(question: Question) -> Chooser:
    """The codes of a select."""
    return Chooser(question.choices, multiple=question.type != "select", value=None)


def understand(question: Question, text: str, now: datetime) -> Understood:
    """`text`, not blank, as an answer to `question`."""
    if question.type == "select":
        return _one(chooser_of(question), text)
    if question.type in {"selectMultiple", "rank"}:
        return _several(chooser_of(question), text)
    if question.type == "acknowledge":
        return Understood(ACKNOWLEDGED)
    return Understood(read(question.type, text, now, question.appearance))


def _one(chooser: Chooser, text: str) -> Understood:
    found = _find(chooser, text)
    if len(found) == 1:
        return Understood(chooser.choices[found[0]].value)
    return Understood(ask_again=_options(chooser, found))


def _several(chooser: Chooser, text: str) -> Understood:
    parts = [p for p in re.split(r"[,;]", text) if p.strip()]
    if len(parts) == 1 and all(p in chooser.codes for p in text.split()):
        parts = text.split()
    values: list[str] = []
    for part in parts:
        found = _find(chooser, part)
        if len(found) != 1:
            return Understood(ask_again=_options(chooser, found))
        values.append(chooser.choices[found[0]].value)
    return Understood(" ".join(dict.fromkeys(values)))


def _find(chooser: Chooser, text: str) -> list[int]:
    chooser.typed = text.strip()
    if chooser.code_index is not None:
        return [chooser.code_index]
    if chooser.typed.isdigit():
        return []
    found = chooser.matches()
    whole = [i for i in found if choice_label(chooser.choices[i]).casefold() == chooser.typed.casefold()]
    return whole or found


def _options(chooser: Chooser, found: list[int]) -> str:
    if not found:
        return _("No option fits. Type a code, or letters of the option.")
    lines = [_("{count} options fit:").format(count=len(found))]
    lines += [f"  {chooser.codes[i]} {choice_label(chooser.choices[i])}" for i in found[:LISTED]]
    if len(found) > LISTED:
        lines.append(_("… and more: type more letters."))
    return "\n".join(lines)
