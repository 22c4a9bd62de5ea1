"""Places as people type and paste them."""

from __future__ import annotations

import pytest

from fieldsurvey.tui import places
from fieldsurvey.tui.places import PlaceError, parse_place
from fieldsurvey.xforms.live.datatypes import stored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3512 -78.1223", "0.3512 -78.1223 0.0 0.0"),
        ("0,3512 -78,1223", "0.3512 -78.1223 0.0 0.0"),
        ("0.3512, -78.1223", "0.3512 -78.1223 0.0 0.0"),
        ("0,3512, -78,1223", "0.3512 -78.1223 0.0 0.0"),
        ("0,3512; -78,1223", "0.3512 -78.1223 0.0 0.0"),
        ("0.3512,-78.1223", "0.3512 -78.1223 0.0 0.0"),
        (" −0.2  −78.5 ", "-0.2 -78.5 0.0 0.0"),
        ("0.3512 -78.1223 2200 5", "0.3512 -78.1223 2200.0 5.0"),
        ("0.3512 -78.1223 2200 m ±5 m", "0.3512 -78.1223 2200.0 5.0"),
        ("0 -78", "0.0 -78.0 0.0 0.0"),
        ("0°21'04.3\"N 78°07'20.1\"W", "0.3511944 -78.12225 0.0 0.0"),
        ("0° 21′ 4,3″ N, 78° 7′ 20,1″ O", "0.3511944 -78.12225 0.0 0.0"),
        ("0º21'4''n 78º7'20''o", "0.3511111 -78.1222222 0.0 0.0"),
        ("N 0° 21.072' W 78° 7.335'", "0.3512 -78.12225 0.0 0.0"),
        ("78.1223° W 0.3512° N", "0.3512 -78.1223 0.0 0.0"),
        ("0.3512 S 78.1223 W", "-0.3512 -78.1223 0.0 0.0"),
        ("0 21 4 N 78 7 20 W 2210 m", "0.3511111 -78.1222222 2210.0 0.0"),
        ("-0°21'4\" -78°7'20\"", "-0.3511111 -78.1222222 0.0 0.0"),
        ("0.3512° -78.1223°", "0.3512 -78.1223 0.0 0.0"),
        ("geo:0.3512,-78.1223,2200;u=5", "0.3512 -78.1223 2200.0 5.0"),
        ("0.00001 -78.5", "0.00001 -78.5 0.0 0.0"),
    ],
)
def test_read(text: str, expected: str) -> None:
    """Every way of writing a place gives the stored form, which the engine takes as it is."""
    place = parse_place(text)
    assert place.stored() == expected
    assert stored(place.stored(), "geopoint") is not None
    assert parse_place(place.shown()) == place


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", places.BLANK),
        ("casa azul", places.UNREADABLE),
        ("0,3512", places.ONE_NUMBER),
        ("0,35,-78,12", places.ONE_NUMBER),
        ("0.3512", places.ONE_NUMBER),
        ("0°21'4\"", places.ONE_NUMBER),
        ("-78.1223 0.3512 x", places.UNREADABLE),
        ("91 0", places.LATITUDE),
        ("0 180.5", places.LONGITUDE),
        ("91 N 0 E", places.LATITUDE),
        ("0°61'0\"N 78°0'0\"W", places.SIXTY),
        ("0°0'60\"N 78°0'0\"W", places.SIXTY),
        ("-0.35 S 78 W", places.TWO_SIGNS),
        ("0.35 N 78 N", places.SAME_AXIS),
        ("0.35 N 78", places.SAME_AXIS),
        ("0.5°21'N 78°W", places.UNREADABLE),
        ("1 2 3 4 5", places.UNREADABLE),
        ("0.35 -78.12 2200 -5", places.UNREADABLE),
        ("1e-5 0", places.SAME_AXIS),
        ("٣ ٤", places.UNREADABLE),
    ],
)
def test_refused_with_the_reason(text: str, reason: str) -> None:
    """What is no place, or could be two, is refused, and the reason says which."""
    with pytest.raises(PlaceError) as caught:
        parse_place(text)
    assert str(caught.value) == reason
    assert places.fault(text) == reason


def test_said_back_in_words() -> None:
    """North or south, east or west; height and accuracy where they are known; an impossible height is pointed at."""
    assert parse_place("0.3512 -78.1223").words() == "0.3512° north, 78.1223° west"
    assert parse_place("-2 79.5 2200 5").words() == "2° south, 79.5° east, 2200 m high, within 5 m"
    assert "no ground is there" in parse_place("0 0 22000 5").words()
