"""Relevance, calculation, choices, languages: what follows from an answer, and how little is worked out for it."""

from __future__ import annotations

from itertools import pairwise

from fieldsurvey.xforms import ViolationKind, load_form
from tests.xforms.scenario import now, relevant, start, start_xform, table, value

CASCADE = """
| type | name | label | choice_filter |
| select_one province | province | Province | |
| select_one town | town | Town | province=${province} |
"""
PLACES = """
| list_name | name | label::English (en) | label::Español (es) | province |
| province | p1 | First | Primera | |
| province | p2 | Second | Segunda | |
| town | t1 | One | Uno | p1 |
| town | t2 | Two | Dos | p2 |
| town | t3 | Three | Tres | p2 |
"""


def test_relevance_is_inherited_and_what_is_not_relevant_is_blank_to_others() -> None:
    """A group that is out takes everything inside out; its answers come back with it."""
    survey = """
    | type | name | label | relevant | calculation |
    | select_one yn | ask | Ask | | |
    | begin group | g | G | ${ask} = 'y' | |
    | integer | n | N | | |
    | end group | | | | |
    | calculate | twice | | | coalesce(${n}, 0) * 2 |
    """
    interview = start(survey, "| list_name | name | label |\n| yn | y | Yes |\n| yn | n | No |")
    interview.answer("/data/ask", "y")
    interview.answer("/data/g/n", "4")
    assert value(interview, "/data/twice") == "8"
    interview.answer("/data/ask", "n")
    assert not relevant(interview, "/data/g/n")
    assert value(interview, "/data/twice") == "0"
    assert b"<n>" not in interview.instance().xml
    interview.answer("/data/ask", "y")
    assert value(interview, "/data/twice") == "8"


def test_calculations_run_once_and_only_where_a_value_changed() -> None:
    """A diamond runs each closure once; a value that comes out the same stops there."""
    binds = "".join(
        f'<bind nodeset="/data/{name}" calculate="{source}"/>'
        for name, source in [
            ("b", "/data/a + 1"),
            ("c", "/data/a + 2"),
            ("d", "/data/b + /data/c"),
            ("big", "/data/a &gt; 100"),
            ("after", "if(/data/big, 'x', 'y')"),
        ]
    )
    names = ("a", "b", "c", "d", "big", "after")
    interview = start_xform(
        "".join(f"<{name}/>" for name in names),
        f'<bind nodeset="/data/a" type="int"/>{binds}',
        '<input ref="/data/a"/>',
    )
    interview.answer("/data/a", "1")
    settler = interview.state.settler
    before = settler.evaluations
    interview.answer("/data/a", "2")
    assert settler.evaluations - before == 4, "b, c, d and big; `after` is not reached, since big stayed as it was"
    assert value(interview, "/data/d") == "7"


def test_the_cost_of_an_answer_does_not_grow_with_the_form() -> None:
    """In a chain of a thousand conditions only two run: the one that changes, and the one that asks about that one."""
    many = "".join(f"<q{n}/>" for n in range(1000))
    binds = "".join(f'<bind nodeset="/data/q{n}" relevant="/data/q{n - 1} = 1"/>' for n in range(1, 1000))
    body = "".join(f'<input ref="/data/q{n}"/>' for n in range(1000))
    interview = start_xform(many, binds, body)
    before = interview.state.settler.evaluations
    interview.answer("/data/q0", "1")
    assert interview.state.settler.evaluations - before == 2


def test_a_cascade_offers_what_fits_and_sets_aside_what_no_longer_does() -> None:
    """An answer that is not offered any more is kept as raw text, and is the answer again when it is offered."""
    interview = start(CASCADE, PLACES)
    assert interview.question("/data/town").choices == ()
    interview.answer("/data/province", "p2")
    assert [choice.value for choice in interview.question("/data/town").choices] == ["t2", "t3"]
    interview.answer("/data/town", "t3")
    interview.answer("/data/province", "p1")
    town = interview.question("/data/town")
    assert (town.value, town.raw) == (None, "t3")
    interview.answer("/data/province", "p2")
    assert interview.question("/data/town").value == "t3"


def test_languages_change_labels_and_nothing_else() -> None:
    """By name or by code; answers stay; a language that the form does not have is refused."""
    survey = """
    | type | name | label::English (en) | label::Español (es) |
    | text | who | Name | Nombre |
    | select_one province | province | Where does ${who} live? | ¿Dónde vive ${who}? |
    """
    interview = start(survey, PLACES, "| default_language |\n| Español (es) |", language="en")
    interview.answer("/data/who", "Ñusta")
    interview.answer("/data/province", "p1")
    assert interview.question("/data/province").label == "Where does Ñusta live?"
    interview.set_language("es")
    question = interview.question("/data/province")
    assert question.label == "¿Dónde vive Ñusta?"
    assert [choice.label for choice in question.choices] == ["Primera", "Segunda"]
    assert question.value == "p1"


def test_a_truth_that_was_calculated_stays_a_truth() -> None:
    """`false` in a node without a type is not text that would count as true."""
    interview = start_xform(
        "<a>1</a><big/><c/>",
        '<bind nodeset="/data/big" calculate="/data/a &gt; 10"/><bind nodeset="/data/c" relevant="/data/big"/>',
        '<input ref="/data/a"/><input ref="/data/c"/>',
    )
    assert not relevant(interview, "/data/c")
    assert value(interview, "/data/big") == "0"
    interview.answer("/data/a", "11")
    assert relevant(interview, "/data/c")


def test_what_was_calculated_stays_what_it_is_when_it_is_calculated_again() -> None:
    """Zero stays a number and false stays false, however often they come out the same."""
    interview = start_xform(
        "<a>1</a><big/><c/><d/><e/>",
        '<bind nodeset="/data/big" calculate="/data/a &gt; 10"/><bind nodeset="/data/c" relevant="/data/big"/>'
        '<bind nodeset="/data/d" calculate="/data/a * 0"/><bind nodeset="/data/e" relevant="boolean(/data/d)"/>',
        '<input ref="/data/a"/><input ref="/data/c"/><input ref="/data/e"/>',
    )
    for text in ("2", "3", "4"):
        interview.answer("/data/a", text)
        assert not relevant(interview, "/data/c")
        assert not relevant(interview, "/data/e")


def test_dates_are_days() -> None:
    """Typed arithmetic: a date node minus a date node is a number of days."""
    survey = """
    | type | name | label | calculation |
    | date | from | From | |
    | date | to | To | |
    | calculate | days | | ${to} - ${from} |
    """
    interview = start(survey)
    interview.answer("/data/from", "2026-02-27")
    interview.answer("/data/to", "2026-03-02")
    assert value(interview, "/data/days") == "3"


def test_actions_run_once_when_opened_and_whenever_a_value_changes() -> None:
    """setvalue: odk-instance-first-load for a dynamic default, xforms-value-changed for a trigger."""
    survey = """
    | type | name | label | default | trigger | calculation |
    | date | day | Day | today() | | |
    | integer | a | A | | | |
    | calculate | stamp | | | ${a} | ${a} * 10 |
    """
    interview = start(survey)
    assert value(interview, "/data/day") == "2026-03-14"
    interview.answer("/data/day", "2026-01-01")
    interview.answer("/data/a", "3")
    assert (value(interview, "/data/stamp"), value(interview, "/data/day")) == ("30", "2026-01-01")


def test_pulldata_reads_a_file_beside_the_form() -> None:
    """The row whose key column holds the key."""
    source = table("""
    | type | name | label | calculation |
    | text | a | A | |
    | calculate | b | | pulldata('prices', 'price', 'item', ${a}) |
    """)
    interview = load_form(source, {"prices.csv": b"item,price\nbread,2\n"}).start(now=now, seed=1)
    interview.answer("/data/a", "bread")
    assert value(interview, "/data/b") == "2"


def test_randomness_and_time_come_from_the_caller() -> None:
    """The same seed and clock give the same interview, another seed another."""
    survey = "| type | name | calculation |\n| calculate | r | once(random()) |\n| calculate | t | now() |"
    one, same, other = (start(survey) for _again in range(3))
    assert one.instance().xml == same.instance().xml
    other.state.world.seed = 2
    other.state.world.draws = 0
    assert other.state.env.random() != one.state.env.random()
    assert value(one, "/data/t").startswith("2026-03-14T15:30:00.000")


def test_choices_are_kept_until_their_list_or_the_language_changes() -> None:
    """The same tuple for the same list; another after a change; labels with outputs are always worked out."""
    interview = start(CASCADE, PLACES, language="en")
    interview.answer("/data/province", "p2")
    first = interview.question("/data/town").choices
    assert interview.question("/data/town").choices is first
    interview.set_language("es")
    assert [choice.label for choice in interview.question("/data/town").choices] == ["Dos", "Tres"]
    interview.answer("/data/province", "p1")
    assert [choice.value for choice in interview.question("/data/town").choices] == ["t1"]
    told = start(
        "| type | name | label |\n| text | who | Who |\n| select_one c | one | One |",
        "| list_name | name | label |\n| c | a | For ${who} |",
    )
    for name in ("Inti", "Killa"):
        told.answer("/data/who", name)
        assert told.question("/data/one").choices[0].label == f"For {name}"


def test_values_that_feed_on_one_another_are_bounded() -> None:
    """A text that doubles at every step, by calculations or by an action that sets itself off, ends as an error."""
    names = [f"c{number}" for number in range(60)]
    binds = "".join(
        f'<bind nodeset="/data/{after}" calculate="concat(/data/{before}, /data/{before})"/>'
        for before, after in pairwise(names)
    )
    body = '<input ref="/data/c0"><label>A</label></input>'
    interview = start_xform("".join(f"<{name}/>" for name in names), binds, body)
    interview.answer("/data/c0", "x")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.ERROR]
    assert value(interview, "/data/c59") == ""
    body = """<input ref="/data/a"><label>A</label>
      <setvalue ref="/data/a" event="xforms-value-changed" value="concat(/data/a, /data/a)"/></input>"""
    interview = start_xform("<a/>", "", body)
    interview.answer("/data/a", "x")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.ERROR]
    assert len(value(interview, "/data/a")) <= 1_000_000
