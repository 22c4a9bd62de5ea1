"""The workbook: a sheet on method first, then one sheet a table, ready to sort and filter."""

from __future__ import annotations

import io
from typing import Any, Final

import polars as pl

from fieldsurvey.needs.export.sheets import Reading, Sheet
from fieldsurvey.needs.tables import NOT_ASKED, NOT_VISITED, SUPPRESSED

_WIDEST: Final = 44
_SHADES: Final = {SUPPRESSED: 4, NOT_ASKED: 17, NOT_VISITED: 18}  # Excel's fill patterns: never colour alone


def workbook(reading: Reading, sheets: list[Sheet]) -> bytes:
    """The .xlsx. The same release gives the same cells; the file's dates are those of the release."""
    import xlsxwriter  # start-up: only exports need it

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    issued = reading.release.issued
    book.set_properties({"title": _title(reading), "created": issued, "author": reading.release.project})
    styles = _styles(book)
    _method(book, styles, reading, sheets)
    for sheet in sheets:
        _table(book, styles, sheet, reading)
    book.close()
    return out.getvalue()


def _title(reading: Reading) -> str:
    return f"{reading.release.project}: {reading.release.round_title}"


def _styles(book: Any) -> dict[str, Any]:
    styles = {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF2"}),
        "bold": book.add_format({"bold": True, "valign": "top"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "number": book.add_format({"num_format": "#,##0"}),
        "share": book.add_format({"num_format": "0"}),
    }
    styles |= {
        status: book.add_format({"pattern": pattern, "fg_color": "#B8C4CC"}) for status, pattern in _SHADES.items()
    }
    return styles


def _method(book: Any, styles: dict[str, Any], reading: Reading, sheets: list[Sheet]) -> None:
    words, release = reading.words, reading.release
    page = book.add_worksheet(words("export.method"))
    page.set_column(0, 0, 30)
    page.set_column(1, 1, 96)
    page.write_string(0, 0, _title(reading), styles["title"])
    lines = [
        (words("export.dates"), f"{words.day(release.start)} – {words.day(release.end)}"),
        (words("export.release"), f"{release.release}, {words.day(release.issued)}"),
        (words("export.forms"), "; ".join(f"{f.id} {f.version}" for f in release.forms)),
        (
            words("export.thresholds"),
            words("export.limits", cell=release.limits.k_cell, base=release.limits.k_base),
        ),
        *((words("export.read"), line) for line in words.lines("export.caveats")),
        *((words("export.read"), line) for line in release.caveats.get(words.language, ())),
        *((words(f"marks.{status}"), words(f"marks.{status}_text")) for status in ("zero", *_SHADES)),
    ]
    if release.simulated:
        lines.insert(0, (words("export.simulated_name"), words("export.simulated")))
    for row, (name, text) in enumerate(lines, 2):
        page.write_string(row, 0, name, styles["bold"])
        page.write_string(row, 1, text, styles["text"])
    below = len(lines) + 4
    page.write_string(below - 1, 0, words("export.sheets"), styles["bold"])
    for row, sheet in enumerate(sheets, below):
        page.write_url(row, 0, f"internal:'{_name(sheet)}'!A1", string=_name(sheet))
        page.write_string(row, 1, f"{sheet.title}. {sheet.about}", styles["text"])


def _name(sheet: Sheet) -> str:
    return sheet.id[:31]


def _table(book: Any, styles: dict[str, Any], sheet: Sheet, reading: Reading) -> None:
    page = book.add_worksheet(_name(sheet))
    frame = sheet.frame
    for column, name in enumerate(frame.columns):
        head = reading.words(f"column.{name}") if reading.words.has(f"column.{name}") else name
        page.write_string(0, column, head, styles["head"])
        values = frame[name].to_list()
        longest = max((len(str(v)) for v in values if v is not None), default=0)
        page.set_column(column, column, min(_WIDEST, max(len(head) // 2 + 2, longest + 2)))
        statuses = _status_of(frame, name)
        for row, value in enumerate(values, 1):
            if value is None:
                page.write_blank(row, column, None, styles.get(statuses[row - 1]))
            elif isinstance(value, bool):
                page.write_boolean(row, column, value)
            elif isinstance(value, int | float):
                page.write_number(row, column, value, styles["share" if name == "pct" else "number"])
            else:
                page.write_string(row, column, str(value))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, frame.height, frame.width - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _status_of(frame: pl.DataFrame, column: str) -> list[str]:
    """The status that explains an empty cell of `column`; "" where none does."""
    by = "asked_status" if column == "asked" and "asked_status" in frame.columns else "status"
    numbers = {"asked", "serious", "pct", "rank", "n", "base"}
    return frame[by].to_list() if by in frame.columns and column in numbers else [""] * frame.height
