"""Canonical JSON: one byte string for one value, and nothing else is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.base.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonicalError, canonical, parse_canonical

scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(st.characters(codec="utf-8"))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    """Encoding then parsing is the identity."""
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b"[1.0]",
        b"[NaN]",
        b"[1e2]",
        b'["\\u0041"]',
        b'["\\ud800"]',
        b"[1]\n",
        b"[01]",
        b"\xff",
        b"",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 1_000_000,
        str(MAX_INTEGER + 1).encode(),
        str(-MAX_INTEGER - 1).encode(),
        b"9" * 5_000,
    ],
)
def test_anything_but_the_canonical_bytes_is_refused(data: bytes) -> None:
    """Duplicate keys, other orders, spaces, floats, escapes, surrogates, depth: one typed error."""
    with pytest.raises(NotCanonicalError):
        parse_canonical(data)


@given(st.binary(max_size=64))
def test_random_bytes_give_a_value_or_the_typed_error(data: bytes) -> None:
    """No byte string brings any other exception."""
    try:
        value = parse_canonical(data)
    except NotCanonicalError:
        return
    assert canonical(value) == data


def test_a_bracket_inside_a_string_is_not_depth() -> None:
    """Text may hold brackets and escaped quotes without counting as nesting."""
    value = ["[" * 100 + '"' + "\\" + "{" * 100]
    assert parse_canonical(canonical(value)) == value
