"""The evening review in words: what waits, what became of it. For the screen and `--plain`."""

from __future__ import annotations

from datetime import datetime

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.fieldwork.cards import DraftCard
from fieldsurvey.fieldwork.waiting import ReviewReport, WaitingCard
from fieldsurvey.project.policy import Policy
from fieldsurvey.tui.standing import when

_WARNED_DAYS = 7


def waiting_line(waiting: list[WaitingCard]) -> str:
    """How many wait, and until when the first of them; "" when none does."""
    if not waiting:
        return ""
    first = min(waiting, key=lambda card: datetime.fromisoformat(card.seal_by))
    text = ngettext(
        "{count} completed interview waits for the evening review; it is sealed by {when} at the latest.",
        "{count} completed interviews wait for the evening review; the first is sealed by {when} at the latest.",
        len(waiting),
    )
    return text.format(count=len(waiting), when=when(first.seal_by))


def card_line(card: WaitingCard) -> str:
    """One that waits."""
    text = _("completed {completed}, sealed by {seal_by}")
    return text.format(completed=when(card.completed), seal_by=when(card.seal_by))


def what_for() -> str:
    """What the review is for, and what it is not for."""
    return _(
        "Mend slips of yours only. The person is never looked for again: what nobody remembers is recorded as missing."
    )


def report_text(report: ReviewReport) -> str:
    """What was sealed, erased, or could not be sealed; "" when nothing happened."""
    lines = []
    if report.sealed:
        text = ngettext(
            "{count} interview that waited is sealed now.", "{count} interviews that waited are sealed now.",
            len(report.sealed),
        )  # fmt: skip
        lines.append(text.format(count=len(report.sealed)))
    if report.withdrawn:
        text = ngettext(
            "{count} interview that waited was withdrawn, and is erased.",
            "{count} interviews that waited were withdrawn, and are erased.",
            report.withdrawn,
        )
        lines.append(text.format(count=report.withdrawn))
    for title, why in report.failed:
        lines.append(_("{title} still waits: {why}").format(title=title, why=why.as_text()))
    return "\n".join(lines)


def draft_warning(card: DraftCard, policy: Policy, now: datetime) -> str:
    """That a draft will soon have been left too long; "" before that. Whether it has, only signed time decides."""
    days = (now - datetime.fromisoformat(card.saved)).days
    limit = policy.retention.draft_days
    if days < max(limit - _WARNED_DAYS, 1):
        return ""
    return _("untouched for {days} days: this project erases drafts after {limit}").format(days=days, limit=limit)
