"""The function library by theme. Importing this package fills LIBRARY; docs/xpath.md describes every entry."""

from __future__ import annotations

from fieldsurvey.xforms.xpath.functions import core, dates, forms, geo, numbers, secrets, selects, strings
from fieldsurvey.xforms.xpath.functions.registry import LIBRARY, Function, Special

__all__ = [
    "LIBRARY",
    "Function",
    "Special",
    "core",
    "dates",
    "forms",
    "geo",
    "numbers",
    "secrets",
    "selects",
    "strings",
]
