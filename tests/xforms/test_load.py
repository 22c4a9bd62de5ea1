"""Loading: what forms come as, and what is refused with sheet, row and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.xforms import FormError, load_form
from fieldsurvey.xforms.load.source import FormFileError
from tests.xforms.scenario import form, now, table, value, xform

SURVEY = """
| type | name | label |
| text | name | Name |
| begin group | place | Place |
| integer | age | Age |
| end group | | |
"""


def problems(source: bytes) -> list[tuple[str, str, int]]:
    """(code, sheet, row) of every problem."""
    with pytest.raises(FormError) as caught:
        load_form(source)
    return [
        (p.code, p.origin.sheet if p.origin else "", p.origin.row if p.origin else 0) for p in caught.value.problems
    ]


def test_a_markdown_workbook_loads_with_the_origin_of_each_row() -> None:
    """Every question knows its sheet and its row, counted as a spreadsheet does."""
    interview = form(SURVEY).start(now=now, seed=1)
    origin = interview.question("/data/place/age").origin
    assert origin is not None
    assert (origin.sheet, origin.row) == ("survey", 4)


def test_a_folder_of_csv_sheets_and_the_xform_made_from_it_are_the_same_form(tmp_path: Path) -> None:
    """One CSV per sheet is a workbook; its XForm, loaded directly, has the same nodes."""
    (tmp_path / "survey.csv").write_text("type,name,label\ntext,name,Name\n\ninteger,age,Age\n", encoding="utf-8")
    (tmp_path / "settings.csv").write_text("form_id,version\nsynthetic,7\n", encoding="utf-8")
    loaded = load_form(tmp_path)
    assert (loaded.id, loaded.version) == ("synthetic", "7")
    assert [node.path for node in load_form(loaded.xml).nodes] == [node.path for node in loaded.nodes]
    origin = loaded.start(now=now, seed=1).question("/data/age").origin
    assert origin is not None
    assert origin.row == 4, "the empty row counts"


def test_files_beside_a_form_are_found(tmp_path: Path) -> None:
    """A list in a CSV file beside the workbook is read when the question is asked."""
    path = tmp_path / "form.md"
    path.write_bytes(table("| type | name | label |\n| select_one_from_file towns.csv | town | Town |"))
    (tmp_path / "towns.csv").write_text("name,label\na,Alpha\nb,Beta\n", encoding="utf-8")
    question = load_form(path).start(now=now, seed=1).question("/data/town")
    assert [(choice.value, choice.label) for choice in question.choices] == [("a", "Alpha"), ("b", "Beta")]


def test_what_the_converter_refuses_names_the_row() -> None:
    """A workbook that pyxform refuses becomes a FormError at the row it means."""
    assert problems(table("| type | name | label |\n| text | a b | Name |")) == [("workbook", "survey", 2)]
    assert problems(table("| type | name | label |\n| text | a | A |\n| integr | b | B |")) == [
        ("workbook", "survey", 3)
    ]
    assert problems(table("| type | name | label | relevant |\n| text | a | A | ${nobody} = 1 |")) == [
        ("workbook", "survey", 2)
    ]


@pytest.mark.parametrize(
    ("calculation", "code"),
    [
        ("1 +", "xpath.syntax"),
        ("no-such-function(1)", "xpath.name"),
        ("if(1, 2)", "xpath.name"),
        ("/data/nobody + 1", "ref.nothing"),
    ],
)
def test_expressions_that_cannot_be_used_are_refused_with_their_row(calculation: str, code: str) -> None:
    """Syntax, unknown functions, arity and references to nothing are found when the form is loaded."""
    source = table(f"| type | name | label | calculation |\n| text | a | A | |\n| calculate | b | | {calculation} |")
    assert problems(source) == [(code, "survey", 3)]


def test_a_filter_of_nothing_is_checked_all_the_same() -> None:
    """What stands in a predicate must be an expression, also where the path leads nowhere."""
    bind = '<bind nodeset="/data/b" calculate="nothing[instance()] + nothing[nope()]"/>'
    assert [code for code, _sheet, _row in problems(xform("<b/>", bind))] == ["xpath.name"]


def test_every_problem_is_told_at_once() -> None:
    """Two faults, two problems."""
    source = table("| type | name | calculation |\n| calculate | a | 1 + |\n| calculate | b | nope() |")
    assert [row for _code, _sheet, row in problems(source)] == [2, 3]


def test_a_circle_is_refused_with_its_path() -> None:
    """Calculations that need one another cannot be worked out; the message names them all."""
    source = table("| type | name | calculation |\n| calculate | a | ${b} + 1 |\n| calculate | b | ${a} + 1 |")
    with pytest.raises(FormError) as caught:
        load_form(source)
    (problem,) = caught.value.problems
    assert problem.code == "cycle"
    assert "/data/a" in problem.message
    assert "/data/b" in problem.message


@pytest.mark.parametrize(
    "bind",
    [
        '<bind nodeset="/data/a" relevant=". = 0"/>',
        '<bind nodeset="/data/a" readonly=". = 0"/>',
        '<bind nodeset="/data/a" calculate="../a + 1"/>',
        '<bind nodeset="/data/g" relevant="/data/g/b = 0"/>',
    ],
)
def test_asking_oneself_is_a_circle(bind: str) -> None:
    """A node whose relevance, read-only state or value depends on itself is refused; a constraint may."""
    body = '<input ref="/data/a"/><input ref="/data/g/b"/>'
    assert problems(xform("<a/><g><b/></g>", bind, body))[0][0] == "cycle"
    load_form(xform("<a/>", '<bind nodeset="/data/a" constraint=". &gt; 0"/>', '<input ref="/data/a"/>'))


def test_a_dtd_or_an_entity_is_refused() -> None:
    """No document type declaration, whatever is in it."""
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert problems(bomb) == [("xml.dtd", "XML", 1)]


def test_nesting_and_size_are_bounded() -> None:
    """A hundred thousand nested groups are refused, and quickly."""
    assert problems(b"<a>" * 100_000)[0][0] == "xml.depth"


@pytest.mark.parametrize(
    "source", [b"", b"<a/>", b"<a", b"\x00\x01", b"PK\x03\x04broken", b"| survey |", b"<a>\xff</a>"]
)
def test_what_is_no_form_is_refused_and_never_crashes(source: bytes) -> None:
    """Bytes that are nothing get a FormError."""
    assert problems(source)


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(FormFileError) as caught:
        load_form(tmp_path / "nowhere.xml")
    assert "nowhere.xml" in caught.value.message


def test_a_bind_to_nothing_is_a_warning() -> None:
    """ODK ignores it; so do we, and say so."""
    loaded = load_form(xform("<a/>", '<bind nodeset="/data/b" type="int"/>', '<input ref="/data/a"/>'))
    assert [warning.code for warning in loaded.warnings] == ["ref.nothing"]


def test_a_control_without_a_node_is_refused() -> None:
    """A question must have a place for its answer."""
    assert problems(xform("<a/>", "", '<input ref="/data/b"/>'))[0][0] == "ref.nothing"


def test_an_unknown_event_is_refused() -> None:
    """An action that would never run is a mistake."""
    action = '<setvalue event="odk-instance-frist-load" ref="/data/a" value="1"/>'
    assert problems(xform("<a/>", "", '<input ref="/data/a"/>', action))[0][0] == "action.event"


def test_indexed_repeat_needs_a_repeat_around_the_field() -> None:
    """A group, or a repeat elsewhere, can have no such field in it."""
    bind = '<bind nodeset="/data/a" calculate="indexed-repeat(/data/{}/x, /data/{}, 1)"/>'
    body = '<repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat><input ref="/data/g/x"/>'
    load_form(xform("<a/><r><x/></r><g><x/></g>", bind.format("r", "r"), body))
    for target, group in [("g", "g"), ("g", "r")]:
        source = xform("<a/><r><x/></r><g><x/></g>", bind.format(target, group), body)
        assert problems(source)[0][0] == "xpath.indexed_repeat"


@pytest.mark.parametrize("nodeset", ["/data", "/data/.", ".", "/data/@version"])
def test_a_repeat_of_what_cannot_be_repeated_is_refused(nodeset: str) -> None:
    """There is one instance of a record, and one attribute of a name."""
    with pytest.raises(FormError) as refused:
        load_form(xform("<a/>", "", f'<repeat nodeset="{nodeset}"><input ref="/data/a"/></repeat>'))
    assert "repeat.target" in [problem.code for problem in refused.value.problems]


def test_a_call_without_arguments_in_a_path_to_nothing_is_refused() -> None:
    """Both faults stand in one expression; neither may hide behind the other."""
    with pytest.raises(FormError):
        load_form(xform("<a/>", '<bind nodeset="/data/a" calculate="/data/gone[indexed-repeat()]"/>'))


def test_a_bare_less_than_in_an_attribute_is_read_as_it_stands() -> None:
    """As in JavaRosa; comments and CDATA are left alone, and what is broken otherwise is refused."""
    binds = """<!-- <bind nodeset="a < b"/> --><bind nodeset='/data/b' calculate='if(/data/a < 3, "<", ">")'/>"""
    body = '<input ref="/data/a"><label><![CDATA[<x y="<"/>]]></label></input>'
    interview = load_form(xform("<a>2</a><b/>", binds, body)).start(now=now)
    assert value(interview, "/data/b") == "<"
    assert interview.question("/data/a").label == '<x y="<"/>'
    for broken in ("<bind nodeset='/data/b' calculate='a < b>", "<bind calculate='a < b' < />", "<!-- <bind a='<'/>"):
        with pytest.raises(FormError) as refused:
            load_form(xform("<a>2</a><b/>", broken, ""))
        assert refused.value.problems[0].code == "xml.syntax"


@pytest.mark.parametrize("piece", [b"<!--", b"<![CDATA[", b"<?a ", b"<a b='", b'<a b="', b"<a ", b"<a b=", b"<a b='<'"])
def test_looking_for_bare_less_thans_takes_time_in_proportion_to_the_file(piece: bytes) -> None:
    """Pieces that never end are gone through once: these would not come back otherwise."""
    with pytest.raises(FormError):
        load_form(b"<h:html>" + piece * 200_000)
