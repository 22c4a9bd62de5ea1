"""Places collapse before anything is suppressed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.needs.places import Places, collapse
from tests.needs.release.made import GAZETTEER

CODES = [parish.code for parish in GAZETTEER.parishes]


def places(numbers: dict[str, int]) -> Places:
    """The places of a release with these interviews by parish."""
    return collapse(GAZETTEER, numbers, 10)


def test_large_parishes_stand_alone() -> None:
    """With ten interviews each, every parish has a place of its own, in its canton."""
    found = places({"100150": 10, "100151": 30, "100250": 20})
    assert found.nodes == ("", "1001", "1002", "100150", "100151")
    assert dict(found.families)["1001"] == ("100150", "100151")


def test_small_parishes_are_joined_with_the_next_until_nothing_can_be_subtracted() -> None:
    """A parish with 3 is joined with the smallest other; alone it would be the canton less the rest."""
    found = places({"100150": 40, "100151": 12, "100152": 3})
    assert found.nodes == ("", "1001", "100150", "1001-rest")
    assert found.area_of == {"100150": "100150", "100151": "1001-rest", "100152": "1001-rest"}


def test_a_canton_of_two_is_not_split_when_one_is_small() -> None:
    """Forty and three cannot be told apart without telling of the three."""
    assert places({"100150": 40, "100151": 3, "100250": 50}).nodes == ("", "1001", "1002")


def test_small_cantons_are_joined_too() -> None:
    """A canton with four interviews is joined with the smallest other canton."""
    found = places({"100150": 60, "100250": 4, "100350": 20})
    assert found.nodes == ("", "1001", "rest")
    assert found.level("rest") == "joined"


def test_with_next_to_nothing_there_is_only_the_province() -> None:
    """Three in one canton and four in another: one place."""
    found = places({"100150": 3, "100250": 4})
    assert found.nodes == ("",)
    assert found.families == ()


@given(st.dictionaries(st.sampled_from(CODES), st.integers(0, 40), min_size=1, max_size=15))
def test_no_place_and_no_difference_of_places_is_small(numbers: dict[str, int]) -> None:
    """Every place with interviews has ten or is the province; every visited parish lies in exactly one area."""
    found = places(numbers)
    counts = {area.code: sum(numbers[p] for p in area.parishes) for area in found.areas}
    listed = [parish for area in found.areas for parish in area.parishes]
    assert sorted(listed) == sorted(numbers)
    if len(found.nodes) > 1:
        assert all(n == 0 or n >= 10 for n in counts.values())
