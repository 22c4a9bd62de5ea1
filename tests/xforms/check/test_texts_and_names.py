"""Missing translations, messages without a rule, names in each other's way, what has no effect."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.check import find_all
from tests.xforms.scenario import table


def found(survey: str, choices: str = "") -> list[tuple[str, str, int, str]]:
    """(code, sheet, row, column) of each finding."""
    return [
        (
            f.code,
            f.origin.sheet if f.origin else "",
            f.origin.row if f.origin else 0,
            f.origin.column if f.origin else "",
        )
        for f in find_all(load_form(table(survey, choices)))
    ]


def test_each_missing_translation_is_named_by_its_cell() -> None:
    """Labels, hints, messages and choices; what is there in both languages is not told."""
    survey = """
| type | name | label::Uno | label::Two | hint::Uno | required | required_message::Uno |
| integer | age | Edad | | En años | yes | Es necesaria |
| select_one l | c | Color | Colour | | | |
| note | n | Nota | Note | | | |
"""
    choices = """
| list_name | name | label::Uno | label::Two |
| l | r | Rojo | Red |
| l | g | Verde | |
"""
    missing = [entry for entry in found(survey, choices) if entry[0] == "translation.missing"]
    assert missing == [
        ("translation.missing", "survey", 2, "label::Two"),
        ("translation.missing", "survey", 2, "hint::Two"),
        ("translation.missing", "survey", 2, "required_message::Two"),
        ("translation.missing", "choices", 3, "label::Two"),
    ]


def test_a_form_in_one_language_misses_nothing() -> None:
    """Without languages there is nothing to translate."""
    assert found("| type | name | label |\n| text | a | A |") == []


def test_a_media_file_in_one_language_only_is_a_note() -> None:
    """A picture that only one language has."""
    survey = "| type | name | label::A | label::B | image::A |\n| text | a | A | B | x.png |"
    assert [entry for entry in found(survey) if entry[0] == "translation.missing"] == [
        ("translation.missing", "survey", 2, "image::B")
    ]


@pytest.mark.parametrize(
    ("survey", "expected"),
    [
        ("| type | name | label | required |\n| text | a | A | |\n| note | n | N | yes |", "required.note"),
        ("| type | name | label | constraint_message |\n| text | a | A | Why |", "message.unused"),
        ("| type | name | label | constraint |\n| integer | a | A | . > 1 |", "message.none"),
        ("| type | name | label |\n| text | town | A |\n| text | Town | B |", "name.case"),
        ("| type | name | label |\n| text | KEY | A |", "name.reserved"),
        (
            "| type | name | label | calculation |\n| text | a | A | |\n| calculate | c | | 1 + 1 |",
            "calculation.unused",
        ),
        ("| type | name | label | relevant |\n| text | a | A | ${b} = 1 |\n| integer | b | B | |", "relevant.later"),
        (
            "| type | name | label |\n| begin group | g | G |\n| text | a | A |\n| end group | | |\n| text | a | B |",
            "name.shadow",
        ),
    ],
)
def test_what_gets_in_the_way_is_found(survey: str, expected: str) -> None:
    """Each of these is told once."""
    assert [entry[0] for entry in found(survey)].count(expected) == 1


def test_a_form_that_asks_nothing_is_an_error() -> None:
    """Only calculations: nobody can answer it."""
    assert ("form.empty", "", 0, "") in found("| type | name | label | calculation |\n| calculate | c | | 1 |")


def test_calculations_that_something_reads_are_used() -> None:
    """In a label, in a condition, in another calculation."""
    survey = """
| type | name | label | calculation | relevant |
| integer | n | N | | |
| calculate | a | | ${n} + 1 | |
| calculate | b | | ${a} + 1 | |
| note | c | ${b} | | |
"""
    assert found(survey) == []


def test_a_question_of_a_loop_is_not_in_its_own_way() -> None:
    """A loop makes a copy of its row for each choice; another row of that name is told once a copy."""
    loop = "| type | name | label |\n| begin loop over l | lo | L |\n| text | many | M |\n| end loop | | |"
    choices = "| list_name | name | label |\n| l | x | X |\n| l | y | Y |"
    assert "name.shadow" not in [entry[0] for entry in found(loop, choices)]
    assert "name.shadow" in [entry[0] for entry in found(loop + "\n| text | many | N |", choices)]
