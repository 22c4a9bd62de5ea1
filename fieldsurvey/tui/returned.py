"""Returned work in words: what came back, what to do with it, what the HMU says. For the screen and `--plain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import visible_lines
from fieldsurvey.tui.standing import when

if TYPE_CHECKING:  # start-up: the card's fields need words only
    from fieldsurvey.fieldwork.returned import LeftReturn, ReturnedCard, ReturnsReport


def returned_title() -> str:
    """Over the list of what came back."""
    return _("Returned by the HMU: mend, then seal")


def card_line(card: ReturnedCard) -> str:
    """`3 comments, interview of 02/03 09:00, revision 2`."""
    said = ngettext("{n} comment", "{n} comments", card.comments).format(n=card.comments)
    if not card.comments:
        said = _("a general comment")
    text = _("{said}; interview of {began}, revision {revision}")
    return text.format(said=said, began=when(card.started), revision=card.revision)


def left_line(left: LeftReturn) -> str:
    """One whose enumerator has left."""
    text = _("by {person}, who has left: whoever opens it takes it over; interview of {began}")
    return text.format(person=left.person, began=when(left.started))


def report_lines(report: ReturnsReport) -> list[str]:
    """What is for somebody else here, what was erased, what could not be opened; nothing of what can be worked on."""
    lines = []
    if report.others:
        text = ngettext(
            "{n} interview came back from the HMU for somebody else on this laptop.",
            "{n} interviews came back from the HMU for others on this laptop.",
            report.others,
        )
        lines.append(text.format(n=report.others))
    if report.withdrawn:
        text = ngettext(
            "{n} interview that came back was withdrawn, and is erased.",
            "{n} interviews that came back were withdrawn, and are erased.",
            report.withdrawn,
        )
        lines.append(text.format(n=report.withdrawn))
    lines += [f"{why.message} {why.advice}" for _title, why in report.failed]
    return lines


def hmu_says(text: str) -> str:
    """A comment as it stands beside its question; what could move the cursor is shown as an escape."""
    return _("HMU: {text}").format(text=visible_lines(text))


def unplaced(question: str, text: str) -> str:
    """A comment to a question that is not asked as things stand."""
    return _("HMU, to “{question}”, which is not asked now: {text}").format(question=question, text=visible_lines(text))


def what_to_do() -> str:
    """For the enumerator who opens one."""
    return _(
        "Mend slips of yours only. The person is never looked for again: what nobody remembers is recorded as missing."
    )


def discard_text() -> str:
    """What erasing returned work means."""
    return _("The record at central stays as it was. Only the HMU can send this back once more.")
