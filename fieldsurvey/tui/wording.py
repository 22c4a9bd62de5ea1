"""Violations and states in words: a symbol, the reason, the remedy. Colour is never alone.

The engine gives values (`ViolationKind`); what they are called is decided here, once, for the screen and `--plain`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.places import fault
from fieldsurvey.tui.points import points_fault
from fieldsurvey.xforms.contract import Question, Violation, ViolationKind

_TYPE_REASONS = {
    "integer": n_("This must be a whole number."),
    "decimal": n_("This must be a number."),
    "range": n_("This must be a number."),
    "date": n_("This is not a date."),
    "time": n_("This is not a time of day."),
    "dateTime": n_("This is not a date and time."),
}
_TYPE_REMEDIES = {
    "integer": n_("Write it in digits without points or commas, like 1500."),
    "decimal": n_("Write it in digits, like 12,5."),
    "range": n_("Write it in digits, or use the arrows."),
    "date": n_("Write day/month/year, like 05/03/2024."),
    "time": n_("Write hours:minutes, like 14:30."),
    "dateTime": n_("Write day/month/year hours:minutes, like 05/03/2024 14:30."),
    "geopoint": n_("Write latitude and longitude, like 0.3512 -78.1223 or 0°21'4\"N 78°7'20\"W."),
    "geotrace": n_("Mend it or add points, one by one."),
    "geoshape": n_("Mend it or add points, one by one."),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A violation as people read it."""

    symbol: str  # "✗" stops, "!" can be accepted
    reason: str
    remedy: str


def _type_reason(question: Question) -> str:
    if question.type == "geopoint":
        return fault(question.raw or "")
    if question.type in {"geotrace", "geoshape"}:
        return points_fault(question.type, question.raw or "")
    if question.type == "range" and question.raw is not None and range_ends(question):
        return range_ends(question)
    return _(_TYPE_REASONS.get(question.type, n_("This cannot be read.")))


def range_ends(question: Question) -> str:
    """What a range takes, where the form says it."""
    low, high, step = (question.parameters.get(name) for name in ("start", "end", "step"))
    if low is None or high is None:
        return ""
    return _("This goes from {start} to {end}, by {step}.").format(start=low, end=high, step=step or 1)


def word(violation: Violation, question: Question, *, missing_keys: str = "") -> Wording:
    """The words for `violation` of `question`; `missing_keys` names the keys of the missing codes it allows."""
    otherwise = " " + _("Or use {keys}.").format(keys=missing_keys) if missing_keys else ""
    kind = violation.kind
    if kind is ViolationKind.WARNING:
        reason = violation.message or _("This is unusual.")
        if violation.accepted:
            return Wording("!", reason, _("Accepted with a reason."))
        return Wording("!", reason, _("Correct it, or press [Enter] again to accept it with a reason."))
    if kind is ViolationKind.REQUIRED:
        return Wording("✗", violation.message or _("This needs an answer."), _("Answer it.") + otherwise)
    if kind is ViolationKind.TYPE:
        reason = violation.message or _type_reason(question)
        return Wording("✗", reason, _(_TYPE_REMEDIES.get(question.type, n_("Write it again."))) + otherwise)
    if kind is ViolationKind.CHOICE:
        return Wording("✗", _("The answer given before is not offered any more."), _("Choose again.") + otherwise)
    if kind is ViolationKind.ERROR:
        return Wording(
            "✗",
            _("The form itself has a fault here: {message}").format(message=violation.message or "?"),
            _("Go on with the other questions, and tell the project's steward."),
        )
    return Wording("✗", violation.message or _("This answer is not possible here."), _("Correct it.") + otherwise)
