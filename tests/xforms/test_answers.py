"""Answering: types, constraints, required, read-only, warnings, and what is kept of what does not parse."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import ChangeKind, NoSuchRefError, NotAnswerableError, NotReadyError, ViolationKind
from tests.xforms.scenario import start, start_xform, value

TYPES = """
| type | name | label | required | constraint | constraint_message | required_message |
| integer | age | Age | yes | . > 0 and . < 120 | Between 1 and 119. | Needed. |
| decimal | weight | Weight | | | | |
| date | born | Born | | | | |
| time | woke | Woke | | | | |
| geopoint | here | Here | | | | |
| select_multiple c | many | Many | | count-selected(.) <= 2 | | |
| note | told | Told | | | | |
| acknowledge | ok | Understood | | | | |
"""
CHOICES = """
| list_name | name | label |
| c | a | A |
| c | b | B |
| c | d | D |
"""


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("age", " 34 ", "34"),
        ("age", "007", "7"),
        ("weight", "1,5", "1.5"),
        ("weight", ".5", "0.5"),
        ("born", "2001-2-3", "2001-02-03"),
        ("woke", "06:30", "06:30"),
        ("here", "0.35 -78.12", "0.35 -78.12 0.0 0.0"),
        ("many", "b a b", "b a"),
        ("ok", "OK", "OK"),
    ],
)
def test_what_parses_is_stored_as_odk_stores_it(name: str, given: str, kept: str) -> None:
    """Each type has one stored form."""
    interview = start(TYPES, CHOICES)
    interview.answer(f"/data/{name}", given)
    question = interview.question(f"/data/{name}")
    assert (question.value, question.raw, question.violation) == (kept, None, None)


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("age", "x", ViolationKind.TYPE),
        ("age", "3.5", ViolationKind.TYPE),
        ("age", "99999999999", ViolationKind.TYPE),
        ("weight", "nan", ViolationKind.TYPE),
        ("born", "2001-02-30", ViolationKind.TYPE),
        ("born", "yesterday", ViolationKind.TYPE),
        ("woke", "25:00", ViolationKind.TYPE),
        ("here", "91 0", ViolationKind.TYPE),
        ("many", "y z", ViolationKind.CHOICE),
    ],
)
def test_what_does_not_parse_is_kept_with_a_violation_and_is_no_value(
    name: str, given: str, kind: ViolationKind
) -> None:
    """Nothing typed is lost, and expressions do not see it."""
    interview = start(TYPES, CHOICES)
    interview.answer(f"/data/{name}", given)
    question = interview.question(f"/data/{name}")
    assert (question.value, question.raw) == (None, given)
    assert question.violation is not None
    assert question.violation.kind is kind
    interview.answer(f"/data/{name}", None)
    assert interview.question(f"/data/{name}").raw is None


def test_of_several_choices_those_that_are_offered_are_the_value() -> None:
    """The whole answer is kept beside them, with its violation, as when the list changes later."""
    interview = start(TYPES, CHOICES)
    interview.answer("/data/many", "a z")
    question = interview.question("/data/many")
    assert (question.value, question.raw) == ("a", "a z")
    assert question.violation is not None
    assert question.violation.kind is ViolationKind.CHOICE


def test_a_constraint_is_skipped_when_blank_and_tells_the_forms_message() -> None:
    """A blank answer is never against a constraint; required says so instead, with its own message."""
    interview = start(TYPES, CHOICES)
    (blank,) = interview.problems()
    assert (blank.kind, blank.message) == (ViolationKind.REQUIRED, "Needed.")
    interview.answer("/data/age", "130")
    (broken,) = interview.problems()
    assert (broken.kind, broken.message) == (ViolationKind.CONSTRAINT, "Between 1 and 119.")
    assert value(interview, "/data/age") == "130", "an answer against a constraint is still the answer"
    interview.answer("/data/age", "13")
    assert interview.problems() == []


def test_a_constraint_that_does_not_name_its_answer_waits_for_one() -> None:
    """The condition is checked when there is an answer, also when only that changed."""
    survey = "| type | name | label | constraint |\n| integer | a | A | |\n| acknowledge | b | B | ${a} = 1 |"
    interview = start(survey)
    interview.answer("/data/a", "2")
    assert interview.problems() == []
    interview.answer("/data/b", "OK")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.CONSTRAINT]
    interview.answer("/data/a", "1")
    assert interview.problems() == []


def test_finalise_names_what_blocks() -> None:
    """No instance while something blocks; the draft is untouched."""
    interview = start(TYPES, CHOICES)
    with pytest.raises(NotReadyError) as caught:
        interview.finalise()
    assert [problem.ref for problem in caught.value.problems] == ["/data/age"]
    interview.answer("/data/age", "30")
    assert interview.finalise().values["/data/age"] == 30


def test_read_only_and_irrelevant_questions_are_not_answerable() -> None:
    """The refusal is typed and nothing changes."""
    interview = start("| type | name | label | relevant |\n| note | told | Told | |\n| text | a | A | 1 = 2 |")
    for ref in ("/data/told", "/data/a"):
        with pytest.raises(NotAnswerableError):
            interview.answer(ref, "x")
    with pytest.raises(NoSuchRefError):
        interview.answer("/data/nobody", "x")


def test_a_calculated_question_is_read_only() -> None:
    """Whoever calculates decides."""
    interview = start_xform(
        "<a>2</a><b/>",
        '<bind nodeset="/data/b" calculate="/data/a * 2"/>',
        '<input ref="/data/a"/><input ref="/data/b"/>',
    )
    question = interview.question("/data/b")
    assert (question.value, question.read_only) == ("4", True)


def test_read_only_is_inherited_from_a_group() -> None:
    """A read-only group makes what is inside read-only."""
    interview = start_xform(
        "<a>1</a><g><b/></g>",
        '<bind nodeset="/data/g" readonly="/data/a = 1"/>',
        '<input ref="/data/a"/><group ref="/data/g"><input ref="/data/g/b"/></group>',
    )
    assert interview.question("/data/g/b").read_only
    interview.answer("/data/a", "2")
    assert not interview.question("/data/g/b").read_only


def test_a_warning_does_not_block_and_is_accepted_with_a_reason() -> None:
    """fs:warning is a soft constraint; the reason is kept, and goes when the answer changes."""
    interview = start_xform(
        "<a/>",
        '<bind nodeset="/data/a" type="int" fs:warning=". &lt; 10" fs:warningMsg="Unusual."/>',
        '<input ref="/data/a"/>',
    )
    interview.answer("/data/a", "12")
    (warning,) = interview.problems()
    assert (warning.kind, warning.message, warning.blocks, warning.accepted) == (
        ViolationKind.WARNING,
        "Unusual.",
        False,
        False,
    )
    interview.accept_warning("/data/a", "counted twice")
    assert interview.problems()[0].accepted
    interview.answer("/data/a", "13")
    assert not interview.problems()[0].accepted
    interview.finalise()


def test_fs_missing_names_its_companion() -> None:
    """The question says which select the keys for "don't know" fill."""
    interview = start_xform(
        "<g><age/><age_missing/></g>",
        '<bind nodeset="/data/g/age" type="int" fs:missing="age_missing"/>',
        '<group ref="/data/g"><input ref="/data/g/age"/><input ref="/data/g/age_missing"/></group>',
    )
    assert interview.question("/data/g/age").missing_ref == "/data/g/age_missing"


def test_an_answer_tells_what_changed_the_answered_node_first() -> None:
    """Values, relevance, required, labels: everything that became different, and nothing else."""
    survey = """
    | type | name | label | relevant | required |
    | integer | a | A | | |
    | text | b | B ${a} | ${a} > 1 | |
    | text | c | C | | ${a} > 1 |
    | text | d | D | | |
    """
    interview = start(survey)
    changes = {change.ref: set(change.kinds) for change in interview.answer("/data/a", "5")}
    assert next(iter(changes)) == "/data/a"
    assert changes["/data/b"] == {ChangeKind.RELEVANT, ChangeKind.LABEL}
    assert changes["/data/c"] == {ChangeKind.REQUIRED, ChangeKind.VALID}
    assert "/data/d" not in changes
    assert interview.answer("/data/a", "5") == interview.answer("/data/a", "5")


def test_a_failing_expression_is_a_value_at_its_node_naming_the_row() -> None:
    """The interview goes on; the violation says where the form has to be mended."""
    survey = """
    | type | name | label | calculation |
    | begin repeat | r | R | |
    | integer | n | N | |
    | end repeat | | | |
    | calculate | bad | | /data/r/n + 1 |
    | text | a | A | |
    """
    interview = start(survey)
    interview.answer("/data/r[1]/n", "1")
    interview.add_repeat("/data/r")
    (problem,) = [problem for problem in interview.problems() if problem.kind is ViolationKind.ERROR]
    assert problem.ref == "/data/bad"
    assert "survey, row 5" in (problem.message or "")
    interview.answer("/data/a", "still here")
    interview.remove_repeat("/data/r", 2)
    assert interview.problems() == []
    assert value(interview, "/data/bad") == "2"
