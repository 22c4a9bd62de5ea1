"""Conversions between the kinds of values, as JavaRosa does them; `native` holds those of plain XPath 1.0.

A value is str, float, bool, date, datetime or a list of nodes. `unpack` makes a nodeset one value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.moments import InvalidDate
from fieldsurvey.xforms.xpath.nodes import Node, Value

NAN = math.nan
_SPACE = "".join(map(chr, range(33)))
_NUMBER = re.compile(r"-?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)")
_EPOCH = date(1970, 1, 1).toordinal()
TINY = 1e-12
"""Numbers closer than this are equal (JavaRosa XPathEqExpr)."""


def unpack(value: Value) -> str | float | bool | date:
    """A nodeset as one value: "" when empty, the node's typed value when there is one.

    Raises EvaluationError when there are several: the field is repeated (JavaRosa XPathNodeset.unpack). An invalid
    date is an error here too: nothing may keep it.
    """
    while type(value) is list:
        if not value:
            return ""
        if len(value) > 1:
            raise EvaluationError(_("{name} is repeated; say which one is meant").format(name=value[0].name))
        value = value[0].value()
    if type(value) is InvalidDate:
        raise EvaluationError(_("this is not a date"))
    return value  # type: ignore[return-value]  # a list was unpacked above


def kept(run: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """A closure whose result may be kept: an invalid date is an error. Nodes stay nodes."""

    def value(ctx: Any) -> Value:
        found = run(ctx)
        return unpack(found) if type(found) is InvalidDate else found

    return value


def text_to_number(text: str) -> float:
    """NaN unless the text is a plain decimal number; a comma counts as the decimal point (JavaRosa toNumeric)."""
    if text.isascii() and text.isdigit():
        return float(text)
    text = text.strip(_SPACE)
    if _NUMBER.fullmatch(text) is None:
        return NAN
    return float(text.replace(",", "."))


def days(moment: date) -> float:
    """Whole days since 1970-01-01 by the moment's own calendar (JavaRosa toNumeric: the time of day does not count)."""
    return float(moment.toordinal() - _EPOCH)


def number_to_text(number: float) -> str:
    """Decimal digits without an exponent; whole numbers without a point (XPath 1.0 section 4.2)."""
    if math.isnan(number):
        return "NaN"
    if abs(number) < TINY:
        return "0"
    if abs(number) < 1e16:
        whole = int(number)
        if abs(number - whole) < TINY:
            return str(whole)
    elif math.isinf(number):
        return "-Infinity" if number < 0 else "Infinity"
    text = repr(number)
    return format(Decimal(text), "f").removesuffix(".0") if "e" in text else text.removesuffix(".0")


def to_number(value: Value) -> float:
    """JavaRosa's toNumeric."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[return-value]
    if kind is str:
        return text_to_number(value)  # type: ignore[arg-type]
    if kind is bool:
        return 1.0 if value else 0.0
    if kind is list:
        return to_number(unpack(value))
    if kind is InvalidDate:
        unpack(value)
    return days(value)  # type: ignore[arg-type]


def moment_to_text(moment: date) -> str:
    """ISO 8601: a date as yyyy-mm-dd, a moment with milliseconds and offset."""
    if isinstance(moment, datetime):
        text = moment.isoformat(timespec="milliseconds")
        return f"{text[:-6]}Z" if text.endswith("+00:00") else text
    return moment.isoformat()


def to_string(value: Value) -> str:
    """JavaRosa's toString."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is float:
        return number_to_text(value)  # type: ignore[arg-type]
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return to_string(unpack(value))
    if kind is InvalidDate:
        return str(value)
    return moment_to_text(value)  # type: ignore[arg-type]


def to_boolean(value: Value) -> bool:
    """JavaRosa's toBoolean: a nodeset is what its one node's value is, a date is true, an invalid one false."""
    kind = type(value)
    if kind is bool:
        return value  # type: ignore[return-value]
    if kind is str:
        return value != ""
    if kind is float:
        return abs(value) > TINY  # type: ignore[arg-type]  # false for NaN too
    if kind is list:
        return to_boolean(unpack(value))
    return kind is not InvalidDate


def to_nodeset(value: Value) -> list[Node]:
    """The nodes; raises EvaluationError for anything else."""
    if type(value) is list:
        return value
    raise EvaluationError(_("nodes were expected here, not a single value"))


def equal(left: Value, right: Value) -> bool:
    """JavaRosa's XPathEqExpr: as booleans if either is one, else as numbers if either is one, else as text."""
    left, right = unpack(left), unpack(right)
    if type(left) is str and type(right) is str:
        return left == right
    if type(left) is bool or type(right) is bool:
        return to_boolean(left) == to_boolean(right)
    if type(left) is float or type(right) is float:
        first, second = to_number(left), to_number(right)
        return first == second or abs(first - second) < TINY
    return _day_text(left) == _day_text(right) or to_string(left) == to_string(right)


def _day_text(value: str | float | bool | date) -> str:
    """Text as it is, a moment as its day: `=` compares days (JavaRosa has one type for both, written as a date)."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return to_string(value)
