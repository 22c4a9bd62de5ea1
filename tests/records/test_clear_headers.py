"""The fast reader of clear headers takes exactly what the careful one takes, and says the same of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.records import envelope
from fieldsurvey.records.envelope import MAGIC, MAX_REVISION, Header, body_length, read_clear, read_header
from fieldsurvey.records.recipients import WRAP_BYTES
from tests.records.conftest import PROJECT

_ID = st.sampled_from([PROJECT, "0" * 32, "f" * 32])
_HASH = st.sampled_from([None, "a1" * 32, "0" * 64])
_HEADERS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    project=_ID,
    device=_ID,
    case=_ID,
    revision=st.sampled_from([1, 2, 9, 10, 99_999, MAX_REVISION]),
    kind=st.sampled_from(["record", "attachment"]),
    parent=_HASH,
    withdrawal=_HASH,
)
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.0, MAX_REVISION + 1, 10**7, "", "A" * 32, "0" * 31, "record\n", [], {}]
)


def blob(header: bytes) -> bytes:
    """A record with this header, whatever it says."""
    start = MAGIC + len(header).to_bytes(2, "big") + b"\x01"
    return start + header + bytes(8) + bytes(WRAP_BYTES) + bytes(body_length(0))


def outcome(read: Any, data: bytes) -> Any:
    """What a reader finds, or how it refuses."""
    try:
        return {name: getattr(read(data), name) for name in Header.model_fields}
    except FieldsurveyError as error:
        return error.code, error.message


@st.composite
def _texts(draw: st.DrawFn) -> bytes:
    """Headers: valid ones, with a field that is odd, missing or too many, with a stretch of bytes altered."""
    fields: dict[str, Any] = draw(_HEADERS)
    name = draw(st.sampled_from([*fields, "added"]))
    change = draw(st.sampled_from(["none", "odd", "missing", "bytes", "spaces"]))
    if change == "odd":
        fields[name] = draw(_ODD)
    elif change == "missing":
        fields.pop(name, None)
    text = json.dumps(fields, sort_keys=change != "spaces", separators=(",", ":")).encode()
    if change == "bytes":
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text


@settings(max_examples=400, deadline=None)
@given(_texts())
def test_both_readers_agree_on_any_header(text: bytes) -> None:
    """The same fields, or the same refusal in the same words."""
    assert outcome(read_clear, blob(text)) == outcome(read_header, blob(text))


@settings(max_examples=100, deadline=None)
@given(_HEADERS)
def test_what_is_valid_is_read_the_fast_way(fields: dict[str, Any]) -> None:
    """The spelling that is looked for is the one that is written."""
    try:
        header = Header.model_validate(fields)
    except ValidationError:
        return
    assert envelope._SPELLING.fullmatch(header.to_bytes().decode())
    assert header.to_bytes() == canonical(fields)


def test_a_reader_that_is_looser_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control for the search above: digits that may be capitals are found out."""
    loose = re.compile("[0-9a-fA-F]{32}")
    monkeypatch.setattr(envelope, "_HEXADECIMAL", b"0123456789abcdefABCDEF")
    found = find(
        _texts(),
        lambda text: outcome(read_clear, blob(text)) != outcome(read_header, blob(text)),
        settings=settings(max_examples=4_000, deadline=None),
    )
    assert any(text != text.lower() for text in loose.findall(found.decode()))
