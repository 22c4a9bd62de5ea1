"""Repeats: instances with their own slots, positions, aggregates, counts, nesting."""

from __future__ import annotations

import json

import pytest

from fieldsurvey.xforms import NotAnswerableError, ViolationKind, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.xforms.scenario import form, now, relevant, start, start_xform, value, xform

ROSTER = """
| type | name | label | calculation | relevant |
| begin repeat | person | Person | | |
| text | name | Name | | |
| integer | age | Age | | |
| text | school | School | | ${age} < 18 |
| calculate | number | | position(..) | |
| calculate | share | | ${age} div ${total} | |
| end repeat | | | | |
| calculate | people | | count(${person}) | |
| calculate | total | | sum(${age}) | |
"""


def test_each_instance_has_its_own_answers_conditions_and_position() -> None:
    """References inside a repeat mean the current instance."""
    interview = start(ROSTER)
    assert interview.add_repeat("/data/person") == "/data/person[2]"
    interview.answer("/data/person[1]/age", "40")
    interview.answer("/data/person[2]/age", "10")
    assert not relevant(interview, "/data/person[1]/school")
    assert relevant(interview, "/data/person[2]/school")
    assert [value(interview, f"/data/person[{n}]/number") for n in (1, 2)] == ["1", "2"]


def test_an_aggregate_refreshes_every_instance_that_reads_it() -> None:
    """Shares of a total sum to one after every answer (an engine that leaves them stale sums to more)."""
    interview = start(ROSTER)
    for number in range(2, 5):
        interview.add_repeat("/data/person")
        for person in range(1, number + 1):
            interview.answer(f"/data/person[{person}]/age", str(7 * person + number))
            answered = [n for n in range(1, number + 1) if value(interview, f"/data/person[{n}]/age")]
            if len(answered) == number:
                shares = sum(float(value(interview, f"/data/person[{n}]/share")) for n in answered)
                assert abs(shares - 1) < 1e-9


def test_removing_an_instance_moves_the_later_ones_up() -> None:
    """Positions, sums, counts, notes and refs follow."""
    interview = start(ROSTER)
    for _again in range(3):
        interview.add_repeat("/data/person")
    for number in range(1, 5):
        interview.answer(f"/data/person[{number}]/age", str(number * 10))
    interview.set_note("/data/person[3]/age", "a note")
    interview.remove_repeat("/data/person", 2)
    assert [value(interview, f"/data/person[{n}]/age") for n in (1, 2, 3)] == ["10", "30", "40"]
    assert [value(interview, f"/data/person[{n}]/number") for n in (1, 2, 3)] == ["1", "2", "3"]
    assert (value(interview, "/data/people"), value(interview, "/data/total")) == ("3", "80")
    assert (interview.note("/data/person[2]/age"), interview.note("/data/person[3]/age")) == ("a note", "")


def test_adding_an_instance_costs_the_same_at_ten_as_at_two_hundred() -> None:
    """The closures run for one more instance do not depend on how many there are."""
    interview = start_xform(
        '<r jr:template=""><pos/><x/></r><n/>',
        '<bind nodeset="/data/r/pos" calculate="position(..)"/><bind nodeset="/data/n" calculate="count(/data/r)"/>',
        '<repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat>',
    )
    costs = []
    for _again in range(200):
        before = interview.state.settler.evaluations
        interview.add_repeat("/data/r")
        costs.append(interview.state.settler.evaluations - before)
    assert len(set(costs)) == 1, costs


def test_a_count_makes_and_removes_instances_and_forbids_doing_so_by_hand() -> None:
    """`repeat_count` follows the answer it names."""
    survey = """
    | type | name | label | repeat_count |
    | integer | n | How many? | |
    | begin repeat | r | R | ${n} |
    | text | x | X | |
    | end repeat | | | |
    """
    interview = start(survey)
    interview.answer("/data/n", "3")
    interview.answer("/data/r[3]/x", "third")
    with pytest.raises(NotAnswerableError):
        interview.add_repeat("/data/r")
    interview.answer("/data/n", "1")
    assert interview.instance().xml.count(b"<x") == 1
    interview.answer("/data/n", None)
    assert interview.instance().xml.count(b"<x") == 0


def test_a_path_that_climbs_out_of_an_instance_and_goes_down_again_means_all_instances() -> None:
    """`../../r/x` is every x below the same parent, in step with every answer; `/data/o/r/x` is the current one."""
    interview = start_xform(
        '<o jr:template=""><r jr:template=""><x/><all/><own/><one/></r></o>',
        '<bind nodeset="/data/o/r/x" type="int"/><bind nodeset="/data/o/r/all" calculate="sum(../../r/x)"/>'
        '<bind nodeset="/data/o/r/own" calculate="sum(/data/o/r/x)"/><bind nodeset="/data/o/r/one" calculate="../x"/>',
        """<group ref="/data/o"><repeat nodeset="/data/o"><group ref="/data/o/r"><repeat nodeset="/data/o/r">
          <input ref="/data/o/r/x"/></repeat></group></repeat></group>""",
    )
    for outer in (1, 2):
        interview.add_repeat("/data/o")
        for inner in (1, 2):
            interview.add_repeat(f"/data/o[{outer}]/r")
            interview.answer(f"/data/o[{outer}]/r[{inner}]/x", str(10 * outer + inner))
    interview.answer("/data/o[1]/r[2]/x", "100")

    def all_of(name: str) -> list[str]:
        return [value(interview, f"/data/o[{outer}]/r[{inner}]/{name}") for outer in (1, 2) for inner in (1, 2)]

    assert all_of("all") == ["111", "111", "43", "43"]
    assert all_of("own") == all_of("one") == ["11", "100", "21", "22"]


COUNTED = """
| type | name | label | repeat_count | relevant | constraint |
| select_one yn | any | Any? | | | |
| integer | n | How many? | | ${any} = 'y' | |
| begin repeat | r | R | ${n} | | |
| integer | x | X | | | . < 100 |
| integer | m | How many in it? | | | |
| begin repeat | q | Q | ${m} | | |
| text | y | Y | | | |
| end repeat | | | | | |
| end repeat | | | | | |
"""
YN = "list_name | name | label\nyn | y | Yes\nyn | n | No"


def counted() -> LiveInterview:
    """Three instances with answers; the last has two inside it, a note, and an answer that a constraint refuses."""
    interview = start(COUNTED, YN)
    for ref, text in [("any", "y"), ("n", "3"), ("r[1]/x", "1"), ("r[2]/x", "2"), ("r[3]/x", "300"), ("r[3]/m", "2")]:
        interview.answer(f"/data/{ref}", text)
    interview.answer("/data/r[3]/q[2]/y", "deep")
    interview.set_note("/data/r[3]/x", "guessed")
    return interview


def test_what_is_beyond_a_count_comes_back_when_the_count_rises_again() -> None:
    """A slip in "how many?" costs no answer; while the count is lower, nothing of it is in the record."""
    interview = counted()
    before = interview.instance().xml
    interview.answer("/data/n", "1")
    assert interview.instance().xml.count(b"<x") == 1
    assert not interview.problems()
    interview.answer("/data/n", "0")
    interview.answer("/data/n", "3")
    assert interview.instance().xml == before
    assert [problem.ref for problem in interview.problems()] == ["/data/r[3]/x"]
    assert interview.note("/data/r[3]/x") == "guessed"


def test_a_count_that_is_not_relevant_for_a_while_costs_no_answer() -> None:
    """The filter question before it may be turned to and fro."""
    interview = counted()
    before = interview.instance().xml
    interview.answer("/data/any", "n")
    assert b"<x" not in interview.instance().xml
    interview.answer("/data/any", "y")
    assert interview.instance().xml == before


@pytest.mark.parametrize("snapshot_at", ["start", "lowered"])
def test_a_draft_keeps_what_is_beyond_a_count(snapshot_at: str) -> None:
    """Whether it was put aside before the snapshot or in the changes since."""
    interview = counted()
    before = interview.instance().xml
    draft, mark = interview.draft(), interview.mark()
    interview.answer("/data/r[3]/m", "1")
    interview.answer("/data/n", "2")
    if snapshot_at == "lowered":
        draft, mark = interview.draft(), interview.mark()
        json.dumps(draft.data)
    form_ = form(COUNTED, YN)
    resumed = form_.resume(draft, [interview.changes_since(mark)], now=now)
    assert resumed.instance().xml == interview.instance().xml
    resumed = form_.resume(resumed.draft(), now=now)
    resumed.answer("/data/n", "3")
    resumed.answer("/data/r[3]/m", "2")
    assert resumed.instance().xml == before
    assert resumed.note("/data/r[3]/x") == "guessed"
    assert [problem.ref for problem in resumed.problems()] == ["/data/r[3]/x"]


@pytest.mark.parametrize("resumed", [False, True])
def test_what_a_form_brings_along_is_new_when_the_count_first_asks_for_it(resumed: bool) -> None:
    """A workbook's first instance gets its default then, once; lowered and raised again it keeps its answer."""
    survey = """
    | type | name | label | repeat_count | default |
    | text | a | A | | k |
    | integer | n | How many? | | |
    | begin repeat | r | R | ${n} | |
    | text | x | X | | concat(${a}, position(..)) |
    | begin repeat | q | Q | | |
    | text | y | Y | | concat(${x}, '!') |
    | end repeat | | | | |
    | end repeat | | | | |
    """
    interview = start(survey)
    assert b"<r>" not in interview.instance().xml
    if resumed:
        interview = form(survey).resume(interview.draft(), now=now)
    interview.answer("/data/n", "2")
    assert [value(interview, f"/data/r[{position}]/x") for position in (1, 2)] == ["k1", "k2"]
    assert value(interview, "/data/r[1]/q[1]/y") == "k1!"
    interview.answer("/data/r[1]/x", "mine")
    interview.answer("/data/n", "0")
    if resumed:
        interview = form(survey).resume(interview.draft(), now=now)
    interview.answer("/data/a", "other")
    interview.answer("/data/n", "3")
    assert [value(interview, f"/data/r[{position}]/x") for position in (1, 2, 3)] == ["mine", "k2", "other3"]


def test_another_version_that_does_not_count_shows_what_was_beyond_the_count() -> None:
    """Nothing is dropped in silence: without a count every instance is one."""
    interview = counted()
    interview.answer("/data/n", "1")
    uncounted = form(COUNTED.replace("| R | ${n} |", "| R | |"), YN)
    resumed = uncounted.resume(interview.draft(), now=now)
    assert resumed.instance().xml.count(b"<x") == 3
    assert not resumed.dropped


def test_an_outer_instance_that_moves_up_takes_along_what_is_beyond_a_count_inside_it() -> None:
    """What was put aside belongs to its instance, not to a position."""
    interview = start(COUNTED.replace("| R | ${n} |", "| R | |"), YN)
    for position in (1, 2):
        while len(interview.refs.range("/data/r").instances) < position:
            interview.add_repeat("/data/r")
        interview.answer(f"/data/r[{position}]/m", "2")
        interview.answer(f"/data/r[{position}]/q[2]/y", f"in {position}")
        interview.answer(f"/data/r[{position}]/m", "1")
    interview.remove_repeat("/data/r", 1)
    resumed = form(COUNTED.replace("| R | ${n} |", "| R | |"), YN).resume(interview.draft(), now=now)
    for one in (interview, resumed):
        one.answer("/data/r[1]/m", "2")
        assert value(one, "/data/r[1]/q[2]/y") == "in 2"


def test_nested_repeats_bind_to_the_instances_around_them() -> None:
    """A sum inside an outer instance is over its own inner instances."""
    interview = start_xform(
        '<house jr:template=""><person jr:template=""><age/></person><total/></house><all/>',
        '<bind nodeset="/data/house/total" calculate="sum(/data/house/person/age)"/>'
        '<bind nodeset="/data/all" calculate="sum(/data/house/total)"/>',
        '<repeat nodeset="/data/house"><repeat nodeset="/data/house/person"><input ref="/data/house/person/age"/>'
        "</repeat></repeat>",
    )
    for house in (1, 2):
        interview.add_repeat("/data/house")
        for person in (1, 2):
            interview.add_repeat(f"/data/house[{house}]/person")
            interview.answer(f"/data/house[{house}]/person[{person}]/age", str(10 * house + person))
    assert [value(interview, f"/data/house[{n}]/total") for n in (1, 2)] == ["23", "43"]
    assert value(interview, "/data/all") == "66"


def test_indexed_repeat_and_predicates_choose_an_instance() -> None:
    """By position from outside, and the one before from inside."""
    interview = start_xform(
        '<r jr:template=""><x/><before/></r><second/><named/>',
        '<bind nodeset="/data/r/before" calculate="indexed-repeat(/data/r/x, /data/r, position(..) - 1)"/>'
        '<bind nodeset="/data/second" calculate="/data/r[2]/x"/>'
        '<bind nodeset="/data/named" calculate="count(/data/r[x = \'b\'])"/>',
        '<repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat>',
    )
    for number, text in enumerate("abb", start=1):
        interview.add_repeat("/data/r")
        interview.answer(f"/data/r[{number}]/x", text)
    assert [value(interview, f"/data/r[{n}]/before") for n in (2, 3)] == ["a", "b"]
    assert (value(interview, "/data/second"), value(interview, "/data/named")) == ("b", "2")
    interview.remove_repeat("/data/r", 2)
    assert value(interview, "/data/r[2]/before") == "a"


def test_a_new_instance_runs_its_actions() -> None:
    """odk-new-repeat fires for instances that are added, with the template's defaults otherwise."""
    interview = start_xform(
        '<r jr:template=""><x>from the form</x><y/></r>',
        "",
        '<repeat nodeset="/data/r"><input ref="/data/r/x"/>'
        '<setvalue event="odk-new-repeat" ref="/data/r/y" value="concat(\'n\', position(..))"/></repeat>',
    )
    interview.add_repeat("/data/r")
    interview.add_repeat("/data/r")
    assert [value(interview, f"/data/r[{n}]/y") for n in (1, 2)] == ["n1", "n2"]
    assert value(interview, "/data/r[2]/x") == "from the form"


def test_choices_may_come_from_a_repeat() -> None:
    """An itemset over the form's own instances follows them."""
    interview = start_xform(
        "<r><x/></r><pick/>",
        "",
        '<repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat><select1 ref="/data/pick">'
        '<itemset nodeset="/data/r[x != \'\']"><value ref="x"/><label ref="x"/></itemset></select1>',
    )
    assert interview.question("/data/pick").choices == ()
    interview.answer("/data/r[1]/x", "Inti")
    interview.answer("/data/pick", "Inti")
    assert interview.question("/data/pick").violation is None
    interview.answer("/data/r[1]/x", "Killa")
    assert interview.question("/data/pick").raw == "Inti"


def test_choices_from_a_repeat_follow_its_labels() -> None:
    """A label that changes in an instance changes in the list, though the list itself does not depend on it."""
    interview = start_xform(
        "<r><v>1</v><l>one</l></r><pick/>",
        "",
        '<repeat nodeset="/data/r"><input ref="/data/r/v"/><input ref="/data/r/l"/></repeat><select1 ref="/data/pick">'
        '<itemset nodeset="/data/r"><value ref="v"/><label ref="l"/></itemset></select1>',
    )
    interview.answer("/data/pick", "1")
    assert [choice.label for choice in interview.question("/data/pick").choices] == ["one"]
    interview.answer("/data/r[1]/l", "uno")
    assert [choice.label for choice in interview.question("/data/pick").choices] == ["uno"]
    interview.answer("/data/r[1]/v", "2")
    assert interview.question("/data/pick").raw == "1"


def test_a_count_that_names_its_own_repeat_makes_none() -> None:
    """`.` means no instance: a warning says so, and there are only those that the form brings along."""
    body = '<group ref="/data/r"><repeat nodeset="/data/r" jr:count="."><input ref="/data/r/x"/></repeat></group>'
    form = load_form(xform("<r><x/></r>", "", body))
    assert [warning.code for warning in form.warnings] == ["ref.nothing"]
    interview = form.start(now=now, seed=1)
    interview.next()
    assert len(interview.refs.range("/data/r").instances) == 1


def test_an_expression_that_looks_at_everything_from_everywhere_is_an_error_at_its_node() -> None:
    """Work that grows with the square of a roster ends; the rest of the form goes on, and small rosters are fine."""
    binds = '<bind nodeset="/data/n" type="int"/><bind nodeset="/data/t" calculate="count(//r/preceding::x)"/>'
    body = """<input ref="/data/n"><label>N</label></input>
      <group ref="/data/r"><repeat nodeset="/data/r" jr:count="/data/n"><input ref="/data/r/x"/></repeat></group>"""
    interview = start_xform("<n/><t/><r><x/></r>", binds, body)
    interview.answer("/data/n", "100")
    assert value(interview, "/data/t") == "99"
    interview.answer("/data/n", "9000")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.ERROR]
    interview.answer("/data/n", "10")
    assert value(interview, "/data/t") == "9"
    assert not interview.problems()
