"""Lists of choices: values that are not there, never offered, twice, not separable, unused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.check import Finding, check_form, find_all
from tests.xforms.scenario import table, xform

SURVEY = """
| type | name | label | relevant | choice_filter |
| select_one area | area | Area | | |
| select_one town | town | Town | | area = ${area} |
| text | probe | Probe | CONDITION | |
"""
CHOICES = """
| list_name | name | label | area |
| area | north | North | |
| area | south | South | |
| town | alpha | Alpha | north |
| town | beta | Beta | south |
"""


def found(condition: str = "", survey: str = SURVEY, choices: str = CHOICES, settings: str = "") -> list[Finding]:
    """What is found with a condition on the last question."""
    return list(find_all(load_form(table(survey.replace("CONDITION", condition), choices, settings))))


def by_code(findings: list[Finding], code: str) -> list[Finding]:
    """Those of one code."""
    return [finding for finding in findings if finding.code == code]


def test_a_value_that_is_no_choice_is_found_with_the_nearest() -> None:
    """`noth` is told, with `north` as what may be meant; a value of the list is not told."""
    (finding,) = by_code(found("${area} = 'noth'"), "choice.unknown")
    assert "'noth'" in finding.message
    assert "north" in finding.remedy
    assert finding.origin is not None
    assert (finding.origin.row, finding.origin.column) == (4, "relevant")
    assert not by_code(found("${area} = 'north' or ${area} != ''"), "choice.unknown")


def test_numbers_as_values_are_compared_as_the_engine_does() -> None:
    """A choice called 1 equals the number 1."""
    choices = CHOICES.replace("north |", "1 |").replace("| north", "| 1")
    assert not by_code(found("${area} = 1", choices=choices), "choice.unknown")
    assert by_code(found("${area} = 2", choices=choices), "choice.unknown")


def test_a_choice_that_no_answer_offers_is_found_at_its_row() -> None:
    """A row whose filter column holds what no answer can be is never offered."""
    assert not by_code(found(), "choice.never")
    (finding,) = by_code(found(choices=CHOICES + "| town | gamma | Gamma | west |"), "choice.never")
    assert "'gamma'" in finding.message
    assert finding.origin is not None
    assert (finding.origin.sheet, finding.origin.row) == ("choices", 6)


def test_choices_left_out_on_purpose_are_not_told() -> None:
    """A filter that reads no answer leaves rows out by design; so do other selects of the list that have them."""
    by_design = SURVEY.replace("area = ${area}", "area = 'north'")
    assert not by_code(found(survey=by_design), "choice.never")
    twice = SURVEY.replace("| text | probe", "| select_one town | any | Any | | true() |\n| text | probe")
    assert not by_code(found(survey=twice, choices=CHOICES + "| town | gamma | Gamma | west |"), "choice.never")


def test_a_filter_that_never_offers_anything_is_an_error() -> None:
    """Every row is ruled out: nobody can answer."""
    (finding,) = by_code(found(survey=SURVEY.replace("area = ${area}", "area = concat(${area}, '!')")), "choices.never")
    assert finding.severity == "error"


def test_a_filter_column_that_the_list_lacks_is_found() -> None:
    """A bare name in a filter is a column; one that is not there is blank, always."""
    (finding,) = by_code(found(survey=SURVEY.replace("area = ${area}", "zone = ${area}")), "filter.column")
    assert "zone" in finding.message


def test_a_value_twice_and_an_unused_list_are_found() -> None:
    """Both with the row of the sheet choices; the same value in a cascade is meant."""
    settings = "| allow_choice_duplicates |\n| yes |"
    choices = CHOICES + "| area | north | North again | |\n| other | x | X | |\n| town | alpha | Alpha too | south |"
    findings = found(choices=choices, settings=settings)
    (twice,) = by_code(findings, "choice.twice")
    assert "'north'" in twice.message
    (unused,) = by_code(findings, "list.unused")
    assert unused.origin is not None
    assert (unused.origin.sheet, unused.origin.row) == ("choices", 7)


def test_choices_that_cannot_be_told_apart_in_an_answer_are_an_error() -> None:
    """Several choices are stored with spaces between them: a value with a space is two."""
    body = (
        '<select ref="/data/a"><label>A</label><item><label>One</label><value>one two</value></item>'
        "<item><label>Three</label><value>three</value></item></select>"
    )
    (finding,) = by_code(list(find_all(load_form(xform("<a/>", "", body)))), "choice.space")
    assert finding.severity == "error"
    assert not by_code(list(find_all(load_form(xform("<a/>", "", body.replace("select", "select1"))))), "choice.space")


def test_a_list_in_a_file_counts_when_the_file_is_there(tmp_path: Path) -> None:
    """With the file its values are known; without it nothing is said."""
    survey = (
        "| type | name | label | relevant |\n| select_one_from_file t.csv | t | T | |\n| text | p | P | ${t} = 'zz' |"
    )
    path = tmp_path / "form.md"
    path.write_bytes(table(survey))
    assert not by_code(list(find_all(load_form(path))), "choice.unknown")
    (tmp_path / "t.csv").write_text("name,label\na,A\n", encoding="utf-8")
    assert by_code(list(find_all(load_form(path))), "choice.unknown")
    (tmp_path / "t.csv").write_text("name,label\nzz,Z\n", encoding="utf-8")
    assert not by_code(list(find_all(load_form(path))), "choice.unknown")


@pytest.mark.parametrize(
    ("kind", "default", "wrong"),
    [
        ("integer", "x3", True),
        ("integer", "3", False),
        ("date", "notadate", True),
        ("date", "2026-03-14", False),
        ("time", "25:70", True),
        ("geopoint", "here", True),
        ("geopoint", "0.3 -78.1", False),
        ("range", "7", True),
        ("range", "4", False),
        ("text", "anything", False),
    ],
)
def test_a_default_that_is_no_answer_is_found(kind: str, default: str, wrong: bool) -> None:
    """It would leave the question blank without a word; what reads as the type is not told."""
    survey = (
        "| type | name | label | default | parameters |\n"
        f"| {kind} | q | Q | {default} | {'start=0 end=10 step=2' if kind == 'range' else ''} |"
    )
    codes = [finding.code for finding in check_form(load_form(table(survey))).findings]
    assert ("default.type" in codes) is wrong
