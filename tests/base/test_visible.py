"""What is not ours can be read and does nothing: the list of what acts comes from the standards, not from the code."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.base.errors import InputError
from fieldsurvey.base.visible import filled, visible, visible_json, visible_lines

ANY = st.text(st.characters(exclude_categories=()))
"""Lone surrogates too, as file names have them."""
ACTS = (
    {chr(n) for n in (*range(0x20), *range(0x7F, 0xA0))}  # C0, DEL, C1: ECMA-48
    | set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # UAX #9, table 4
    | set("\u2028\u2029")
    | set("\u00ad\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2064\u3164\ufeff\uffa0\ufe0f\U000e0041")  # no width
)


@pytest.mark.parametrize("letter", sorted(ACTS), ids=ascii)
def test_what_acts_or_hides_is_an_escape(letter: str) -> None:
    """Each is printed as it is by Python: the control; here as letters and digits."""
    assert letter in f"a{letter}b"
    shown = visible(f"a{letter}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert shown == "a" + letter.encode("unicode_escape").decode() + "b"


@pytest.mark.parametrize(
    "text", ["Río Blanco", "ñandú ✓ «»", "ノート", "C:\\Users", "[bold]x[/]", "100\u00a0%", "e\u0301"]
)
def test_what_people_write_stays(text: str) -> None:
    """Accents, signs, other scripts, backslashes, brackets, a space that does not break."""
    assert visible(text) == text
    assert visible_lines(text) == text


@given(ANY)
def test_anything_can_be_printed_on_one_line(text: str) -> None:
    """Whatever a file is called: UTF-8 holds it, it is one line, and showing it twice changes nothing."""
    shown = visible(text)
    assert shown.encode("utf-8").decode() == shown
    assert len(shown.splitlines()) <= 1
    assert not ACTS & set(shown)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert visible(shown) == shown


@given(ANY)
def test_lines_of_ours_keep_their_ends(text: str) -> None:
    """Line ends and tabs stay, nothing else that acts."""
    assert not (ACTS - {"\n", "\t"}) & set(visible_lines(text))
    assert visible_lines(text).split("\n") == [visible_lines(line) for line in text.split("\n")]


@given(st.dictionaries(ANY, ANY))
def test_json_says_the_same_to_a_program(data: dict[str, str]) -> None:
    """It can be printed, acts on nothing, and reads back as it was, halves of characters too."""
    shown = visible_json(data)
    assert not ACTS & set(shown)
    assert shown.encode("utf-8")
    assert json.loads(shown) == data


class HostileError(InputError):
    """Takes what strangers wrote."""

    code = "input.synthetic_hostile"
    template = "{name} cannot be used:\n{lines}"
    hint = "Leave {name} out."


def test_an_error_shows_what_strangers_wrote_and_keeps_its_own_lines() -> None:
    """A name cannot begin a line; a list of ours is lines."""
    error = HostileError(name="a\nDONE\x1b[2A", lines=["one\r", "two"])
    assert error.message == "a\\nDONE\\x1b[2A cannot be used:\none\\r\ntwo"
    assert error.advice == "Leave a\\nDONE\\x1b[2A out."


def test_filling_formats_numbers_and_reads_no_attributes_of_names() -> None:
    """Numbers take their format; braces in a name are letters."""
    assert filled("{n:>4} {name}", n=7, name="{n}\u202e") == "   7 {n}\\u202e"
