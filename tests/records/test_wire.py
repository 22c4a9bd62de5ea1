"""A field that came later leaves the bytes of earlier files as they were. Structures here are synthetic."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.errors import FieldError, FormatVersionError
from fieldsurvey.records.wire import Since, Wire


class Part(Wire):
    """Has no version: it has that of what it stands in."""

    old: int
    new: Annotated[int, Since(2)] = 7


class Own(Wire):
    """Has a version of its own."""

    format_version: Literal[1, 2] = 2
    new: Annotated[int, Since(2)] = 8


class Thing(Wire):
    """Version 3 of a structure whose version 1 had neither `colour` nor `more`."""

    what: ClassVar[str] = "thing"

    format_version: Literal[1, 2, 3] = 3
    part: Part
    parts: Annotated[tuple[Part, ...], Field(strict=False)] = ()
    own: Own | None = None
    colour: Annotated[str | None, Since(2)] = None
    more: Annotated[tuple[Part, ...], Since(3), Field(strict=False)] = ()


V1: dict[str, Any] = {"format_version": 1, "part": {"old": 1}, "parts": [{"old": 2}], "own": None}
V2: dict[str, Any] = {**V1, "format_version": 2, "part": {"old": 1, "new": 5}, "parts": [], "colour": "red"}
V3: dict[str, Any] = {**V2, "format_version": 3, "more": [{"old": 3, "new": 4}]}


@pytest.mark.parametrize("value", [V1, V2, V3])
def test_every_version_reads_and_keeps_its_bytes(value: dict[str, Any]) -> None:
    """Files of versions 1, 2 and 3 are read by the code of version 3 and encode to what they were."""
    assert Thing.from_bytes(canonical(value)).to_bytes() == canonical(value)


def test_what_came_later_has_its_default() -> None:
    """A file of version 1 says nothing of later fields; written anew it is of the newest version and says them."""
    thing = Thing.from_bytes(canonical(V1))
    assert (thing.part.new, thing.parts[0].new, thing.colour, thing.more) == (7, 7, None, ())
    anew = thing.newest().content()
    assert (anew["format_version"], anew["part"], anew["colour"], anew["more"]) == (3, {"old": 1, "new": 7}, None, [])
    assert Thing.from_bytes(canonical(anew)) == thing.newest()
    assert Part(old=1).newest() == Part(old=1)


def test_a_part_with_a_version_of_its_own_keeps_it() -> None:
    """An old part in a new file has no later field; a new part in an old file has."""
    for outer, version, own in ((V3, 1, {}), (V3, 2, {"new": 9}), (V1, 2, {"new": 9})):
        value = {**outer, "own": {"format_version": version, **own}}
        assert Thing.from_bytes(canonical(value)).to_bytes() == canonical(value)


@pytest.mark.parametrize(
    "bad",
    [
        {**V1, "colour": None},
        {**V1, "part": {"old": 1, "new": 7}},
        {**V2, "more": []},
        {key: value for key, value in V2.items() if key != "colour"},
        {**V3, "part": {"old": 1}},
        {**V3, "format_version": 4},
        {**V3, "own": {"format_version": 1, "new": 8}},
    ],
)
def test_a_field_too_early_or_missing_is_refused(bad: dict[str, Any]) -> None:
    """A later field in an earlier version, a missing field in a later one, an unknown version: one spelling only."""
    with pytest.raises((FieldError, FormatVersionError)):
        Thing.from_bytes(canonical(bad))
