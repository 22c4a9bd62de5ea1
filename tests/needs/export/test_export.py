"""Files of a release hold what may be shown, with codes and labels, and nothing else. All data is synthetic."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.needs.export import export_release, files
from fieldsurvey.needs.export.files import csv_bytes
from fieldsurvey.needs.export.hxl import TAGS
from fieldsurvey.needs.report.errors import UnprotectedError
from tests.needs.report.made import release


def rows_of(path: Path) -> list[dict[str, str]]:
    """A CSV read by code that did not write it."""
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_table_is_a_csv_and_a_sheet(tmp_path: Path, language: str) -> None:
    """The workbook opens elsewhere, starts with the method, and has one sheet a CSV with as many rows."""
    made = export_release(release(), tmp_path, language)
    book = openpyxl.load_workbook(made.workbook)
    assert book.sheetnames[0] in {"Método", "Method"}
    assert book.sheetnames[1:] == [path.stem[:31] for path in made.tables]
    for path in made.tables:
        assert book[path.stem[:31]].max_row == len(rows_of(path)) + 1
    assert {"needs_person_province", "needs_person_parish", "parishes"} <= {path.stem for path in made.tables}


def test_a_suppressed_cell_is_empty_everywhere(tmp_path: Path) -> None:
    """Where the status is not `published` the number is empty, in CSV and workbook; and there are such cells."""
    made = export_release(release(), tmp_path)
    kept_back = 0
    for path in made.tables:
        for row in rows_of(path):
            if row.get("status") not in {None, "published"}:
                kept_back += 1
                assert not row.get("serious")
                assert not row.get("n")
    assert kept_back
    book = openpyxl.load_workbook(made.workbook)
    page = book["needs_person_parish"]
    heads = [cell.value for cell in page[1]]
    serious, status = heads.index("Dijeron que sí"), heads.index("Estado")
    cells = [(row[serious].value, row[status].value) for row in page.iter_rows(min_row=2)]
    assert all(value is None for value, said in cells if said != "published")
    assert any(said == "suppressed" for _value, said in cells)


def test_a_number_that_is_not_published_is_refused(tmp_path: Path) -> None:
    """Control: a planted number beside a status that says suppressed stops the export before a file is written."""
    whole = release()
    frame = whole.needs[0]
    bad = frame.with_columns(pl.when(pl.col("status") == "suppressed").then(3).otherwise("serious").alias("serious"))
    with pytest.raises(UnprotectedError):
        export_release(replace(whole, needs=(bad,)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_hxl_says_people_consulted_never_people_in_need(tmp_path: Path) -> None:
    """The tag row is the one decided, and the words that would make respondents into a population are absent."""
    made = export_release(release(), tmp_path)
    assert made.hxl is not None
    lines = made.hxl.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].split(",") == list(TAGS.values())
    whole = made.hxl.read_text(encoding="utf-8-sig")
    assert not re.search(r"#inneed|#affected|#population", whole)
    planted = whole.replace("#beneficiary+code", "#affected")
    assert re.search(r"#inneed|#affected|#population", planted)


def test_text_cannot_become_a_formula() -> None:
    """A label that begins like a formula is quoted in CSV."""
    frame = pl.DataFrame({"label": ["=1+1", "plain", None]})
    assert csv_bytes(frame).decode("utf-8-sig").splitlines() == ["label", "'=1+1", "plain", '""']


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The typed error comes out; what stands in the folder is whole."""

    def full(path: Path, chunks: bytes, **_: object) -> str:
        raise NoSpaceError(place=str(path))

    monkeypatch.setattr(files, "write_atomic", full)
    with pytest.raises(StorageError):
        export_release(release(), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
