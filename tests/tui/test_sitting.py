"""An interview led without a screen, over the real engine."""

from __future__ import annotations

import pytest
from pyxform.xls2xform import convert

from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.tui.missing import Missing
from fieldsurvey.tui.sitting import MissingRefusedError, PageKind, Sitting, Step
from tests.tui.memory import DATA, LANGUAGES, MemoryWork


@pytest.fixture
def work() -> MemoryWork:
    """A blank interview."""
    return MemoryWork()


@pytest.fixture
def sitting(work: MemoryWork) -> Sitting:
    """Required answers are asked for at once."""
    return Sitting(work, required_waits=False)


def to(sitting: Sitting, ref: str) -> None:
    """Stand on a question."""
    sitting.go_to(ref)


@pytest.mark.parametrize("name", ["types", "editors"])
def test_the_synthetic_forms_are_what_their_sheets_say(name: str) -> None:
    """types.xml and editors.xml are pyxform's translations of types.md and editors.md."""
    assert convert(xlsform=DATA / f"{name}.md", validate=False, pretty_print=True).xform == (
        DATA / f"{name}.xml"
    ).read_text(encoding="utf-8")


def test_going_on_saves_and_shows_the_next(sitting: Sitting) -> None:
    """Forward saves what was typed and moves one question on; back shows the answer again."""
    assert sitting.page().ref == "/data/hello"
    assert sitting.forward({}) is Step.MOVED
    assert sitting.forward({"/data/zone": "Sintética"}) is Step.MOVED
    sitting.back({})
    assert (sitting.page().ref, sitting.page().questions[0].value) == ("/data/zone", "Sintética")


@pytest.mark.parametrize("value", ["99", "mucho"])
def test_a_hard_violation_stops_going_on_but_never_going_back(sitting: Sitting, value: str) -> None:
    """A constraint or a type error keeps the page on "next"; "back" saves the same text and goes."""
    to(sitting, "/data/people")
    assert sitting.forward({"/data/people": value}) is Step.BLOCKED
    assert sitting.page().ref == "/data/people"
    sitting.back({"/data/people": value})
    assert sitting.page().ref != "/data/people"
    question = sitting.question("/data/people")
    assert value in {question.value, question.raw}


def test_a_required_blank_stops_unless_it_waits_for_the_review(work: MemoryWork) -> None:
    """`required` is the only violation that the policy can put off."""
    for waits, wanted in ((False, Step.BLOCKED), (True, Step.MOVED)):
        sitting = Sitting(MemoryWork(), required_waits=waits)
        to(sitting, "/data/people")
        assert sitting.forward({}) is wanted


def test_a_warning_is_shown_once_and_accepted_with_a_reason(sitting: Sitting) -> None:
    """First "next" warns, the second asks for a reason, the reason lets it pass; another answer warns anew."""
    to(sitting, "/data/people")
    assert sitting.forward({"/data/people": "20"}) is Step.WARNED
    assert sitting.forward({"/data/people": "21"}) is Step.WARNED
    assert sitting.forward({}) is Step.REASON
    question = sitting.warned()
    assert question is not None
    assert question.ref == "/data/people"
    sitting.accept("/data/people", "synthetic reason")
    assert sitting.forward({}) is Step.MOVED


def test_missing_codes_go_to_the_companion_and_satisfy_required(sitting: Sitting) -> None:
    """F5 clears the number, fills the companion, and going on is allowed; the companion has no page of its own."""
    to(sitting, "/data/people")
    sitting.put("/data/people", "99")
    option = sitting.put_missing("/data/people", Missing.DONT_KNOW)
    assert option is not None
    assert option.ref == "/data/people_missing"
    question = sitting.question("/data/people")
    assert question.value is None
    assert sitting.missing_of(question) == option
    assert sitting.forward({}) is Step.MOVED
    assert sitting.page().ref == "/data/since"
    sitting.back({})
    assert sitting.page().ref == "/data/people"


def test_an_answer_replaces_a_missing_code(sitting: Sitting) -> None:
    """Typing a number after "doesn't know" clears the code: never both."""
    to(sitting, "/data/people")
    sitting.put_missing("/data/people", Missing.DONT_KNOW)
    sitting.put("/data/people", "4")
    assert sitting.question("/data/people_missing").value is None
    assert sitting.question("/data/people").value == "4"


def test_a_missing_code_that_the_form_refuses_changes_nothing(sitting: Sitting) -> None:
    """The companion's own constraint is heeded: the answer stands as it was, and the form's reason is told."""
    to(sitting, "/data/people")
    sitting.put("/data/people", "4")
    with pytest.raises(MissingRefusedError) as caught:
        sitting.put_missing("/data/people", Missing.NOT_APPLICABLE)
    assert "Aquí no cabe" in caught.value.message
    assert (sitting.question("/data/people").value, sitting.question("/data/people_missing").value) == ("4", None)


def test_missing_codes_of_a_select_are_its_own_choices(sitting: Sitting) -> None:
    """A select that has the policy's code answers with it; a question without any says so."""
    to(sitting, "/data/water")
    option = sitting.put_missing("/data/water", Missing.PREFERS_NOT)
    assert option is not None
    assert sitting.question("/data/water").value == "prefers_not"
    assert sitting.put_missing("/data/zone", Missing.DONT_KNOW) is None


def test_undo_takes_back_answers_one_by_one(sitting: Sitting) -> None:
    """Saves while typing are one step; a missing code and the answer it replaced come back together."""
    to(sitting, "/data/zone")
    sitting.put("/data/zone", "S")
    sitting.put("/data/zone", "Si")
    to(sitting, "/data/people")
    sitting.put("/data/people", "4")
    sitting.put_missing("/data/people", Missing.DONT_KNOW)
    assert sitting.undo() == "/data/people_missing"
    assert (sitting.question("/data/people").value, sitting.question("/data/people_missing").value) == ("4", None)
    assert sitting.undo() == "/data/people"
    assert sitting.undo() == "/data/zone"
    assert sitting.page().ref == "/data/zone"
    assert sitting.page().questions[0].value is None
    assert sitting.undo() is None


def test_undo_of_an_answer_that_is_no_longer_asked_takes_the_one_before(sitting: Sitting) -> None:
    """An irrelevant question cannot be gone to: undo goes on to what can."""
    to(sitting, "/data/water")
    sitting.put("/data/water", "yes")
    to(sitting, "/data/pays")
    sitting.put("/data/pays", "no")
    sitting.work.answer("/data/water", "no")
    assert sitting.undo() == "/data/water"


def test_a_field_list_is_one_page_and_follows_relevance(sitting: Sitting) -> None:
    """Questions of a field-list stand together; one that becomes relevant joins them."""
    to(sitting, "/data/present/women")
    page = sitting.page()
    assert page.kind is PageKind.FIELDS
    assert [q.name for q in page.questions] == ["women", "men"]
    sitting.put("/data/present/men", "5")
    assert [q.name for q in sitting.page().questions] == ["women", "men", "others"]


def test_a_repeat_is_a_table_with_rows(sitting: Sitting) -> None:
    """Add goes to the new row's first question; the table shows what rows hold; remove renumbers."""
    first = sitting.add("/data/person")
    assert sitting.page().ref == f"{first}/age"
    sitting.put(f"{first}/age", "40")
    sitting.put(f"{first}/works", "yes")
    while sitting.page().kind is not PageKind.REPEAT:
        assert sitting.forward({}) is Step.MOVED
    rows = sitting.page().rows
    assert "40 · Sí" in [row.label for row in rows]
    before = len(rows)
    position = next(row.position for row in rows if row.label == "40 · Sí")
    sitting.remove("/data/person", position)
    assert len(sitting.page().rows) == before - 1
    assert "40 · Sí" not in [row.label for row in sitting.page().rows]


def test_progress_counts_what_is_asked(sitting: Sitting) -> None:
    """Companions are not questions of their own; answers count."""
    to(sitting, "/data/people")
    sitting.page()
    before = sitting.progress()
    sitting.put("/data/people", "4")
    after = sitting.progress()
    assert (before.number, before.asked) == (3, after.asked)
    assert after.answered == before.answered + 1


def test_the_first_problem_and_the_end(sitting: Sitting) -> None:
    """The first problem is in form order; mended, there is none."""
    assert sitting.first_problem() == "/data/people"
    assert sitting.blocking() == 2
    sitting.put("/data/people", "4")
    assert sitting.first_problem() == "/data/water"
    sitting.put("/data/water", "no")
    assert (sitting.first_problem(), sitting.blocking()) == (None, 0)


def test_a_full_disk_keeps_the_page_and_the_next_save_catches_up(work: MemoryWork, sitting: Sitting) -> None:
    """A save that fails raises before anything moves; the same values sent again make all of it durable."""
    to(sitting, "/data/zone")
    work.fail = NoSpaceError(place="disk")
    with pytest.raises(NoSpaceError):
        sitting.forward({"/data/zone": "Sintética"})
    assert sitting.page().ref == "/data/zone"
    assert not work.saved
    work.fail = None
    assert sitting.forward({"/data/zone": "Sintética"}) is Step.MOVED
    assert work.saved


def test_language_changes_labels_and_keeps_place_and_answer(sitting: Sitting) -> None:
    """In place: the same question in the other language, with its answer."""
    to(sitting, "/data/zone")
    sitting.put("/data/zone", "Sintética")
    sitting.work.set_language(LANGUAGES[1])
    page = sitting.page()
    assert page.title == "What is this area called?"
    assert page.questions[0].value == "Sintética"
