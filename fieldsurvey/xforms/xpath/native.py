"""Conversions and comparisons of plain XPath 1.0 (sections 3.4, 4.2 to 4.4): `evaluate(..., mode="native")`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from fieldsurvey.xforms.xpath.convert import NAN, days, moment_to_text, number_to_text
from fieldsurvey.xforms.xpath.moments import InvalidDate
from fieldsurvey.xforms.xpath.nodes import Value

_NUMBER = re.compile(r"[ \t\r\n]*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def text_to_number(text: str) -> float:
    """NaN unless the text is optional white space, an optional minus and a Number."""
    match = _NUMBER.fullmatch(text)
    return NAN if match is None else float(match[1])


def unpack(value: Value) -> str | float | bool | date:
    """A nodeset as the string-value of its first node, "" when it is empty."""
    if type(value) is list:
        return value[0].string() if value else ""
    return value  # type: ignore[return-value]


def to_number(value: Value) -> float:
    """XPath's number()."""
    value = unpack(value)
    if type(value) is float:
        return value
    if type(value) is bool:
        return 1.0 if value else 0.0
    return text_to_number(value) if isinstance(value, str) else days(value)  # type: ignore[arg-type]


def to_string(value: Value) -> str:
    """XPath's string()."""
    value = unpack(value)
    if isinstance(value, str):
        return str(value)
    if type(value) is bool:
        return "true" if value else "false"
    return number_to_text(value) if type(value) is float else moment_to_text(value)  # type: ignore[arg-type]


def to_boolean(value: Value) -> bool:
    """XPath's boolean(): a nodeset is true when it is not empty."""
    if type(value) is list or type(value) is str:
        return len(value) > 0
    if type(value) is float:
        return value == value and value != 0  # noqa: PLR0124  NaN is false
    return type(value) is not InvalidDate and bool(value)


def compare(op: str, left: Value, right: Value) -> bool:
    """Section 3.4: existential over nodesets; `=` and `!=` by the strongest kind, the rest as numbers.

    For `<` and its kin a nodeset is existential beside a boolean too, as in the browsers' engines.
    """
    test = _COMPARE[op]
    order = op not in {"=", "!="}
    if not order and (type(left) is bool or type(right) is bool):
        return test(to_boolean(left), to_boolean(right))
    lefts: list[Any] = [n.string() for n in left] if type(left) is list else [left]
    rights: list[Any] = [n.string() for n in right] if type(right) is list else [right]
    if order:
        numbers = [to_number(r) for r in rights]
        return any(test(to_number(first), second) for first in lefts for second in numbers)
    return any(_same_kind(test, first, second) for first in lefts for second in rights)


def _same_kind(test: Callable[[Any, Any], bool], left: Value, right: Value) -> bool:
    if type(left) is str and type(right) is str:
        return test(left, right)
    return test(to_number(left), to_number(right))
