"""Writes the files of a release into a folder, each whole or not at all."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.needs.export.hxl import TAGS, hxl_frame
from fieldsurvey.needs.export.sheets import Reading, sheets
from fieldsurvey.needs.export.workbook import workbook
from fieldsurvey.needs.report.content import ReportContent


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    workbook: Path
    tables: tuple[Path, ...]
    hxl: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.workbook, *self.tables, *((self.hxl,) if self.hxl else ()))


def export_release(release: ReportContent, folder: Path, language: str = "es") -> Exported:
    """`tables.xlsx`, `csv/*.csv` and `needs.hxl.csv` in `folder`, which is made.

    Raises UnprotectedError for a release that is not protected (nothing is written then), NoWordsError, StorageError.
    """
    reading = Reading.of(release, language)
    found = sheets(reading)
    tagged = hxl_frame(reading)
    book = workbook(reading, found)
    try:
        (folder / "csv").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    paths = []
    for sheet in found:
        path = folder / "csv" / f"{sheet.id}.csv"
        write_atomic(path, csv_bytes(sheet.frame))
        paths.append(path)
    hxl: Path | None = None
    if tagged is not None:
        hxl = folder / "needs.hxl.csv"
        write_atomic(hxl, csv_bytes(tagged, tags=list(TAGS.values())))
    target = folder / "tables.xlsx"
    write_atomic(target, book)
    return Exported(target, tuple(paths), hxl)


def csv_bytes(frame: pl.DataFrame, tags: list[str] | None = None) -> bytes:
    """UTF-8 with a byte order mark, so that a double click in a spreadsheet program shows accents."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(frame.columns)
    if tags is not None:
        writer.writerow(tags)
    writer.writerows([_safe(value) for value in row] for row in frame.iter_rows())
    return out.getvalue().encode("utf-8-sig")


def _safe(value: object) -> object:
    """Text that a spreadsheet program would take for a formula gets an apostrophe (OWASP, "CSV Injection")."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return "" if value is None else value
