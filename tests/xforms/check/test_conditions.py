"""Questions that can never be asked, conditions that are always the same, rules that nothing satisfies."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.check import Finding, Severity, find_all
from tests.xforms.scenario import table, xform

CHOICES = """
| list_name | name | label | of |
| sex | m | M | |
| sex | f | F | |
| crop | maize | Maize | |
| crop | none | None | |
| city | rome | Rome | m |
| city | oslo | Oslo | f |
"""
HEAD = "| type | name | label | relevant | constraint | required | calculation | choice_filter | default |"
QUESTIONS = """
| select_one sex | sex | Sex | | | | | | |
| integer | age | Age | | . >= 0 and . <= 120 | | | | |
| select_multiple crop | crops | Crops | | not(selected(., 'none') and count-selected(.) > 1) | | | | |
| calculate | adult | | | | | if(${age} >= 18, 'yes', 'no') | | |
| select_one city | city | City | | | | | of = ${sex} | |
"""


def found(*rows: str) -> list[Finding]:
    """What is found in the questions above with more rows after them (from row 7)."""
    source = table("\n".join([HEAD, QUESTIONS.strip(), *rows]), CHOICES)
    quiet = {"message.none", "calculation.unused"}
    return [finding for finding in find_all(load_form(source)) if finding.code not in quiet]


def codes(*rows: str) -> list[str]:
    """Their codes."""
    return [finding.code for finding in found(*rows)]


def asked_when(condition: str) -> str:
    """A row that is asked on a condition."""
    return f"| text | probe | Probe | {condition} | | | | | |"


@pytest.mark.parametrize(
    ("never", "sometimes"),
    [
        ("${age} > 20 and ${age} < 10", "${age} > 10 and ${age} < 20"),
        ("${sex} = 'm' and ${sex} = 'f'", "${sex} = 'm' or ${sex} = 'f'"),
        ("selected(${crops}, 'maize') and not(selected(${crops}, 'maize'))", "selected(${crops}, 'maize')"),
        ("${adult} = 'yes' and ${age} < 10", "${adult} = 'no' and ${age} < 10"),
        ("${age} >= 5 and not(${age} > 4)", "${age} >= 5 and not(${age} > 5)"),
        (
            "(${sex} = 'm' or ${age} > 5) and ${sex} = 'f' and ${age} < 3",
            "(${sex} = 'm' or ${age} > 2) and ${sex} = 'f'",
        ),
        ("${age} + 1 < 0 and ${age} > 0", "${age} + 1 > 0 and ${age} > 0"),
        ("count-selected(${crops}) > 2", "count-selected(${crops}) > 1"),
        ("${age} = 1.5", "${age} = 1"),
        ("${age} > 3 and ${age} < 4", "${age} > 3 and ${age} < 5"),
    ],
)
def test_contradictions_are_unreachable_and_their_twins_are_not(never: str, sometimes: str) -> None:
    """A condition that cannot hold makes a question unreachable, at its row; one that can is left alone."""
    wrong = [finding for finding in found(asked_when(never)) if finding.code in {"unreachable", "comparison.never"}]
    assert wrong
    origin = wrong[0].origin
    assert origin is not None
    assert (origin.sheet, origin.row, origin.column) == ("survey", 7, "relevant")
    assert "unreachable" not in codes(asked_when(sometimes))


def test_a_condition_and_those_around_it_are_read_together() -> None:
    """A question that contradicts its group names both rows; the group is told once, not each question in it."""
    rows = [
        "| begin group | women | Women | ${sex} = 'f' | | | | | |",
        "| text | a | A | ${sex} = 'm' | | | | | |",
        "| text | b | B | | | | | | |",
        "| end group | | | | | | | | |",
        "| begin group | nobody | Nobody | ${age} < 0 and ${age} > 0 | | | | | |",
        "| text | c | C | | | | | | |",
        "| text | d | D | ${sex} = 'm' | | | | | |",
        "| end group | | | | | | | | |",
    ]
    wrong = [finding for finding in found(*rows) if finding.code == "unreachable"]
    assert [finding.ref for finding in wrong] == ["/data/women/a", "/data/nobody"]
    assert "row 7" in wrong[0].message
    assert "row 8" in wrong[0].message
    assert "2 questions" in wrong[1].message


def test_what_must_be_answered_must_have_been_asked() -> None:
    """A condition on an answer takes on the conditions under which that answer is asked for."""
    rows = ["| text | child | Child | ${age} < 10 | | | | | |", asked_when("${child} != '' and ${age} > 20")]
    assert "unreachable" in codes(*rows)
    assert "unreachable" not in codes(rows[0], asked_when("${child} = '' and ${age} > 20"))


@pytest.mark.parametrize(
    "condition",
    ["${age} > 130", "selected(${crops}, 'none') and selected(${crops}, 'maize')", "${city} = 'rome' and ${sex} = 'f'"],
)
def test_what_only_a_broken_rule_reaches_is_told_apart(condition: str) -> None:
    """Constraints and choice filters are kept by whoever finishes: what they exclude is asked only by mistake."""
    assert codes(asked_when(condition)) == ["unreachable.rules"]


def test_a_condition_that_is_switched_off_is_a_note() -> None:
    """`false()` is meant: messages are kept that way."""
    (finding,) = found(asked_when("false()"))
    assert (finding.code, finding.severity) == ("switched-off", Severity.NOTE)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (asked_when("${sex} != 'm' or ${sex} != 'f'"), "condition.always"),
        ("| text | probe | Probe | | | ${age} < 0 and ${age} > 0 | | | |", "condition.never"),
        ("| text | probe | Probe | | | string-length(${sex}) >= 0 | | | |", "condition.always"),
        ("| integer | probe | Probe | | . > 5 and . < 3 | | | | |", "constraint.never"),
        ("| integer | probe | Probe | | . > -9999999999 | | | | |", "constraint.always"),
        ("| integer | probe | Probe | | . > 5 | | | | 3 |", "default.constraint"),
        ("| select_one sex | probe | Probe | | . = 'x' | | | | |", "constraint.never"),
        ("| select_one sex | probe | Probe | | | | | | x |", "default.unknown"),
        ("| calculate | probe | | | | | if(${age} = 1.5, 1, 0) | | |", "comparison.never"),
        ("| calculate | probe | | . > 1 | . > 1 | | ${age} | | |", "constraint.calculation"),
    ],
)
def test_what_is_always_the_same_is_found(row: str, code: str) -> None:
    """Conditions, rules and defaults that leave nothing open."""
    if ". > 1 | . > 1" in row:
        row = row.replace(". > 1 | . > 1", " | . > 1")
    assert code in codes(row)


def test_ordinary_rules_say_nothing() -> None:
    """Rules as authors write them are left alone."""
    rows = [
        "| integer | n | N | ${age} >= 18 | . > 0 and . < ${age} | ${sex} = 'f' | | | 3 |",
        "| date | when | When | | . <= today() and . >= date('2020-01-01') | yes | | | |",
        "| text | code | Code | | regex(., '[A-Z]{3}') and . != '' | | | | |",
        "| begin repeat | child | Child | | | | | | |",
        "| integer | years | Years | position(..) > 1 or ${age} > 12 | . < ${age} | | | | |",
        "| end repeat | | | | | | | | |",
        "| note | all | ${adult} | count(${child}) > 1 and sum(${years}) > 10 | | | | | |",
    ]
    assert codes(*rows) == []


def test_a_repeat_that_has_no_instances_is_unreachable() -> None:
    """A count that is never one leaves out what is inside."""
    source = table(
        "| type | name | label | repeat_count |\n| integer | n | N | |\n| begin repeat | r | R | ${n} * 2 |\n"
        "| text | t | T | |\n| end repeat | | | |"
    )
    assert "unreachable" not in [finding.code for finding in find_all(load_form(source))], "n may be anything"
    source = source.replace(b"${n} * 2", b"if(${n} > 3 and ${n} < 2, 1, 0)")
    assert "unreachable" in [finding.code for finding in find_all(load_form(source))]


def test_lines_of_an_xform_are_named() -> None:
    """A hand-written XForm has lines instead of rows."""
    bind = (
        '<bind nodeset="/data/a" type="int"/>\n<bind nodeset="/data/b" relevant="/data/a &gt; 3 and /data/a &lt; 2"/>'
    )
    body = '<input ref="/data/a"><label>A</label></input><input ref="/data/b"><label>B</label></input>'
    (finding,) = find_all(load_form(xform("<a/><b/>", bind, body)))
    assert finding.code == "unreachable"
    assert finding.origin is not None
    assert (finding.origin.sheet, finding.origin.column) == ("XML", "relevant")
    assert "/data/a > 3" in finding.message


def test_large_conditions_are_given_up_within_bounds() -> None:
    """Hundreds of alternatives over many answers end, and what was not followed is admitted or harmless."""
    names = [f"q{number}" for number in range(40)]
    rows = [f"| select_one sex | {name} | {name} | | | | | | |" for name in names]
    either = " and ".join(f"(${{{one}}} = 'm' or ${{{other}}} = 'f')" for one in names[:20] for other in names[20:40])
    assert "unreachable" not in codes(*rows, asked_when(either))
