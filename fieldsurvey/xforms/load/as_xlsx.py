"""A form's sheets as an .xlsx workbook, for ODK Central, KoboToolbox, Ona and everything else that reads XLSForm.

Every cell is text, as it stands in the CSV, so that `0101` keeps its zero; rows keep their numbers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.load.workbook import SHEETS, read_sheet

LONGEST = 32_767
"""Characters that a cell of a spreadsheet holds."""
MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""The workbook's date: the same form gives the same bytes."""
WIDTHS = {"label": 60, "hint": 40, "relevant": 40, "calculation": 40, "constraint": 40, "type": 28, "name": 24}

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its header and its rows, empty ones included."""

    name: str
    header: tuple[str, ...]
    rows: Rows


def to_xlsx(form: LoadedForm, folder: Path | None = None) -> bytes:
    """The workbook of a form that came from one, or from a folder (name it: the order of its columns is kept).

    Raises FormError for an XForm, which has no sheets, and for a cell that a spreadsheet cannot hold.
    """
    sheets = _from_folder(folder) if folder is not None else _from_rows(form)
    if not any(sheet.name == "survey" for sheet in sheets):
        message = _("An XForm has no sheets to write.")
        raise FormError([FormProblem("workbook.none", message, _("Name the workbook or the folder it was made from."))])
    return _written([*_named(sheets, form)])


def _from_folder(folder: Path) -> list[Sheet]:
    made = []
    for name in SHEETS:
        path = folder / f"{name}.csv"
        if path.is_file():
            rows, header = read_sheet(path.read_bytes(), name)
            made.append(Sheet(name, tuple(header), rows))
    return made


def _from_rows(form: LoadedForm) -> list[Sheet]:
    found = form.source.rows
    made = []
    for name, rows in found.sheets.items() if found is not None else ():
        header = dict.fromkeys(str(column) for row in rows for column in row)
        made.append(Sheet(name, tuple(header), rows))
    return made


def _named(sheets: list[Sheet], form: LoadedForm) -> list[Sheet]:
    """The sheets with the form's id in settings: without it a converter takes the name of the file."""
    made = []
    for sheet in sheets:
        if sheet.name == "settings" and "form_id" not in sheet.header and "id_string" not in sheet.header:
            rows = [{**row, "form_id": form.id} if number == 0 else row for number, row in enumerate(sheet.rows)]
            made.append(Sheet("settings", (*sheet.header, "form_id"), rows or [{"form_id": form.id}]))
        else:
            made.append(sheet)
    if all(sheet.name != "settings" for sheet in made):
        made.append(Sheet("settings", ("form_id",), [{"form_id": form.id}]))
    return made


def _written(sheets: Sequence[Sheet]) -> bytes:
    import xlsxwriter  # authors only: laptops, which receive compiled forms, do not have it

    data = io.BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(data, options)
    book.set_properties({"created": MADE})
    bold, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        page.freeze_panes(1, 0)
        for at, column in enumerate(sheet.header):
            page.set_column(at, at, WIDTHS.get(column.partition(":")[0].strip().lower(), 18), text)
            page.write_string(0, at, column, bold)
        for number, row in enumerate(sheet.rows, start=1):
            for at, column in enumerate(sheet.header):
                value = "" if row.get(column) is None else str(row[column])
                if len(value) > LONGEST:
                    raise FormError([_too_long(Origin(sheet.name, number + 1, column))])
                if value:
                    page.write_string(number, at, value, text)
    book.close()
    return data.getvalue()


def _too_long(origin: Origin) -> FormProblem:
    message = _("A cell of a spreadsheet holds {n} characters at most.").format(n=LONGEST)
    return FormProblem("workbook.cell", message, _("Divide the text, or the expression, in two."), origin)
