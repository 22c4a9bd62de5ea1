"""Expressions and rows as the author of a form knows them."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import Expression

_PATH = re.compile(
    r"(?<![\w/.)\]'\"])(?:/[\w.-]+(?:/[\w.-]+)*|(?:current\(\)/)?(?:\.\./)+[\w.-]+(?:/[\w.-]+)*)(?![\w/(\[])"
)
LONG = 120


def written(expression: Expression) -> str:
    """The expression as in the workbook: `${name}` for a path; as it is in an XForm."""
    return as_written(expression.source, expression.origin)


def as_written(source: str, origin: Origin | None) -> str:
    """See `written`."""
    text = source
    if origin is None or origin.sheet != "XML":
        text = _PATH.sub(lambda match: f"${{{match[0].strip().rpartition('/')[2]}}}", source)
    text = " ".join(text.split())
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


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
