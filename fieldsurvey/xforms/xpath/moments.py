"""Dates and times: reading ISO 8601 text, and the way between moments and day numbers.

A date is `datetime.date`; a moment is a `datetime.datetime` in the interview's time zone. Month and day names are in
names.py; the functions forms call are in functions/dates.py.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import EvaluationError

_DATE = r"([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})"
_TIME = r"([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:[.,]([0-9]*))?)?(Z|[+-][0-9]{1,2}(?::?[0-9]{2})?)?"
_MOMENT = re.compile(rf"{_DATE}(?:T{_TIME})?")
_CLOCK = re.compile(_TIME)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class InvalidDate(str):
    """What `date()` makes of text that is no date: false as a truth, "Invalid Date" as text, an error as all else.

    JavaRosa has no value for it and fails; Web Forms and Enketo have this one. A subclass of str that no test of
    `type(x) is str` takes for one.
    """

    __slots__ = ()


INVALID_DATE = InvalidDate("Invalid Date")
_LIMIT = 4_000_000.0  # days; beyond them no year has four digits, and milliseconds stay exact


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or "0")
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if text[0] == "-" else away)


def _clock(parts: tuple[str | None, ...]) -> tuple[time, timezone | None]:
    hour, minute, second, fraction, offset = parts
    micro = int(((fraction or "") + "000000")[:6])
    moment = time(int(hour or 0), int(minute or 0), int(second or 0), micro)
    return moment, None if offset is None else _offset(offset)


def parse_moment(text: str, zone: tzinfo) -> date | datetime:
    """A date, or with a time of day a moment in `zone`; without an offset it is `zone`'s own time.

    Raises EvaluationError for anything else, also for a day or an hour that does not exist.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise EvaluationError(_("this is not a date"))
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
        if match[4] is None:
            return day
        clock, offset = _clock(match.groups()[3:])
        return datetime.combine(day, clock, offset or zone).astimezone(zone)
    except (ValueError, OverflowError):
        raise EvaluationError(_("this is not a date")) from None


def parse_time(text: str, zone: tzinfo, today: date) -> time | None:
    """A time of day as `zone` shows it (an offset is applied on the day `today`); None when it is not one."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    try:
        clock, offset = _clock(match.groups())
        if offset is None:
            return clock
        return datetime.combine(today, clock, offset).astimezone(zone).time()
    except (ValueError, OverflowError):
        return None


def from_days(days: float, zone: tzinfo) -> datetime:
    """The moment that many days after 1970-01-01T00:00Z, in `zone`, to the millisecond."""
    if not abs(days) < _LIMIT:
        raise EvaluationError(_("this number is too far from today to be a date"))
    try:
        return (EPOCH + timedelta(milliseconds=int(days * 86_400_000))).astimezone(zone)
    except OverflowError:
        raise EvaluationError(_("this number is too far from today to be a date")) from None


def date_from_days(days: float) -> date:
    """The date that many whole days after 1970-01-01."""
    if not abs(days) < _LIMIT:
        raise EvaluationError(_("this number is too far from today to be a date"))
    try:
        return EPOCH.date() + timedelta(days=int(days))
    except OverflowError:
        raise EvaluationError(_("this number is too far from today to be a date")) from None


def at_midnight(moment: date, zone: tzinfo) -> datetime:
    """A date as the moment when it begins in `zone`; a moment as it is."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), zone)


def day_fraction(clock: time) -> float:
    """The part of the day that is over."""
    passed = timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
    return passed / _DAY
