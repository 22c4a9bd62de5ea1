"""What people type, as the form stores it: decimal commas, dates as day/month/year, times, places.

ISO 8601 is stored, and ODK's form of places.

Text that cannot be read is given back as it is: the engine keeps it as raw text with a violation, so nothing typed is
lost. Never guesses: a year of two digits is not a year, and 1.500 in a whole number is not fifteen hundred.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.places import PlaceError, parse_place

WEEKDAYS = (
    n_("Monday"), n_("Tuesday"), n_("Wednesday"), n_("Thursday"), n_("Friday"), n_("Saturday"), n_("Sunday"),
)  # fmt: skip
MONTHS = (
    n_("January"), n_("February"), n_("March"), n_("April"), n_("May"), n_("June"), n_("July"), n_("August"),
    n_("September"), n_("October"), n_("November"), n_("December"),
)  # fmt: skip

_DMY = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})")
_DMY_RUN = re.compile(r"(\d{2})(\d{2})(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_MY = re.compile(r"(\d{1,2})[/.\- ](\d{4})")
_Y = re.compile(r"(\d{4})")
_TIME = re.compile(r"(\d{1,2})[:.h](\d{2})(?::(\d{2})(?:\.\d+)?)?")
_TIME_RUN = re.compile(r"(\d{2})(\d{2})")


def read_number(text: str) -> str:
    """Decimal comma to point, no blanks around; everything else as typed."""
    text = text.strip()
    return text.replace(",", ".") if re.fullmatch(r"[+-]?\d*,\d+", text) else text


def _date_of(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def parse_date(text: str, today: date, appearance: tuple[str, ...] = ()) -> date | None:
    """A day from 5/3/2024, 05032024, 2024-03-05, today, yesterday; 3/2024 with `month-year`, 2024 with `year`."""
    text = text.strip().casefold()
    words = {_("today").casefold(): 0, _("yesterday").casefold(): 1}
    if text in words:
        return today - timedelta(days=words[text])
    if found := _ISO.fullmatch(text):
        return _date_of(*found.groups())
    if found := _DMY.fullmatch(text) or _DMY_RUN.fullmatch(text):
        day, month, year = found.groups()
        return _date_of(year, month, day)
    if "month-year" in appearance and (found := _MY.fullmatch(text)):
        return _date_of(found[2], found[1], "1")
    if "year" in appearance and (found := _Y.fullmatch(text)):
        return _date_of(found[1], "1", "1")
    return None


def parse_time(text: str, now: datetime | None = None) -> time | None:
    """An hour from 14:30, 14.30, 14h30, 1430, 14:30:05; the minute of `now` from "now"."""
    text = text.strip().casefold()
    if now is not None and text == _("now").casefold():
        return time(now.hour, now.minute)
    found = _TIME.fullmatch(text) or _TIME_RUN.fullmatch(text)
    if found is None:
        return None
    hours, minutes, *rest = found.groups()
    try:
        return time(int(hours), int(minutes), int(rest[0]) if rest and rest[0] else 0)
    except ValueError:
        return None


def read(kind: str, text: str, now: datetime, appearance: tuple[str, ...] = ()) -> str | None:
    """`text` as a question of type `kind` stores it; None when blank; unreadable text unchanged."""
    text = text if kind == "text" else text.strip()
    if not text.strip():
        return None
    if kind in {"integer", "decimal", "range"}:
        return read_number(text)
    if kind == "date":
        day = parse_date(text, now.date(), appearance)
        return day.isoformat() if day else text
    if kind == "time":
        hour = parse_time(text, now)
        return hour.isoformat() if hour else text
    if kind == "geopoint":
        try:
            return parse_place(text).stored()
        except PlaceError:
            return text
    if kind == "dateTime":
        first, _space, second = text.partition(" ")
        if not second and parse_time(first, now) and not parse_time(first):  # "now" alone
            first, second = _("today"), first
        day, hour = parse_date(first, now.date()), parse_time(second, now)
        return datetime.combine(day, hour, now.tzinfo).isoformat() if day and hour else text
    return text


def shown(kind: str, value: str | None, raw: str | None, appearance: tuple[str, ...] = ()) -> str:
    """A stored value (or raw text that did not parse) as the editor shows it: the inverse of `read`."""
    if raw is not None:
        return raw
    if value is None:
        return ""
    if kind == "date" and (found := _ISO.match(value)):
        year, month, day = found.groups()
        if "year" in appearance:
            return year
        return f"{month}/{year}" if "month-year" in appearance else f"{day}/{month}/{year}"
    if kind == "time" and (found := _TIME.match(value)):
        return f"{found[1]}:{found[2]}"
    if kind == "dateTime" and "T" in value:
        day, _t, hour = value.partition("T")
        return f"{shown('date', day, None)} {shown('time', hour, None)}"
    if kind == "geopoint":
        try:
            return parse_place(value).shown()
        except PlaceError:
            return value
    return value


def in_words(kind: str, text: str, now: datetime, appearance: tuple[str, ...] = ()) -> str:
    """How a typed date or place is understood, to be checked by eye: "Tuesday 5 March 2024", "0.35° north, 78° west".

    "" when there is nothing to say.
    """
    if kind == "geopoint":
        try:
            return parse_place(text).words()
        except PlaceError:
            return ""
    if kind not in {"date", "dateTime"}:
        return ""
    day = parse_date(text.partition(" ")[0] if kind == "dateTime" else text, now.date(), appearance)
    if day is None:
        return ""
    if "year" in appearance:
        return str(day.year)
    if "month-year" in appearance:
        return f"{_(MONTHS[day.month - 1])} {day.year}"
    return day_in_words(day)


def day_in_words(day: date) -> str:
    """A day, in the user's language."""
    return _("{weekday} {day} {month} {year}").format(
        weekday=_(WEEKDAYS[day.weekday()]), day=day.day, month=_(MONTHS[day.month - 1]), year=day.year
    )
