"""What people type, as it is stored and shown again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fieldsurvey.tui.typed import in_words, read, shown

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("integer", " 12 ", "12"),
        ("decimal", "12,5", "12.5"),
        ("decimal", "1.5", "1.5"),
        ("decimal", "1.500,5", "1.500,5"),  # not guessed at: the engine says that it is no number
        ("date", "5/3/2024", "2024-03-05"),
        ("date", "05032024", "2024-03-05"),
        ("date", "5-3-2024", "2024-03-05"),
        ("date", "2024-03-05", "2024-03-05"),
        ("date", "today", "2026-03-05"),
        ("date", "yesterday", "2026-03-04"),
        ("date", "31/2/2024", "31/2/2024"),
        ("date", "5/3/24", "5/3/24"),
        ("time", "14:30", "14:30:00"),
        ("time", "1430", "14:30:00"),
        ("time", "25:00", "25:00"),
        ("dateTime", "5/3/2024 14:30", "2024-03-05T14:30:00+00:00"),
        ("text", " two  words ", " two  words "),
        ("text", "   ", None),
    ],
)
def test_read(kind: str, text: str, stored: str | None) -> None:
    """Readable text becomes what the form stores; unreadable text is kept as it is, so nothing typed is lost."""
    assert read(kind, text, NOW) == stored


@pytest.mark.parametrize(
    ("kind", "stored", "appearance"),
    [
        ("date", "2024-03-05", ()),
        ("date", "2024-03-01", ("month-year",)),
        ("date", "2024-01-01", ("year",)),
        ("time", "14:30:00", ()),
        ("integer", "12", ()),
    ],
)
def test_shown_and_read_are_inverse(kind: str, stored: str, appearance: tuple[str, ...]) -> None:
    """What is shown for a stored value reads back as that value."""
    assert read(kind, shown(kind, stored, None, appearance), NOW, appearance) == stored


def test_raw_text_is_shown_as_typed() -> None:
    """Text that did not parse comes back in the editor."""
    assert shown("integer", None, "mucho") == "mucho"


def test_a_date_is_said_in_words() -> None:
    """A typed date is repeated with its weekday; what is no date says nothing."""
    assert in_words("date", "5/3/2024", NOW) == "Tuesday 5 March 2024"
    assert in_words("date", "3/2024", NOW, ("month-year",)) == "March 2024"
    assert in_words("date", "31/2/2024", NOW) == ""
    assert in_words("text", "5/3/2024", NOW) == ""
