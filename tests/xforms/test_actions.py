"""Actions: what sets a value, when, and where; rules as JavaRosa 5.1 has them."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import ViolationKind
from tests.xforms.scenario import start_xform, value

LOAD = "odk-instance-first-load"
NEW = "odk-new-repeat"
CHANGED = "xforms-value-changed"


def setvalue(event: str, ref: str, expression: str) -> str:
    """A setvalue element."""
    return f'<setvalue event="{event}" ref="{ref}" value="{expression}"/>'


def repeat(inside: str, attributes: str = "") -> str:
    """A repeat of /data/r."""
    return f'<group ref="/data/r"><repeat nodeset="/data/r" {attributes}>{inside}</repeat></group>'


def test_a_new_repeat_runs_the_actions_that_stand_in_it_not_those_of_its_questions() -> None:
    """An action below a question waits for that question."""
    interview = start_xform(
        '<r jr:template=""><x/><y/><z/></r>',
        "",
        repeat(
            setvalue(NEW, "/data/r/y", "position(..)")
            + f'<input ref="/data/r/x">{setvalue(NEW, "/data/r/z", "position(..)")}</input>'
        ),
    )
    for _time in range(2):
        interview.add_repeat("/data/r")
    assert [value(interview, f"/data/r[{position}]/y") for position in (1, 2)] == ["1", "2"]
    assert [value(interview, f"/data/r[{position}]/z") for position in (1, 2)] == ["", ""]


@pytest.mark.parametrize(("events", "expected"), [(LOAD, ["", ""]), (NEW, ["k", "k"]), (f"{LOAD} {NEW}", ["k", "k"])])
def test_instances_that_a_count_makes_are_new_ones(events: str, expected: list[str]) -> None:
    """Also those that it makes at once: they were not there when the form was opened."""
    interview = start_xform(
        '<n>1</n><a>k</a><r jr:template=""><x/><y/></r>',
        '<bind nodeset="/data/n" type="int"/>',
        '<input ref="/data/n"/>'
        + repeat(setvalue(events, "/data/r/y", "/data/a") + '<input ref="/data/r/x"/>', 'jr:count="/data/n"'),
    )
    interview.answer("/data/n", "2")
    assert [value(interview, f"/data/r[{position}]/y") for position in (1, 2)] == expected


def test_an_action_waits_for_answers_and_other_actions_not_for_calculations() -> None:
    """A chain of actions runs through; a calculated question sets nothing off."""
    interview = start_xform(
        "<a/><b/><c/><k/><d/>",
        '<bind nodeset="/data/k" calculate="concat(/data/a, 2)"/>',
        f"""<input ref="/data/a">{setvalue(CHANGED, "/data/b", "concat(/data/a, 1)")}</input>
        <input ref="/data/b">{setvalue(CHANGED, "/data/c", "concat(/data/b, 1)")}</input>
        <input ref="/data/k">{setvalue(CHANGED, "/data/d", "'set'")}</input>""",
    )
    interview.answer("/data/a", "x")
    assert [value(interview, f"/data/{name}") for name in "bckd"] == ["x1", "x11", "x2", ""]


@pytest.mark.parametrize(
    ("template", "expected"), [("", ["3", "", ""]), ('<r jr:template=""><x>9</x></r>', ["3", "9", "9"])]
)
def test_a_new_instance_is_like_the_template_and_blank_without_one(template: str, expected: list[str]) -> None:
    """What the first instance brings along is its own."""
    interview = start_xform(template + "<r><x>3</x></r>", "", repeat('<input ref="/data/r/x"/>'))
    for _time in range(2):
        interview.add_repeat("/data/r")
    assert [value(interview, f"/data/r[{position}]/x") for position in (1, 2, 3)] == expected


def test_what_is_still_offered_of_several_choices_stays_the_answer() -> None:
    """The rest is set aside with a violation, and comes back when it is offered again."""
    items = "".join(f"<item><k>{k}</k><name>{n}</name><label>{n}</label></item>" for k, n in [("1", "x"), ("", "y")])
    interview = start_xform(
        "<a>1</a><c/><n/>",
        '<bind nodeset="/data/n" calculate="count-selected(/data/c)"/>',
        """<input ref="/data/a"/><select ref="/data/c">
        <itemset nodeset="instance('l')/root/item[k = '' or k = /data/a]">
        <value ref="name"/><label ref="label"/></itemset></select>""",
        f'<instance id="l"><root>{items}</root></instance>',
    )
    interview.answer("/data/c", "y x")
    interview.answer("/data/a", "2")
    found = interview.question("/data/c")
    assert (found.value, found.raw, value(interview, "/data/n")) == ("y", "y x", "1")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.CHOICE]
    interview.answer("/data/a", "1")
    assert (interview.question("/data/c").value, interview.question("/data/c").raw) == ("y x", None)
    assert not interview.problems()
    interview.answer("/data/a", "2")
    interview.answer("/data/c", "y")
    assert not interview.problems()


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("date", "2020-1-5", "2020-01-05"),
        ("decimal", "1,5", "1.5"),
        ("geopoint", "1 2", "1.0 2.0 0.0 0.0"),
    ],
)
def test_what_a_form_brings_along_is_written_as_its_type_is(kind: str, given: str, expected: str) -> None:
    """Defaults, and texts that are put into places."""
    binds = f'<bind nodeset="/data/a" type="{kind}"/>'
    assert value(start_xform(f"<a>{given}</a>", binds), "/data/a") == expected
    if kind == "geopoint":
        binds = f'<bind nodeset="/data/a" type="{kind}" calculate="/data/k"/>'
        assert value(start_xform(f"<k>{given}</k><a/>", binds), "/data/a") == expected
