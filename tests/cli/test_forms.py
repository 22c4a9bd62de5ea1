"""`fieldsurvey forms check|show|simulate`: exit codes, JSON, and what broken workbooks get. All data is synthetic."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from fieldsurvey.cli.forms import app

HEAD = ["type", "name", "label"]
Sheets = dict[str, list[list[str]]]


def workbook(sheets: Sheets) -> bytes:
    """An .xlsx with these sheets."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, everything printed); a traceback is an error of the test."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def checked(folder: Path, data: bytes, name: str = "form.xlsx") -> list[dict[str, Any]]:
    """The problems of a form that is refused, by --json."""
    path = folder / name
    path.write_bytes(data)
    code, output = run("check", str(path), "--json")
    assert code == 1
    problems: list[dict[str, Any]] = json.loads(output)["problems"]
    code, text = run("check", str(path))
    assert code == 1
    assert problems[0]["message"] in text
    return problems


def survey(*rows: list[str], head: list[str] | None = None, **sheets: list[list[str]]) -> bytes:
    """A workbook by the rows of its survey sheet."""
    return workbook({"survey": [head or HEAD, *rows], **sheets})


CHOICES = [["list_name", "name", "label"], ["yes_no", "yes", "Yes"], ["yes_no", "no", "No"]]
BROKEN: list[tuple[str, bytes, str, int, str, str]] = [
    ("no survey sheet", workbook({"choices": CHOICES}), "survey", 1, "type", "survey"),
    ("unknown type", survey(["text", "a", "A"], ["integr", "b", "B"]), "survey", 3, "type", "integer"),
    ("group not ended", survey(["begin group", "g", "G"], ["text", "a", "A"]), "survey", 2, "type", "end group"),
    ("group not begun", survey(["text", "a", "A"], ["end group", "", ""]), "survey", 3, "type", "begin group"),
    (
        "crossed",
        survey(
            ["begin group", "g", "G"], ["begin repeat", "r", "R"], ["text", "a", "A"], ["end group"], ["end repeat"]
        ),
        "survey",
        5,
        "type",
        "began last",
    ),
    ("a name twice", survey(["text", "a", "A"], ["text", "a", "B"]), "survey", 3, "name", "another name"),
    (
        "unknown reference",
        survey(["text", "town", "A", ""], ["text", "b", "B", "${twon} = 1"], head=[*HEAD, "relevant"]),
        "survey",
        3,
        "relevant",
        "town",
    ),
    (
        "no XPath",
        survey(["text", "a", "A", ""], ["text", "b", "B", "${a} = = 1"], head=[*HEAD, "relevant"]),
        "survey",
        3,
        "relevant",
        "just before",
    ),
    (
        "a cycle",
        survey(["calculate", "a", "", "${b} + 1"], ["calculate", "b", "", "${a} + 1"], head=[*HEAD, "calculation"]),
        "survey",
        2,
        "calculation",
        "circle",
    ),
    ("no choices sheet", survey(["select_one yes_no", "a", "A"]), "choices", 1, "", "list_name"),
    ("no such list", survey(["select_one yesno", "a", "A"], choices=CHOICES), "survey", 2, "type", "yes_no"),
    ("no name", survey(["text", "", "A"]), "survey", 2, "name", "column name"),
    ("no type", survey(["", "a", "A"]), "survey", 2, "type", "type"),
    ("no label", survey(["text", "a", ""]), "survey", 2, "label", "label"),
    (
        "a choice twice",
        survey(["select_one yes_no", "a", "A"], choices=[*CHOICES, ["yes_no", "no", "Not"]]),
        "choices",
        4,
        "name",
        "another name",
    ),
    (
        "a choice with a space",
        survey(["select_multiple yes_no", "a", "A"], choices=[*CHOICES, ["yes_no", "not sure", "?"]]),
        "choices",
        4,
        "name",
        "underscore",
    ),
    (
        "a range without numbers",
        survey(["range", "a", "A", "start=low end=5 step=1"], head=[*HEAD, "parameters"]),
        "survey",
        2,
        "parameters",
        "start=0",
    ),
]


@pytest.mark.parametrize(
    ("data", "sheet", "row", "column", "remedy"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_workbook_says_where_and_what_to_change(
    tmp_path: Path, data: bytes, sheet: str, row: int, column: str, remedy: str
) -> None:
    """Sheet, row and column of the fault, and a remedy that fits it; never a traceback."""
    problem = checked(tmp_path, data)[0]
    assert (problem["sheet"], problem["row"], problem["column"]) == (sheet, row, column)
    assert remedy.lower() in (problem["remedy"] or "").lower() or not remedy


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("form.xlsx", b""),
        ("form.xlsx", b"PK\x03\x04 broken"),
        ("form.xls", b"\xd0\xcf\x11\xe0 broken"),
        ("form.bin", b"\x89PNG\r\n\x1a\n" + bytes(50)),
        ("form.pdf", b"%PDF-1.4 a survey"),
        ("form.csv", b"\xff\xfe\x00\x01\x02"),
        ("form.md", b""),
        ("form.xml", b""),
        ("form.xml", b"<a>" * 300),
    ],
)
def test_what_is_no_workbook_is_refused_with_words(tmp_path: Path, name: str, data: bytes) -> None:
    """Empty files, pictures, broken archives."""
    problem = checked(tmp_path, data, name)[0]
    assert problem["message"]


def test_a_missing_file_is_named() -> None:
    """Exit 1 and the path."""
    code, output = run("check", "nowhere.xlsx")
    assert code == 1
    assert "nowhere.xlsx" in output


def inflated(data: bytes, filler: bytes, dimension: str) -> bytes:
    """The workbook with more rows in its first sheet than it was made with."""
    source, made = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                content = re.sub(rb'<dimension ref="[^"]*" */>', f'<dimension ref="{dimension}"/>'.encode(), content)
                content = content.replace(b"</sheetData>", filler + b"</sheetData>")
            target.writestr(entry, content)
    return made.getvalue()


def test_an_archive_that_unpacks_to_hundreds_of_megabytes_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip bomb: 300 MB of one letter in a few hundred kilobytes; the reader of workbooks is never called."""
    cell = b'<row r="3"><c r="A3" t="inlineStr"><is><t>' + b"x" * 300_000_000 + b"</t></is></c></row>"
    data = inflated(survey(["text", "a", "A"]), cell, "A1:C3")
    assert len(data) < 1_000_000
    monkeypatch.setattr("pyxform.xls2json_backends.get_xlsform", _never)
    assert checked(tmp_path, data)[0]["code"] == "workbook.size"


def test_a_sheet_of_a_million_rows_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are counted in the packed file."""
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(3, 1_000_003))
    data = inflated(survey(["text", "a", "A"]), rows, "A1:C1000002")
    monkeypatch.setattr("pyxform.xls2json_backends.get_xlsform", _never)
    problem = checked(tmp_path, data)[0]
    assert problem["code"] == "workbook.size"
    assert "rows" in problem["message"]
    assert problem["remedy"]


def test_a_text_workbook_of_a_million_rows_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for .csv and .md."""
    monkeypatch.setattr("pyxform.xls2json_backends.get_xlsform", _never)
    assert (
        checked(tmp_path, b"survey,,\n,type,name\n" + b",text,a\n" * 1_000_000, "form.csv")[0]["code"]
        == "workbook.size"
    )


def _never(*_arguments: object, **_keywords: object) -> None:
    pytest.fail("the workbook was read")


# -- forms that load ---------------------------------------------------------------------------------------------------

GOOD = survey(["text", "a", "A"], ["integer", "b", "B"])


def test_a_good_form_checks_with_exit_0(tmp_path: Path) -> None:
    """Totals in words and in JSON."""
    path = tmp_path / "form.xlsx"
    path.write_bytes(GOOD)
    code, output = run("check", str(path))
    assert code == 0
    assert "2 run in full" in output
    code, output = run("check", str(path), "--json")
    data = json.loads(output)
    assert data["ok"] is True
    assert data["totals"]["full"] == 2
    assert [row["name"] for row in data["rows"]] == ["a", "b"]


def test_what_is_refused_or_an_error_exits_1(tmp_path: Path) -> None:
    """osm cannot run here; a constraint that nothing satisfies is an error; a warning alone is neither."""
    path = tmp_path / "form.xlsx"
    path.write_bytes(survey(["text", "a", "A"], ["osm", "o", "O"]))
    code, output = run("check", str(path))
    assert code == 1
    assert "Cannot run here: survey, row 3, column type: osm" in output
    head = [*HEAD, "constraint", "relevant"]
    path.write_bytes(survey(["integer", "a", "A", ". > 2 and . < 1", ""], head=head))
    assert run("check", str(path))[0] == 1
    path.write_bytes(survey(["integer", "a", "A", "", ""], ["text", "b", "B", "", "${a} > 2 and ${a} < 1"], head=head))
    assert run("check", str(path))[0] == 0
    assert run("check", str(path), "--strict")[0] == 1


def test_own_tests_run_unless_told_not_to(tmp_path: Path) -> None:
    """A failure names file and step, and exits 1."""
    path = tmp_path / "form.xlsx"
    path.write_bytes(GOOD)
    (tmp_path / "tests").mkdir()
    steps = [{"answer": {"/data/b": "3"}}, {"expect": {"/data/b": {"value": "4"}}}]
    (tmp_path / "tests" / "wrong.json").write_text(json.dumps(steps), encoding="utf-8")
    code, output = run("check", str(path))
    assert code == 1
    assert "wrong.json: step 2: /data/b value" in output
    assert run("check", str(path), "--no-tests")[0] == 0


def test_the_built_in_forms_are_clean() -> None:
    """Nothing refused, no error, no warning."""
    for name in ("needs", "assembly"):
        code, output = run("check", name, "--strict", "--json")
        assert code == 0, output
        assert json.loads(output)["totals"]["refused"] == 0


def test_show_prints_markdown(tmp_path: Path) -> None:
    """A heading and the questions."""
    path = tmp_path / "form.xlsx"
    path.write_bytes(GOOD)
    code, output = run("show", str(path), "--rows")
    assert code == 0
    assert output.startswith("# form\n")
    assert "- **`b`** integer (row 3)" in output


def test_simulate_reports_branches(tmp_path: Path) -> None:
    """What was taken, what was missed, in words and JSON; --out keeps the instances."""
    path = tmp_path / "form.xlsx"
    head = [*HEAD, "relevant"]
    path.write_bytes(survey(["integer", "a", "A", ""], ["text", "b", "B", "${a} = 7777"], head=head))
    code, output = run("simulate", str(path), "-n", "8", "--out", str(tmp_path / "out"), "--json")
    data = json.loads(output)
    assert code == 0
    assert data["branches"]["all"] == data["branches"]["taken"] == 2
    assert len(list((tmp_path / "out").glob("*.xml"))) == 8
    code, output = run("simulate", str(path), "-n", "3", "--no-steer")
    assert code == 0
    assert "1 of 2 branches taken" in output
    assert "(row 3): never asked: ${a} = 7777" in output
