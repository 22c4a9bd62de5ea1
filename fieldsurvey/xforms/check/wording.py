"""Expressions and rows as the author of a form knows them."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import Expression

_STEPS = r"(?:/[\w.-]+(?:/[\w.-]+)*|(?:current\(\)/)?(?:\.\./)+[\w.-]+(?:/[\w.-]+)*)"
_PATH = re.compile(rf"(?<![\w/.)\]'\"]){_STEPS}(?![\w/(\[])")
_PADDED = re.compile(rf"(?<![\w/.)\]'\"]) ?{_STEPS}(?![\w/(\[]) ?")
"""The converter puts a space on either side of every path."""
LONG = 120


def written(expression: Expression, most: int = LONG) -> str:
    """The expression as in the workbook: `${name}` for a path; as it is in an XForm. Cut after `most` characters."""
    return as_written(expression.source, expression.origin, most, _PADDED)


def as_written(source: str, origin: Origin | None, most: int = LONG, path: re.Pattern[str] = _PATH) -> str:
    """See `written`; for text that the converter did not pad."""
    text = source
    if origin is None or origin.sheet != "XML":
        text = path.sub(lambda match: f"${{{match[0].strip().rpartition('/')[2]}}}", source)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def where(origin: Origin | None) -> str:
    """`row 12` or `line 12`, "" when it is not known."""
    if origin is None:
        return ""
    if origin.sheet == "XML":
        return _("line {row}").format(row=origin.row)
    return _("row {row}").format(row=origin.row)


def listed(names: list[str], most: int = 6) -> str:
    """`a, b, c …`"""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
