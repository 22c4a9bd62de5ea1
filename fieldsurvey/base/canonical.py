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
# Strings (to the end where unterminated, so that no input is scanned twice) and brackets outside them.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[\[{\]},]', re.DOTALL)


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
    check_depth(data)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_whole,
        )
        again = canonical(value)
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        raise NotCanonicalError(reason=type(error).__name__) from None
    if again != data:
        raise NotCanonicalError(reason="encoding")
    return value


def check_depth(data: bytes) -> None:
    """Raises NotCanonicalError when arrays and objects nest deeper than MAX_DEPTH, or hold MAX_ITEMS in all."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH and data.count(b",") < MAX_ITEMS:
        return
    depth = commas = 0
    for token in _TOKENS.finditer(data):
        first = token.group()[0]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotCanonicalError(reason="depth")
        elif first in b"]}":
            depth -= 1
        elif first == ord(","):
            commas += 1
            if commas >= MAX_ITEMS:
                raise NotCanonicalError(reason="items")


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
