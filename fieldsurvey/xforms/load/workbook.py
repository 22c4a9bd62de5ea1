"""XLSForm to XForm by pyxform, the standard's own converter; its refusals become FormError with sheet and row."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.load.archive import MAX_ROWS, refuse_bombs
from fieldsurvey.xforms.load.remedies import explained
from fieldsurvey.xforms.load.rows import RowMap, Rows, too_deep

MAX_BYTES = 32 * 1024 * 1024
MAX_QUESTIONS = 50_000
"""Rows of the survey sheet: the converter takes ten times longer for one than for a choice."""
MAX_NESTED = 90
"""Groups within groups; a repeat is two elements of the XForm, which may be 200 deep."""
SHEETS = ("survey", "choices", "settings", "external_choices", "entities", "osm")


@dataclass(frozen=True)
class Converted:
    """XForm XML, where its rows come from, what the converter warned of, and the external choices if any."""

    xml: bytes
    rows: RowMap
    warnings: tuple[str, ...] = ()
    media: Mapping[str, bytes] = field(default_factory=dict)


def convert_folder(folder: Path) -> Converted:
    """One CSV per sheet: `survey.csv`, `choices.csv`, `settings.csv` …"""
    if not (folder / "survey.csv").is_file():
        raise FormError(
            [
                FormProblem(
                    "folder.survey",
                    _("The folder {name} has no survey.csv.").format(name=folder.name),
                    _("Name a folder with one CSV per sheet, a workbook or an XForm."),
                )
            ]
        )
    sheets: dict[str, Any] = {"sheet_names": []}
    for name in SHEETS:
        path = folder / f"{name}.csv"
        if path.is_file():
            rows, header = read_sheet(path.read_bytes(), name)
            sheets["sheet_names"].append(name)
            sheets[name] = rows
            sheets[f"{name}_header"] = [dict.fromkeys(header)]
    return _convert(sheets, folder.name)


def read_sheet(data: bytes, name: str) -> tuple[list[dict[str, str]], list[str]]:
    """The rows (empty ones kept, so that rows count as in a spreadsheet) and the header of a CSV sheet."""
    _bounded(data)
    try:
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeError, csv.Error) as error:
        problem = FormProblem(
            "sheet.csv",
            _("{name}.csv cannot be read: {reason}.").format(name=name, reason=error),
            _("Save it as CSV in UTF-8."),
        )
        raise FormError([problem]) from None
    header = [column.strip() for column in lines[0]] if lines else []
    rows: list[dict[str, str]] = []
    for line in lines[1:]:
        cells = {column: value.strip() for column, value in zip(header, line, strict=False) if column and value.strip()}
        rows.append(cells)
    while rows and not rows[-1]:
        rows.pop()
    return rows, [column for column in header if column]


def convert_file(data: bytes, suffix: str, stem: str) -> Converted:
    """A workbook: .xlsx, .xlsm, .xls, .md or .csv."""
    # pyxform takes 0.3 s to import and is absent on laptops, which receive compiled forms
    from pyxform.errors import PyXFormError
    from pyxform.xls2json_backends import get_xlsform

    _bounded(data)
    refuse_bombs(data)
    try:
        found = get_xlsform(xlsform=data, file_type=suffix)
    except (PyXFormError, *_CRASHES) as error:
        reason = _words(error)
        if "not recognized as a supported type" in reason:
            reason = _("it is none")
        problem = FormProblem(
            "workbook.unreadable",
            _("The workbook cannot be read: {reason}").format(reason=reason),
            _("Open it in a spreadsheet program and save it again."),
        )
        raise FormError([problem]) from None
    sheets = {name: getattr(found, name) for name in found.__dataclass_fields__}
    sheets["fallback_form_name"] = None
    return _convert({key: value for key, value in sheets.items() if value is not None}, stem)


_CRASHES = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OSError, zipfile.BadZipFile)
"""What pyxform and the readers under it raise for files that they did not foresee."""


def _convert(sheets: dict[str, Any], stem: str) -> Converted:
    from pyxform.errors import PyXFormError  # see convert_file
    from pyxform.xls2xform import convert

    _refuse_depth(sheets.get("survey") or ())
    rows = RowMap({name: sheets[name] for name in SHEETS if sheets.get(name)})
    for name, sheet in rows.sheets.items():
        most = MAX_QUESTIONS if name == "survey" else MAX_ROWS
        if len(sheet) > most:
            message = _("The sheet {name} has more than {n} rows.").format(name=name, n=most)
            remedy = _("Put long lists in a CSV file beside the form.")
            raise FormError([FormProblem("sheet.size", message, remedy, Origin(name, most + 2))])
    warnings: list[str] = []
    try:
        result = convert({**sheets, "fallback_form_name": stem or None}, warnings=warnings)
    except (PyXFormError, *_CRASHES) as error:
        said = explained(_words(error), rows)
        raise FormError([FormProblem("workbook", said.message, said.remedy, said.origin)]) from None
    media = {"itemsets.csv": result.itemsets.encode()} if result.itemsets else {}
    return Converted(result.xform.encode(), rows, tuple(warnings), media)


def _refuse_depth(survey: Rows) -> None:
    """The converter needs memory by the square of the depth, and the engine reads MAX_NESTED levels at most."""
    row = too_deep(survey, MAX_NESTED)
    if row:
        message = _("Groups and repeats are nested more than {n} deep.").format(n=MAX_NESTED)
        remedy = _("End each group after the last question that belongs to it.")
        raise FormError([FormProblem("sheet.depth", message, remedy, Origin("survey", row, "type"))])


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _bounded(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        message = _("The file is larger than {n} MiB.").format(n=MAX_BYTES // 2**20)
        raise FormError([FormProblem("workbook.size", message)])
