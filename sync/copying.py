"""From one store into another: what the other has not yet, set by set, streaming; and whether two hold the same.

Both sides are read in the order of their keys, side by side, so that only what is lacking is written, a copy that was
interrupted goes on where it was, and memory does not grow with what is there. It decides nothing about what is copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from sync.sets import BODIES, ENTRIES, ERASED, SETS, Row, SetSpec
from sync.store import Store

ROWS: Final = 4_096
BYTES: Final = 8 << 20
"""One transaction of a copy holds so many rows, or so many bytes and the row that passes them."""

Tick = Callable[[int], None]
"""Gets how many records and log entries were done; see `weight`."""


def weight(store: Store) -> int:
    """How many ticks reading all of it gives."""
    counts = store.counts()
    return counts.entries + counts.bodies


def copy_sets(source: Store, target: Store, tick: Tick, sets: Iterable[SetSpec] = SETS) -> int:
    """Add to `target` what it lacks of `source`; how many rows. What is erased in either is not there afterwards.

    Each piece is a transaction of its own. Raises StorageError; what was copied before stays, and the next copy goes
    on from there.
    """
    added = 0
    for spec in sets:
        lacking = _lacking(source, target, spec, tick)
        if spec is ERASED:  # to erase in `target` while its hashes are being read would hold up the erasing
            lacking = iter(list(lacking))
        for chunk in _chunks(lacking):
            with target.write() as writer:
                added += writer.rows(spec, chunk)
    return added


def extra(source: Store, target: Store) -> SetSpec | None:
    """The first set of which `target` holds something that `source` does not; None where it is a part of it."""
    for spec in SETS:
        ours = source.rows(spec, keys=True)
        here = next(ours, None)
        for key in target.rows(spec, keys=True):
            while here is not None and here < key:
                here = next(ours, None)
            if here != key and not (spec is BODIES and source.erased([key[0]])):
                return spec
    return None


def contents_digest(store: Store, tick: Tick) -> str:
    """SHA-256 (hex) over every row of every set, byte for byte: two stores that hold the same have the same."""
    whole = hashlib.sha256()
    for spec in SETS:
        found = hashlib.sha256()
        for row in store.rows(spec):
            for value in row:
                _feed(found, value)
            _ticked(spec, tick)
        whole.update(spec.name.encode() + found.digest())
    return whole.hexdigest()


def _feed(found: Any, value: str | int | bytes | None) -> None:
    """Each value with its kind and length, so that no two rows look alike."""
    if value is None:
        found.update(b"-")
    elif isinstance(value, int):
        found.update(b"i%d;" % value)
    elif isinstance(value, str):
        data = value.encode("utf-8")
        found.update(b"t%d;" % len(data) + data)
    else:
        found.update(b"b%d;" % len(value))
        found.update(value)


def _lacking(source: Store, target: Store, spec: SetSpec, tick: Tick) -> Iterator[Row]:
    theirs = target.rows(spec, keys=True)
    there = next(theirs, None)
    for row in source.rows(spec, keys=spec is BODIES):  # bodies are large: only those that are lacking are read
        _ticked(spec, tick)
        key = row[: spec.key]
        while there is not None and there < key:
            there = next(theirs, None)
        if there == key:
            continue
        if spec is not BODIES:
            yield row
        elif (body := source.body(key[0])) is not None:  # else it was erased a moment ago
            yield (key[0], body)


def _ticked(spec: SetSpec, tick: Tick) -> None:
    if spec in {BODIES, ENTRIES}:
        tick(1)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if len(chunk) >= ROWS or size >= BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
