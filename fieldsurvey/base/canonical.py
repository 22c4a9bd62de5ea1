"""Canonical JSON: one byte string for one value, so that what is signed or hashed can be compared as bytes.

Keys sorted by code point, no white space, UTF-8, integers only (no floats), no lone surrogates. What is parsed must
equal its own re-encoding; duplicate keys, NaN, depth over 32 and trailing bytes are refused.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from fieldsurvey.base.errors import UntrustedError

MAX_DEPTH = 32
MAX_ITEMS = 80_000  # members and items in all: what is wrong with each can take a kilobyte and more to say
MAX_INTEGER = 2**53 - 1  # what a reader that has only doubles keeps exact
# Strings, to the end where unterminated, so that no input is scanned twice.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_MANY_QUOTES = 1 << 18  # in a file of MAX_ITEMS items there are not so many
_LONG_NUMBER = re.compile(rb"[0-9]{16}")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class NotCanonicalError(UntrustedError):
    """The bytes are not canonical JSON."""

    code = "untrusted.json"
    template = "A header or manifest is not well formed ({reason})."
    hint = "It was refused whole and nothing was changed. Ask for a fresh copy."


def canonical(value: Any) -> bytes:
    """Encode dicts with string keys, lists, strings, integers, booleans and None."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_refuse_type
    ).encode("utf-8")


def parse_canonical(data: bytes) -> Any:
    """Decode `data`; raises NotCanonicalError unless it is exactly what `canonical` would write."""
    bare = _outside_strings(data)
    _check_bare(bare)
    exact = _LONG_NUMBER.search(bare) is None  # then no number is too long to be kept exact
    try:
        text = data.decode("utf-8")
        # A key that comes twice is dropped, and the encoding differs: no need to look at each object from Python.
        value = json.loads(text, parse_float=_no_float, parse_constant=_no_float) if exact else _load(text)
        again = canonical(value)
        if again != data:
            _load(text)  # says what is wrong where it is a key that comes twice
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        raise NotCanonicalError(reason=type(error).__name__) from None
    if again != data:
        raise NotCanonicalError(reason="encoding")
    return value


def check_depth(data: bytes) -> None:
    """Raises NotCanonicalError when arrays and objects nest deeper than MAX_DEPTH, or hold MAX_ITEMS in all."""
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH or data.count(b",") >= MAX_ITEMS:
        _check_bare(_outside_strings(data))


def _outside_strings(data: bytes) -> bytes:
    """What stands outside strings."""
    if b"\\" in data or data.count(b'"') > _MANY_QUOTES:
        return _STRINGS.sub(b"", data)
    return b"".join(data.split(b'"')[::2])


def _check_bare(bare: bytes) -> None:
    if bare.count(b",") >= MAX_ITEMS:
        raise NotCanonicalError(reason="items")
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKETS):
        depth += _STEP[bracket]
        if depth > MAX_DEPTH:
            raise NotCanonicalError(reason="depth")


def _load(text: str) -> Any:
    return json.loads(
        text, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float, parse_int=_whole
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonicalError(reason="duplicate key")
    return found


def _whole(digits: str) -> int:
    if len(digits) > len(str(-MAX_INTEGER)) or abs(value := int(digits)) > MAX_INTEGER:
        raise NotCanonicalError(reason="number")
    return value


def _no_float(_: str) -> NoReturn:
    raise NotCanonicalError(reason="number")


def _refuse_type(value: object) -> NoReturn:
    raise TypeError(f"canonical JSON has no {type(value).__name__}")
