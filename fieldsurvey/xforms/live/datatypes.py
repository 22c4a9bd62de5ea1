"""Data types of binds: text as typed by a person -> stored text, stored text -> typed value.

Stored forms are those of the ODK XForms specification: integers and decimals in digits with a point, ISO 8601 dates and
times, `latitude longitude altitude accuracy` for points, `;` between the points of a trace or shape.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, tzinfo

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.xpath.convert import TINY, number_to_text
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import Value

MOST = 2**31 - 1
"""Integers have 32 bits in every ODK client (https://docs.getodk.org/form-question-types/#integer-widget)."""
MOST_TEXT = 1_000_000
"""Characters that a calculation or an action may put into a node."""
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(\d{1,300}([.,]\d{0,300})?|[.,]\d{1,300})")
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:\d\d)?)?")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
"""A moment without an offset: its day is clear wherever it is read."""
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_POINT = re.compile(r"\s*[+-]?\d+(\.\d+)?(\s+[+-]?\d+(\.\d+)?){1,3}\s*")


def kind_of(d: NodeDef) -> str:
    """The data type of a node: "string" when its bind names none."""
    return d.bind.type or "string" if d.bind is not None else "string"


def typed(text: str, d: NodeDef) -> Value:
    """The value expressions see: float, bool, date or datetime where the text reads as the type, else the text."""
    bind = d.bind
    if bind is None or not text:
        return text
    kind = bind.type
    if kind in {"", "string"}:
        return text
    if kind in {"integer", "decimal"}:
        try:
            number = float(text)
        except ValueError:
            return text
        return number if number == number else text  # noqa: PLR0124  NaN stays text
    if kind == "date":
        return read_date(text) or text
    if kind == "dateTime":
        return read_datetime(text, None) or text
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
    return text


MARKS = {bool: "b", float: "n", date: "d", datetime: "t"}
"""How drafts mark the kind of a calculated value."""


def marked(text: str, mark: str) -> Value | None:
    """The value of a text with a mark."""
    if mark == "b":
        return text == "1"
    if mark == "n":
        return float(text)
    return read_date(text) if mark == "d" else read_datetime(text, None)


def read_date(text: str) -> date | None:
    """The date at the start of an ISO text."""
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def read_datetime(text: str, zone: tzinfo | None) -> datetime | None:
    """An ISO 8601 moment; `zone` is taken where the text names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None and zone is not None else moment


def read_time(text: str) -> time | None:
    """A time of day, with or without seconds and offset."""
    if not _TIME.fullmatch(text):
        return None
    padded = text if text[1:2] != ":" else "0" + text
    try:
        return time.fromisoformat(padded.replace(",", "."))
    except ValueError:
        return None


def stored(text: str, kind: str) -> str | None:
    """What a person typed as it is stored, or None when it does not read as that type."""
    if kind == "integer":
        return str(int(text)) if _INTEGER.fullmatch(text) and text.isascii() and abs(int(text)) <= MOST else None
    if kind == "decimal":
        return _decimal(text)
    if kind == "date":
        found = read_date(text) if _DATE.fullmatch(text) or _LOCAL.fullmatch(text) else None
        return found.isoformat() if found else None
    if kind == "time":
        return text if read_time(text) else None
    if kind == "dateTime":
        return text if _MOMENT.fullmatch(text) and read_datetime(text, None) else None
    if kind == "boolean":
        return {"true": "1", "1": "1", "false": "0", "0": "0"}.get(text)
    if kind == "geopoint":
        return _points(text, 1, closed=False) if ";" not in text else None
    if kind == "geotrace":
        return _points(text, 2, closed=False)
    if kind == "geoshape":
        return _points(text, 3, closed=True)
    return text


def given(text: str, kind: str, zone: tzinfo | None) -> str:
    """A value that the form or a record brings along, as its type has it; "" when it does not read as the type.

    A fraction in an integer is cut, a moment in a date loses its time of day, points get four numbers. A moment in a
    node for a time of day is left as it is.
    """
    if kind in {"geopoint", "geotrace", "geoshape"}:
        return stored(text, "geotrace") or stored(text, "geopoint") or ""
    if kind == "integer" and stored(text, kind) is None:
        return _whole(text) or ""
    if kind == "time" and read_time(text) is not None:
        return in_zone(text, zone)
    if kind == "date" and text[10:11] == "T":
        return text[:10]
    if kind in {"date", "decimal"} and (read := stored(text, kind)) is not None:
        return read
    if stored(text, kind) is None and (kind in {"integer", "decimal"} or read_datetime(text, None) is None):
        return ""
    return text


def in_zone(text: str, zone: tzinfo | None) -> str:
    """A time of day that names another offset than the interview's, in the interview's zone (JavaRosa's TimeData)."""
    found = read_time(text)
    if found is None or found.tzinfo is None or zone is None:
        return text
    moment = datetime.combine(date(1970, 1, 1), found)
    moved = moment.astimezone(zone)
    if moved.utcoffset() == moment.utcoffset():
        return text
    return time_of(moved)


def _decimal(text: str) -> str | None:
    if not _DECIMAL.fullmatch(text) or not text.isascii():
        return None
    plain = text.replace(",", ".").removeprefix("+")
    plain = plain.removesuffix(".")
    if plain.startswith((".", "-.")):
        plain = plain.replace(".", "0.", 1)
    return plain


def _points(text: str, least: int, *, closed: bool) -> str | None:
    points = [point.strip() for point in text.strip().rstrip(";").split(";")]
    if len(points) < least or not all(_POINT.fullmatch(point) and _on_earth(point) for point in points):
        return None
    if closed and points[0].split()[:2] != points[-1].split()[:2]:
        return None
    return "; ".join(_four(point) for point in points)


def _four(point: str) -> str:
    """Latitude, longitude, altitude and accuracy as ODK writes them; no exponents, which `_POINT` would not read."""
    numbers = [float(number) for number in point.split()]
    texts = (str(number) for number in [*numbers, 0.0, 0.0][:4])
    return " ".join(number_to_text(float(text)) if "e" in text else text for text in texts)


def _on_earth(point: str) -> bool:
    latitude, longitude = (float(number) for number in point.split()[:2])
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def to_text(value: Value, kind: str, zone: tzinfo | None) -> str:
    """The text that a calculation's value is stored as; NaN is blank, a truth is 1 or 0 (JavaRosa's wrapData).

    Raises EvaluationError for a text beyond all bounds: values that feed on one another would double at every step.
    """
    if type(value) is str:
        if len(value) > MOST_TEXT:
            raise EvaluationError(_("the text is longer than {n} characters").format(n=MOST_TEXT))
        return in_zone(value, zone) if kind == "time" else _recast(value, kind)
    if type(value) is bool:
        return "1" if value else "0"
    if type(value) is float:
        if value != value:  # noqa: PLR0124  NaN is blank
            return ""
        if kind == "boolean":
            return "1" if abs(value) > TINY else "0"
        if kind in {"date", "dateTime"} and abs(value) < 2_900_000:
            return _from_days(value, kind, zone)
        whole = kind == "integer" and abs(value) <= MOST
        return number_to_text(float(int(value)) if whole else value)
    if isinstance(value, datetime):
        if kind == "date":
            return value.date().isoformat()
        if kind == "time":
            return time_of(value)
        return zulu(value.isoformat(timespec="milliseconds"))
    if isinstance(value, date):
        return value.isoformat()
    return ""


def calculated(value: Value | None, text: str, d: NodeDef) -> Value | None:
    """What a node without a type of its own holds after a calculation; None where its type decides."""
    if value is None or type(value) is str or not text or (d.bind is not None and d.bind.type not in {"", "string"}):
        return None
    return value


def _recast(text: str, kind: str) -> str:
    """Text that a typed node is given: a moment loses what the type does not hold."""
    if kind == "date" and len(text) > 10 and read_datetime(text, None):
        return text[:10]
    if kind == "integer" and text:
        return _whole(text) or text
    if kind in {"geopoint", "geotrace", "geoshape"} and text:
        return given(text, kind, None) or text
    return text


def _whole(text: str) -> str | None:
    """The whole part of a number, None when the text is none or it does not fit."""
    if _decimal(text) is None or abs(float(text.replace(",", "."))) > MOST:
        return None
    return str(int(float(text.replace(",", "."))))


def _from_days(days: float, kind: str, zone: tzinfo | None) -> str:
    """Days since 1970-01-01, as date arithmetic yields them."""
    epoch = date(1970, 1, 1).toordinal()
    whole = int(days // 1)
    day = date.fromordinal(epoch + whole) if 1 <= epoch + whole <= date.max.toordinal() else None
    if day is None:
        return number_to_text(days)
    if kind == "date":
        return day.isoformat()
    milliseconds = round((days - whole) * 86_400_000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, left = divmod(rest, 1000)
    if hours > 23:
        hours, minutes, seconds, left = 23, 59, 59, 999
    moment = datetime(day.year, day.month, day.day, hours, minutes, seconds, left * 1000, tzinfo=zone)
    return zulu(moment.isoformat(timespec="milliseconds"))


def time_of(moment: datetime) -> str:
    """The time of day of a moment with its offset (which `timetz` loses: it depends on the day)."""
    return zulu(moment.isoformat(timespec="milliseconds")).partition("T")[2]


def zulu(text: str) -> str:
    """`Z` for an offset of zero, as ODK writes it."""
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def python_value(text: str, kind: str, control: str) -> object:
    """A typed answer for `Form.values`: int, float, date, datetime, bool, list of str for several choices, else str."""
    if control in {"select", "rank"}:
        return text.split()
    try:
        if kind == "integer":
            return int(float(text))
        if kind == "decimal":
            return float(text)
    except (ValueError, OverflowError):
        return text
    if kind == "date":
        return read_date(text) or text
    if kind == "dateTime":
        return read_datetime(text, None) or text
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
    return text
