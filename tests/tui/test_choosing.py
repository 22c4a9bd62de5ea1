"""Choosing by code and by letters."""

from __future__ import annotations

import pytest

from fieldsurvey.tui.choosing import ROWS, Chooser, fold
from fieldsurvey.xforms.contract import Choice

PLACES = [Choice("a", "Ángel Pamba"), Choice("b", "San Miguel de Urcuquí"), Choice("c", "Nueva Pamba"), *(
    Choice(f"x{i}", f"Sintético {i}") for i in range(10)
)]  # fmt: skip


def chooser(*, multiple: bool = False, value: str | None = None) -> Chooser:
    """Thirteen places."""
    return Chooser(PLACES, multiple=multiple, value=value)


def typed(one: Chooser, text: str) -> list[str]:
    """The values that fit after typing."""
    for character in text:
        one.type(character)
    return [one.choices[i].value for i in one.matches()]


def test_fold_ignores_case_and_accents() -> None:
    """The same letters are one, whatever their case and accents."""
    assert fold("ÁNGEL ñandú") == fold("angel NANDU")


@pytest.mark.parametrize(
    ("text", "found"),
    [("angel", ["a"]), ("PAMBA", ["a", "c"]), ("nueva", ["c"]), ("mig urc", ["b"]), ("zzz", [])],
)
def test_letters_filter(text: str, found: list[str]) -> None:
    """Every word typed must be found; nothing fits where nothing does."""
    assert typed(chooser(), text) == found


def test_what_begins_with_the_letters_comes_first() -> None:
    """ "an" offers Ángel before San."""
    assert typed(chooser(), "an")[:2] == ["a", "b"]


def test_codes_are_places_from_one_or_the_values_where_they_are_numbers() -> None:
    """Values that are all numbers are the codes; else options are counted."""
    assert chooser().codes[:2] == ("1", "2")
    assert Chooser([Choice("0", "No"), Choice("88", "Otro")], multiple=False, value=None).codes == ("0", "88")


def test_a_code_that_begins_a_longer_one_waits() -> None:
    """`1` of 13 is a code but not whole; `13` is."""
    one = chooser()
    typed(one, "1")
    assert (one.code_index, one.code_is_whole) == (0, False)
    typed(one, "3")
    assert (one.code_index, one.code_is_whole) == (12, True)


def test_several_are_kept_in_the_forms_order() -> None:
    """The order in which options were marked does not change what is stored; a value no longer offered stays."""
    several = chooser(multiple=True, value="gone c")
    several.choose(0)
    assert several.value == "a c gone"
    several.choose(0)
    assert several.value == "c gone"


def test_a_single_choice_is_taken_back_only_when_asked() -> None:
    """Choosing the chosen one again keeps it; Space takes it back."""
    one = chooser(value="a")
    one.choose(0)
    assert one.value == "a"
    one.choose(0, back=True)
    assert one.value is None


def test_a_long_list_lays_out_few_rows_and_what_is_chosen() -> None:
    """Of 20,000 options at most 200 are laid out, and the chosen one is among them."""
    many = Chooser([Choice(f"v{i}", f"Sintético {i}") for i in range(20_000)], multiple=False, value="v19999")
    rows = many.rows()
    assert len(rows) == ROWS + 1
    assert rows[0] == 19_999
