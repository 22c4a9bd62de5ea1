"""What to change for each fault that the converter names: it says what is wrong, hardly ever how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.load.rows import RowMap, cell

_VALUE = re.compile(r"the '(\w+)' value is invalid")
_PREFIX = re.compile(r"^\[row\s*:\s*\d+\]\s*")
TYPES = (
    "text",
    "integer",
    "decimal",
    "range",
    "select_one",
    "select_multiple",
    "select_one_from_file",
    "select_multiple_from_file",
    "rank",
    "note",
    "acknowledge",
    "date",
    "time",
    "dateTime",
    "geopoint",
    "geotrace",
    "geoshape",
    "barcode",
    "image",
    "audio",
    "video",
    "file",
    "calculate",
    "hidden",
    "start",
    "end",
    "today",
    "deviceid",
    "username",
    "email",
    "phonenumber",
    "audit",
    "csv-external",
    "xml-external",
    "begin_group",
    "end_group",
    "begin_repeat",
    "end_repeat",
    "background-audio",
    "start-geopoint",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A message of the converter, where its fault is, and what to do. `near` gives names to choose a like one from."""

    pattern: re.Pattern[str]
    remedy: str
    sheet: str = ""
    column: str = ""
    near: Callable[[RowMap], Iterable[str]] | None = None


def _lists(rows: RowMap) -> set[str]:
    return {cell(row, "list_name") or cell(row, "list name") for row in rows.sheets.get("choices", ())} - {""}


def _names(rows: RowMap) -> set[str]:
    return {cell(row, "name") for row in rows.sheets.get("survey", ())} - {""}


def _types(_rows: RowMap) -> tuple[str, ...]:
    return TYPES


def _rule(pattern: str, remedy: str, place: str = "", near: Callable[[RowMap], Iterable[str]] | None = None) -> Rule:
    sheet, _dot, column = place.partition(".")
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), remedy, sheet, column, near)


RULES = (
    _rule(
        r"must have a sheet named '?survey",
        n_("Name the sheet with the questions `survey`, with the columns type, name and label."),
        "survey.type",
    ),
    _rule(r"unknown question type '([^']*)'", n_("Correct the type."), "survey.type", _types),
    _rule(
        r"unmatched 'begin_(?P<kind>\w+)'.*name '([^']*)'",
        n_("Add a row of type `end {kind}` after the last question that belongs to it."),
        "survey.type",
    ),
    _rule(
        r"unmatched 'end_(?P<kind>\w+)'",
        n_("Remove this row, or add the row of type `begin {kind}` that it closes. What began last ends first."),
        "survey.type",
    ),
    _rule(
        r"unique within their (nearest )?parent|more than one survey element named",
        n_("Give one of them another name."),
        "survey.name",
    ),
    _rule(
        r"must start with '\$\{'",
        n_("Write ${{question}}: a dollar sign, and the question's name between braces."),
    ),
    _rule(r"could not find the name '([^']*)'", n_("Correct the name, or add the question it means."), "", _names),
    _rule(
        r"list name not in choices sheet: (\S+)",
        n_("Add the list to the sheet `choices`, or correct its name in the column type."),
        "survey.type",
        _lists,
    ),
    _rule(
        r"should be a choices sheet",
        n_("Add a sheet `choices` with the columns list_name, name and label."),
        "choices",
    ),
    _rule(
        r"with no name|name is required|must have a name|no 'name'|'name' value is invalid.*must have a name",
        n_("Fill in the column name: letters, digits, `_`, `-` and `.`, beginning with a letter."),
        ".name",
    ),
    _rule(r"with no type", n_("Fill in the column type, or empty the row."), "survey.type"),
    _rule(r"no label or hint", n_("Write what is to be asked in the column label."), "survey.label"),
    _rule(
        r"column headers? (were|was) not found: (?P<kind>.+?)\.",
        n_("Write the header {kind} in the first row of the sheet."),
    ),
    _rule(r"choice names? must be unique", n_("Give one of the two another name."), "choices.name"),
    _rule(
        r"choice names? with spaces.*?\[([^\]]*)\]",
        n_("Write an underscore for each space: the answers of a multiple choice are separated by spaces."),
        "choices.name",
    ),
    _rule(
        r"'?parameters'? value is invalid|parameters? (are|is) not valid|invalid parameter",
        n_("Write pairs with `=`, separated by spaces, such as `start=0 end=10 step=1`."),
        "survey.parameters",
    ),
    _rule(
        r"must (begin|start) with (a|an) (letter|colon)|invalid.*name|not a valid.*name",
        n_("Use letters, digits, `_`, `-` and `.`, beginning with a letter; no spaces or accents in front."),
        ".name",
    ),
)


@dataclass(frozen=True, slots=True)
class Explained:
    """A message without its row, what to change, and where."""

    message: str
    remedy: str
    origin: Origin | None


def explained(message: str, rows: RowMap) -> Explained:
    """What a converter's message means for the author of the workbook."""
    origin = rows.from_message(message)
    plain = _PREFIX.sub("", message)
    for rule in RULES:
        match = rule.pattern.search(plain)
        if match is None:
            continue
        remedy = _(rule.remedy).format(**match.groupdict())
        if rule.near is not None and match.lastindex:
            like = get_close_matches(match[1], list(rule.near(rows)), n=1, cutoff=0.6)
            if like:
                remedy += " " + _("Is {name} meant?").format(name=like[0])
        return Explained(plain, remedy, _placed(origin, rule, match, rows))
    return Explained(plain, _("Correct the cell; https://xlsform.org describes every column."), origin)


def _placed(origin: Origin | None, rule: Rule, match: re.Match[str], rows: RowMap) -> Origin | None:
    """The rule knows the sheet and the column where the message does not name them."""
    if origin is None:
        if match.lastindex and rule.sheet:
            for number, row in enumerate(rows.sheets.get(rule.sheet, ()), start=2):
                if cell(row, rule.column) == match[1]:
                    return Origin(rule.sheet, number, rule.column)
        return Origin(rule.sheet, 1, rule.column) if rule.sheet else None
    sheet = rule.sheet or origin.sheet
    named = _VALUE.search(match.string)
    column = rule.column or origin.column or (named[1] if named else "")
    return Origin(sheet, origin.row, column)
