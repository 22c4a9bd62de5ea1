"""Values that a form brings along or works out, as the type of their node has them; positions; recordings."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import ViolationKind, load_form
from tests.xforms.scenario import now, start, start_xform, value, xform


def node(kind: str, default: str = "", calculate: str = "") -> tuple[str, str, str]:
    """An instance, a bind and a control for one node."""
    worked_out = f' calculate="{calculate}"' if calculate else ""
    return (
        f"<a>{default}</a>",
        f'<bind nodeset="/data/a" type="{kind}"{worked_out}/>',
        '<input ref="/data/a"><label>A</label></input>',
    )


@pytest.mark.parametrize(
    ("kind", "default", "held"),
    [
        ("int", "2.5", "2"),
        ("int", "-2.5", "-2"),
        ("decimal", "2.5", "2.5"),
        ("date", "2026-03-14T10:00:00", "2026-03-14"),
        ("time", "23:14:00.000+02:00", "21:14:00.000Z"),
        ("time", "23:14:00", "23:14:00"),
        ("geopoint", "1 2", "1.0 2.0 0.0 0.0"),
    ],
)
def test_defaults_are_cast(kind: str, default: str, held: str) -> None:
    """What the form gives is cut to what the type holds; a time of day is that of the interview's zone."""
    assert value(start_xform(*node(kind, default), timezone="UTC"), "/data/a") == held


@pytest.mark.parametrize("kind", ["int", "decimal", "date", "time", "geopoint"])
def test_a_default_that_does_not_read_is_set_aside(kind: str) -> None:
    """It is kept as raw text with a violation, never as a value."""
    interview = start_xform(*node(kind, "north"))
    assert value(interview, "/data/a") == ""
    assert interview.question("/data/a").raw == "north"
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.TYPE]


@pytest.mark.parametrize(
    ("kind", "calculate", "held"),
    [
        ("int", "7 div 2", "3"),
        ("int", "-7 div 2", "-3"),
        ("int", "'3.5'", "3"),
        ("int", "10000000000 * 10", "100000000000"),
        ("decimal", "7 div 2", "3.5"),
        ("time", "'23:14:00.000+02:00'", "16:14:00.000-05:00"),
        ("date", "'2026-03-14T10:00:00'", "2026-03-14"),
    ],
)
def test_calculations_are_cast(kind: str, calculate: str, held: str) -> None:
    """The whole part in an integer, as JavaRosa's wrapData has it; other types likewise."""
    interview = start_xform(*node(kind, "", calculate), timezone="America/Guayaquil")
    assert value(interview, "/data/a") == held


def test_a_person_who_types_a_fraction_is_told() -> None:
    """Nothing that a person types is cut in silence; a moment without an offset is the day it names."""
    interview = start_xform(*node("int"))
    interview.answer("/data/a", "10.1")
    assert interview.question("/data/a").raw == "10.1"
    interview = start_xform(*node("date"))
    interview.answer("/data/a", "2026-03-14T10:00:00")
    assert value(interview, "/data/a") == "2026-03-14"
    interview.answer("/data/a", "2026-03-14T10:00:00+05:00")
    assert interview.question("/data/a").raw == "2026-03-14T10:00:00+05:00"


LOCATED = (
    "<a/><where/>",
    '<bind nodeset="/data/where" type="geopoint"/>',
    '<input ref="/data/a"><label>A</label><odk:setgeopoint ref="/data/where" event="xforms-value-changed"/></input>',
)


def test_setgeopoint_asks_the_caller() -> None:
    """The position is the caller's, stored as a point; a second answer asks again."""
    places = iter(["-1.5 -78", "-1.6 -78.1 2500 4"])
    interview = start_xform(*LOCATED, locate=lambda: next(places))
    assert value(interview, "/data/where") == ""
    interview.answer("/data/a", "one")
    assert value(interview, "/data/where") == "-1.5 -78.0 0.0 0.0"
    interview.answer("/data/a", "two")
    assert value(interview, "/data/where") == "-1.6 -78.1 2500.0 4.0"
    assert interview.note("/data/where") == ""


@pytest.mark.parametrize("found", [None, "", "nowhere", "91 0"])
def test_without_a_position_the_target_is_blank_and_a_note_says_so(found: str | None) -> None:
    """Also what is no position is none; the note is in the draft, and one of the enumerator's stays."""
    interview = start_xform(*LOCATED, locate=lambda: found)
    mark = interview.mark()
    interview.answer("/data/a", "one")
    assert value(interview, "/data/where") == ""
    assert interview.note("/data/where") != ""
    assert any(entry[0] == "n" for entry in interview.changes_since(mark)["changes"])
    interview.set_note("/data/where", "synthetic")
    interview.answer("/data/a", "two")
    assert interview.note("/data/where") == "synthetic"


def test_a_background_recording_is_a_warning_of_the_form() -> None:
    """The form loads; its warnings say that nothing is recorded."""
    model = '<odk:recordaudio ref="/data/a" event="odk-instance-first-load" odk:quality="low"/>'
    form = load_form(xform("<a/>", model=model))
    assert [warning.code for warning in form.warnings] == ["action.recordaudio"]
    assert value(form.start(now=now, seed=1), "/data/a") == ""


def test_a_background_recording_is_begun_by_the_caller() -> None:
    """Once, with where it belongs and its quality; the file it gets is the answer and outlives a draft."""
    model = '<odk:recordaudio ref="/data/a" event="odk-instance-first-load" odk:quality="low"/>'
    form = load_form(xform("<a/><b/>", model=model, body='<input ref="/data/b"/>'))
    begun: list[tuple[str, str]] = []

    def record(ref: str, quality: str) -> str | None:
        begun.append((ref, quality))
        return "synthetic.m4a"

    interview = form.start(now=now, seed=1, record=record)
    assert begun == [("/data/a", "low")]
    assert value(interview, "/data/a") == "synthetic.m4a"
    again = form.resume(interview.draft(), now=now, record=record)
    assert value(again, "/data/a") == "synthetic.m4a"
    assert len(begun) == 1
    assert value(form.start(now=now, seed=1, record=lambda _ref, _quality: None), "/data/a") == ""


def test_a_range_has_labels_along_its_scale() -> None:
    """In the interview's language; they are labels, not the only answers."""
    survey = "| type | name | label | parameters |\n| range | r | R | start=0 end=10 step=1 tick_labelset=t |"
    choices = "| list_name | name | label::en | label::es |\n| t | 0 | None | Nada |\n| t | 10 | All | Todo |"
    interview = start(survey, choices, language="en")
    assert [(tick.value, tick.label) for tick in interview.question("/data/r").ticks] == [("0", "None"), ("10", "All")]
    interview.set_language("es")
    assert [tick.label for tick in interview.question("/data/r").ticks] == ["Nada", "Todo"]
    interview.answer("/data/r", "7")
    question = interview.question("/data/r")
    assert (question.value, question.violation, question.choices) == ("7", None, ())
