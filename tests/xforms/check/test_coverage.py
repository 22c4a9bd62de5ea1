"""How each row of a form runs here."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.check import Covered, Kind, check_form, refusals, render_report
from fieldsurvey.xforms.check.features import base_type
from tests.xforms.scenario import table, xform

CHOICES = "| list_name | name | label | image |\n| l | a | A | a.png |\n| l | b | B | |"


def rows(survey: str, choices: str = "", settings: str = "") -> dict[str, Covered]:
    """The rows of a workbook by name."""
    return {row.name: row for row in check_form(load_form(table(survey, choices, settings))).rows}


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("| text | q | Q | multiline | |", Kind.FULL),
        ("| integer | q | Q | counter | |", Kind.FULL),
        ("| range | q | Q | | start=0 end=5 step=1 |", Kind.FULL),
        ("| select_one l | q | Q | minimal | randomize=true |", Kind.FULL),
        ("| select_multiple l | q | Q | columns-2 | |", Kind.ADAPTED),
        ("| geopoint | q | Q | | |", Kind.ADAPTED),
        ("| geotrace | q | Q | placement-map | |", Kind.ADAPTED),
        ("| image | q | Q | signature | max-pixels=800 |", Kind.REFUSED),
        ("| audio | q | Q | | quality=normal |", Kind.REFUSED),
        ("| video | q | Q | | |", Kind.REFUSED),
        ("| file | q | Q | | |", Kind.REFUSED),
        ("| text | q | Q | numbers | |", Kind.ADAPTED),
        ("| select_one l | q | Q | likert | |", Kind.ADAPTED),
        ("| integer | q | Q | tally | |", Kind.FULL),
        ("| integer | q | Q | pebbles | |", Kind.FULL),
        ("| decimal | q | Q | pairwise | |", Kind.ADAPTED),
        ("| range | q | Q | | start=0 end=10 step=1 tick_interval=5 |", Kind.ADAPTED),
        ("| email | q | | | |", Kind.ADAPTED),
        ("| username | q | | | |", Kind.FULL),
        ("| barcode | q | Q | | |", Kind.ADAPTED),
        ("| date | q | Q | ethiopian | |", Kind.ADAPTED),
        ("| text | q | Q | blinking | |", Kind.ADAPTED),
        ("| background-audio | q | | | |", Kind.ADAPTED),
        ("| select_one_from_file t.csv | q | Q | | |", Kind.ATTACHED),
        ("| select one from file t.geojson | q | Q | | |", Kind.ATTACHED),
        ("| osm | q | Q | | |", Kind.REFUSED),
        ("| text | q | Q | ex:org.example.app(id='a b') | |", Kind.REFUSED),
    ],
)
def test_each_row_has_its_kind_with_reason_and_place(row: str, kind: Kind) -> None:
    """Full rows say nothing; the others say why, and refused ones what to do, at their cell."""
    covered = rows(f"| type | name | label | appearance | parameters |\n| text | z | Z | | |\n{row}", CHOICES)["q"]
    assert covered.kind is kind
    assert bool(covered.parts) is (kind is not Kind.FULL)
    for part in covered.parts:
        assert part.reason
        assert part.origin is not None
        assert (part.origin.sheet, part.origin.row) == ("survey", 3)
        if part.kind is Kind.REFUSED:
            assert part.remedy


def test_columns_settings_and_lists_have_their_kinds_too() -> None:
    """Pictures of labels and of choices need files; the style of web forms has no effect."""
    survey = "| type | name | label | image |\n| select_one l | q | Q | q.png |\n| calculate | c | | |"
    found = rows(
        survey.replace("| calculate | c | | |", "| audit | audit | | |"), CHOICES, "| form_id | style |\n| f | pages |"
    )
    assert found["q"].kind is Kind.ATTACHED
    assert found["a"].kind is Kind.ATTACHED
    assert found["b"].kind is Kind.FULL
    assert found["style"].kind is Kind.ADAPTED
    assert found["form_id"].kind is Kind.FULL
    assert found["audit"].kind is Kind.ADAPTED


def test_a_file_that_is_there_is_said_to_be_there(tmp_path: Path) -> None:
    """Of lists in files, and of those that pulldata() names; only missing ones have a remedy and show by default."""
    survey = """
| type | name | label | calculation |
| select_one_from_file t.csv | q | Q | |
| calculate | c | | pulldata('people', 'name', 'id', ${q}) |
"""
    path = tmp_path / "form.md"
    path.write_bytes(table(survey))
    (tmp_path / "t.csv").write_text("name,label\na,A\n", encoding="utf-8")
    report = check_form(load_form(path))
    parts = {part.name: part for row in report.rows for part in row.parts}
    assert parts["t.csv"].remedy == ""
    assert "people.csv" in parts["people.csv"].remedy
    assert parts["people.csv"].origin is not None
    assert parts["people.csv"].origin.row == 3
    text = "\n".join(render_report(report))
    assert "people.csv" in text
    assert "t.csv" not in text
    assert "t.csv" in "\n".join(render_report(report, every=True))


def test_a_file_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not UTF-8, no XML, too many rows: an interview would offer nothing, so the form is refused with the row."""
    monkeypatch.setattr("fieldsurvey.xforms.program.lists.MAX_ROWS", 3)
    for name, data in (
        ("t.csv", b"name,label\n\xff\xfe,x\n"),
        ("t.csv", b"name,label\n" + b"a,b\n" * 4),
        ("t.xml", b"<root><item>"),
        ("t.geojson", b"[]"),
    ):
        source = table(f"| type | name | label |\n| text | z | Z |\n| select_one_from_file {name} | q | Q |")
        (problem,) = check_form(load_form(source, {name: data})).refused
        assert name in problem.message
        assert problem.origin is not None
        assert problem.origin.row == 3
    sound = table("| type | name | label |\n| select_one_from_file t.csv | q | Q |")
    assert check_form(load_form(sound, {"t.csv": b"name,label\na,A\n"})).ok


def test_an_xform_is_covered_by_its_controls() -> None:
    """The same kinds, with lines for rows."""
    body = (
        '<input ref="/data/a" appearance="ex:org.example.app"><label>A</label></input>'
        '<upload ref="/data/b" mediatype="image/*"><label>B</label></upload>'
        '<upload ref="/data/c" mediatype="osm/*"><label>C</label></upload><input ref="/data/d"><label>D</label></input>'
    )
    binds = '<bind nodeset="/data/b" type="binary"/><bind nodeset="/data/d" type="geopoint"/>'
    report = check_form(load_form(xform("<a/><b/><c/><d/>", binds, body)))
    kinds = {row.name: (row.type, row.kind) for row in report.rows}
    assert kinds == {
        "a": ("text", Kind.REFUSED),
        "b": ("image", Kind.REFUSED),
        "c": ("osm", Kind.REFUSED),
        "d": ("geopoint", Kind.ADAPTED),
    }
    assert not report.ok
    assert [problem.code for problem in report.refused] == ["refused"] * 3
    assert refusals(load_form(xform("<a/><b/><c/><d/>", binds, body))) == report.refused
    assert all(problem.origin is not None and problem.origin.sheet == "XML" for problem in report.refused)


def test_what_the_application_does_not_hand_in_is_said() -> None:
    """The record saved last, and whoever could check a signature; of a workbook and of an XForm."""
    found = rows(
        "| type | name | label | default | calculation |\n| text | q | Q | ${last-saved#q} | |\n"
        "| calculate | c | | | extract-signed(${q}, 'x') |"
    )
    assert [part.name for part in found["q"].parts] == ["last-saved"]
    assert [part.name for part in found["c"].parts] == ["extract-signed()"]
    model = '<instance id="last-saved" src="jr://instance/last-saved"/>'
    report = check_form(load_form(xform("<a/>", "", '<input ref="/data/a"><label>A</label></input>', model)))
    assert [part.name for row in report.rows for part in row.parts] == ["last-saved"]


def test_totals_count_every_row_once() -> None:
    """Groups, questions, choices, settings."""
    report = check_form(
        load_form(
            table(
                "| type | name | label |\n| begin group | g | G |\n| select_one l | q | Q |\n| end group | | |", CHOICES
            )
        )
    )
    assert report.as_dict()["totals"] == {"full": 3, "adapted": 0, "attached": 1, "refused": 0}


@pytest.mark.parametrize(
    ("text", "kind", "rest"),
    [
        ("select_one yes_no or_other", "select_one", "yes_no or_other"),
        ("select one yes_no", "select_one", "yes_no"),
        ("select all that apply from crops", "select_multiple", "crops"),
        ("select_multiple_from_file a.csv", "select_multiple_from_file", "a.csv"),
        ("begin_repeat", "begin_repeat", ""),
        ("begin group", "begin_group", ""),
        ("end  group", "end_group", ""),
        ("photo", "image", ""),
        ("text", "text", ""),
    ],
)
def test_types_are_known_by_all_their_names(text: str, kind: str, rest: str) -> None:
    """XLSForm has many words for one type."""
    assert base_type(text) == (kind, rest)


def test_many_findings_of_a_kind_are_told_together() -> None:
    """Compact by default, one by one on demand."""
    survey = (
        "| type | name | label::A | label::B |\n"
        + "\n".join(f"| text | q{n} | Q | |" for n in range(9))
        + "\n| text | z | Z | Z |"
    )
    report = check_form(load_form(table(survey)))
    told = [line for line in render_report(report) if "translation.missing" in line]
    assert len(told) == 1
    assert "8 more like it: 3, 4, 5, 6, 7, 8, 9, 10" in told[0]
    assert len([line for line in render_report(report, every=True) if "translation.missing" in line]) == 9


def test_functions_are_listed() -> None:
    """Those of every column, once each."""
    survey = "| type | name | label | relevant | calculation |\n| integer | n | N | not(${c} = 1) | |\n"
    report = check_form(load_form(table(survey + "| calculate | c | | | if(today() > 1, round(now(), 2), once(3)) |")))
    assert report.functions == (
        "if",
        "not",
        "now",
        "once",
        "round",
        "today",
        "true",
    )  # true(): the instance id is read-only
