"""Dates and times as forms use them. What a moment is, and the reading of ISO text, is in moments.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date as Date  # noqa: N812  the function of forms is called date
from datetime import datetime

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.convert import NAN
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.functions.registry import function
from fieldsurvey.xforms.xpath.moments import (
    EPOCH,
    INVALID_DATE,
    at_midnight,
    date_from_days,
    day_fraction,
    from_days,
    parse_moment,
    parse_time,
)
from fieldsurvey.xforms.xpath.names import short_day, short_month
from fieldsurvey.xforms.xpath.nodes import Value
from fieldsurvey.xforms.xpath.runtime import Context

Scalar = str | float | bool | Date
_MILLISECONDS = 86_400_000.0


def _local(ctx: Context) -> datetime:
    return ctx.env.now().astimezone(ctx.env.timezone)


@function("now", "-> value")
def now(ctx: Context) -> Value:
    """This moment."""
    return _local(ctx)


@function("today", "-> value")
def today(ctx: Context) -> Value:
    """Today's date."""
    return _local(ctx).date()


def _moment(ctx: Context, value: Scalar, *, whole_days: bool) -> Scalar:
    """A date or a moment; "" and NaN stay what they are, a truth is "". Raises EvaluationError for anything else."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return value
        return date_from_days(value) if whole_days else from_days(value, ctx.env.timezone)
    if isinstance(value, str):
        return parse_moment(value, ctx.env.timezone) if value else value
    if whole_days and isinstance(value, datetime):
        return value.date()
    return value


def _read(ctx: Context, value: Scalar, *, whole_days: bool) -> Scalar:
    """As `_moment`, with INVALID_DATE for text that is no date."""
    try:
        return _moment(ctx, value, whole_days=whole_days)
    except EvaluationError:
        if isinstance(value, str):
            return INVALID_DATE
        raise


@function("date", "scalar -> value")
def date(ctx: Context, value: Scalar) -> Scalar:
    """A date from ISO text, from a day number, or from a moment. Text with a time of day keeps it."""
    return _read(ctx, value, whole_days=True)


@function("date-time", "scalar -> value")
def date_time(ctx: Context, value: Scalar) -> Scalar:
    """A moment from ISO text, or from days since 1970-01-01T00:00Z with their fraction."""
    return _read(ctx, value, whole_days=False)


@function("decimal-date-time", "scalar -> value")
def decimal_date_time(ctx: Context, value: Scalar) -> Scalar:
    """Days since 1970-01-01T00:00Z with their fraction; a date counts from its midnight in the interview's zone."""
    if isinstance(value, float):
        if math.isinf(value):
            raise EvaluationError(_("this number is too far from today to be a date"))
        return value
    moment = _moment(ctx, value, whole_days=False)
    if not isinstance(moment, Date):
        return moment
    since = at_midnight(moment, ctx.env.timezone) - EPOCH
    return (since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000) / _MILLISECONDS


@function("decimal-time", "scalar -> value")
def decimal_time(ctx: Context, value: Scalar) -> Scalar:
    """The part of the day that is over, as the interview's zone shows it: 0.5 at noon; NaN when it is not a time."""
    if isinstance(value, float) and not isinstance(value, bool):
        return value - math.floor(value) if math.isfinite(value) else NAN
    if isinstance(value, str):
        if not value:
            return value
        if "T" not in value:
            clock = parse_time(value, ctx.env.timezone, EPOCH.date())
            return NAN if clock is None else day_fraction(clock)
    moment = _moment(ctx, value, whole_days=False)
    return day_fraction(moment.time()) if isinstance(moment, datetime) else 0.0


def _formatted(moment: datetime, pattern: str, language: str) -> str:
    out: list[str] = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character != "%":
            out.append(character)
            continue
        code = pattern[index : index + 1]
        index += 1
        if code in _CODES:
            out.append(_CODES[code](moment))
        elif code == "b":
            out.append(short_month(moment, language))
        elif code == "a":
            out.append(short_day(moment, language))
        else:
            raise EvaluationError(_("the date format has an unknown code"))
    return "".join(out)


_CODES: dict[str, Callable[[datetime], str]] = {
    "%": lambda _m: "%",
    "Y": lambda m: f"{m.year:04d}",
    "y": lambda m: f"{m.year % 100:02d}",
    "m": lambda m: f"{m.month:02d}",
    "n": lambda m: str(m.month),
    "d": lambda m: f"{m.day:02d}",
    "e": lambda m: str(m.day),
    "H": lambda m: f"{m.hour:02d}",
    "h": lambda m: str(m.hour),
    "M": lambda m: f"{m.minute:02d}",
    "S": lambda m: f"{m.second:02d}",
    "3": lambda m: f"{m.microsecond // 1000:03d}",
    "W": lambda m: str(m.isocalendar().week),
}


@function("format-date format-date-time", "scalar, string -> string")
def format_date(ctx: Context, value: Scalar, pattern: str) -> str:
    """The date or moment in the words of `pattern`; "" when it is blank. A time of day alone formats too."""
    zone = ctx.env.timezone
    if isinstance(value, str) and ":" in value and "T" not in value:
        clock = parse_time(value, zone, EPOCH.date())
        moment: Scalar = value if clock is None else datetime.combine(EPOCH.date(), clock, zone)
    else:
        moment = _moment(ctx, value, whole_days=False)
    if isinstance(moment, Date):
        return _formatted(at_midnight(moment, zone), pattern, ctx.env.language)
    if isinstance(moment, str) and moment:
        raise EvaluationError(_("this is not a date"))
    return ""
