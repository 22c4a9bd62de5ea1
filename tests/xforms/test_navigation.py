"""The way through: next and previous, jumps, groups, field-lists, "add another?", the outline."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import End, Form, Group, Interview, NoSuchRefError, Question, Repeat
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.xforms.scenario import form as load
from tests.xforms.scenario import now, start, start_xform

SURVEY = """
| type | name | label | relevant | appearance |
| select_one yn | works | Works? | | |
| text | job | Job | ${works} = 'y' | |
| begin group | together | Together | | field-list |
| text | one | One | | |
| text | two | Two | ${one} = 'x' | |
| end group | | | | |
| begin repeat | child | Child | | |
| text | name | Name | | |
| end repeat | | | | |
| text | last | Last | | |
"""
CHOICES = "| list_name | name | label |\n| yn | y | Yes |\n| yn | n | No |"


def where(interview: LiveInterview) -> str:
    """The current place in a word."""
    place = interview.current
    if isinstance(place, End):
        return "end"
    return f"{place.ref}+" if isinstance(place, Repeat) else place.ref


def test_next_follows_what_is_relevant_and_previous_the_path_taken() -> None:
    """Back goes where we came from, also over a jump."""
    interview = start(SURVEY, CHOICES)
    interview.answer("/data/works", "y")
    seen = [where(interview)]
    while seen[-1] != "end":
        interview.next()
        seen.append(where(interview))
    assert seen == [
        "/data/works",
        "/data/job",
        "/data/together",
        "/data/child[1]/name",
        "/data/child+",
        "/data/last",
        "end",
    ]
    interview.go_to("/data/job")
    interview.previous()
    assert where(interview) == "end"
    for place in reversed(seen[:-1]):
        interview.previous()
        assert where(interview) == place
    interview.previous()
    assert where(interview) == "/data/works"


def test_what_is_gone_from_the_path_is_passed_over() -> None:
    """Going back never lands on what is not relevant any more."""
    interview = start(SURVEY, CHOICES)
    interview.answer("/data/works", "y")
    interview.next()
    interview.next()
    interview.answer("/data/works", "n")
    interview.previous()
    assert where(interview) == "/data/works"


def test_a_field_list_is_one_page_with_the_questions_that_are_relevant_now() -> None:
    """Questions appear and disappear on it as answers are given."""
    interview = start(SURVEY, CHOICES)
    page = interview.go_to("/data/together")
    assert isinstance(page, Group)
    assert (page.field_list, page.questions) == (True, ("/data/together/one",))
    interview.answer("/data/together/one", "x")
    assert isinstance(interview.current, Group)
    assert interview.current.questions == ("/data/together/one", "/data/together/two")
    assert interview.go_to("/data/together/two") == interview.current


def test_adding_from_the_prompt_moves_into_the_new_instance() -> None:
    """ "Add another?" yes: the next thing asked is its first question."""
    interview = start(SURVEY, CHOICES)
    place = interview.go_to("/data/child")
    assert isinstance(place, Repeat)
    assert (place.count, place.can_add, place.label) == (1, True, "Child")
    interview.add_repeat("/data/child")
    assert where(interview) == "/data/child[2]/name"
    interview.remove_repeat("/data/child", 2)
    assert where(interview) in {"/data/child[1]/name", "/data/child+"}


def test_jumps_are_refused_where_there_is_nothing() -> None:
    """Not in the form, not relevant, no such instance."""
    interview = start(SURVEY, CHOICES)
    for ref in ("/data/nobody", "/data/job", "/data/child[7]/name", "nonsense", "/other/works"):
        with pytest.raises(NoSuchRefError):
            interview.go_to(ref)


def test_the_outline_is_the_live_tree() -> None:
    """In form order, with numbers for what is asked, depth for sections, and what is answered or noted."""
    interview = start(SURVEY, CHOICES)
    interview.answer("/data/works", "n")
    interview.set_note("/data/last", "ask again")
    lines = [(item.kind, item.ref, item.number) for item in interview.outline()]
    assert lines == [
        ("question", "/data/works", 1),
        ("group", "/data/together", None),
        ("question", "/data/together/one", 2),
        ("repeat", "/data/child", None),
        ("instance", "/data/child[1]", None),
        ("question", "/data/child[1]/name", 3),
        ("question", "/data/last", 4),
    ]
    items = {item.ref: item for item in interview.outline()}
    assert items["/data/works"].answered
    assert items["/data/last"].note


def test_standing_on_a_question_that_becomes_irrelevant_shows_what_follows() -> None:
    """The screen never shows what is not asked."""
    interview = start(SURVEY, CHOICES)
    interview.answer("/data/works", "y")
    interview.next()
    interview.answer("/data/works", "n")
    assert isinstance(interview.current, Group | Question)
    assert where(interview) == "/data/together"


def test_a_repeat_whose_instances_are_pages() -> None:
    """field-list on a repeat: each instance is one page."""
    survey = """
    | type | name | label | appearance |
    | begin repeat | r | R | field-list |
    | text | a | A | |
    | text | b | B | |
    | end repeat | | | |
    """
    interview = start(survey)
    page = interview.current
    assert isinstance(page, Group)
    assert (page.ref, page.questions) == ("/data/r[1]", ("/data/r[1]/a", "/data/r[1]/b"))
    assert isinstance(interview.next(), Repeat)
    interview.add_repeat("/data/r")
    assert where(interview) == "/data/r[2]"
    assert isinstance(interview.next(), Repeat)
    assert interview.next() == End()


def test_a_repeat_on_a_page_shows_there_and_is_added_to_after_it() -> None:
    """Its instances are part of the page; "add another?" follows, and yes comes back to the page."""
    survey = """
    | type | name | label | appearance |
    | begin group | g | G | field-list |
    | text | a | A | |
    | begin repeat | r | R | |
    | text | b | B | |
    | end repeat | | | |
    | end group | | | |
    | text | last | Last | |
    """
    interview = start(survey)
    page = interview.current
    assert isinstance(page, Group)
    assert page.questions == ("/data/g/a", "/data/g/r[1]/b")
    assert isinstance(interview.next(), Repeat)
    interview.add_repeat("/data/g/r")
    page = interview.current
    assert isinstance(page, Group)
    assert page.questions == ("/data/g/a", "/data/g/r[1]/b", "/data/g/r[2]/b")
    interview.next()
    interview.next()
    assert where(interview) == "/data/last"


def test_instances_are_made_as_one_walks_when_the_count_depends_on_them() -> None:
    """A count of what is counted is no circle: one more is made when one gets there and it asks for one."""
    interview = start_xform(
        '<n/><r jr:template=""><more/></r><last/>',
        '<bind nodeset="/data/n" calculate="count(/data/r[more = \'y\']) + 1"/>',
        '<repeat nodeset="/data/r" jr:count="/data/n"><input ref="/data/r/more"/></repeat><input ref="/data/last"/>',
    )
    assert where(interview) == "/data/r[1]/more"
    interview.answer("/data/r[1]/more", "y")
    interview.next()
    assert where(interview) == "/data/r[2]/more"
    interview.answer("/data/r[2]/more", "n")
    interview.next()
    assert where(interview) == "/data/last"


def test_the_engine_is_what_the_contract_says() -> None:
    """Front ends are written against the protocols; the classes behind them fit (mypy checks this line by line)."""
    form: Form = load(SURVEY, CHOICES)
    interview: Interview = form.start(now=now, seed=1)
    assert interview.mark() == len(interview.changes_since(0)["changes"])
    assert form.resume(interview.draft(), [], now=now).draft() == interview.draft()
