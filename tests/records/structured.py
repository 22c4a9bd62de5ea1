"""Structured damage: what somebody makes who knows the format. Fields exchanged between valid files, lengths that lie.

`mutants.py` damages bytes; here the places are known: where fields begin, and where lengths stand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.records.mutants import spoil

_TOKEN = re.compile(rb"[0-9a-f]{2,}|\d+|[a-z]{3,}|true|false|null")
_MEMBER = re.compile(rb'"[a-z_]+":(?:"[^"]*"|\d+|true|false|null),?')


@dataclass(frozen=True)
class Specimen:
    """A valid file: its bytes, where its fields begin, and its length fields as (offset, bytes)."""

    data: bytes
    cuts: tuple[int, ...] = ()
    lengths: tuple[tuple[int, int], ...] = ()

    def fields(self) -> list[bytes]:
        """Its fields, in order; together they are the file."""
        places = sorted({0, *self.cuts, len(self.data)})
        return [self.data[a:b] for a, b in pairwise(places)]


def structured(specimens: Sequence[Specimen], count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` files none of which is one of `specimens`: each of the kinds below, alone or with random damage."""
    rng = random.Random(seed)
    valid = {specimen.data for specimen in specimens}
    made = 0
    while made < count:
        one, other = rng.choice(specimens), rng.choice(specimens)
        mutant = bytearray(rng.choice(KINDS)(one, other, rng))
        if rng.random() < 0.1:
            spoil(mutant, rng)
        if bytes(mutant) not in valid:
            made += 1
            yield bytes(mutant)


def splice(one: Specimen, other: Specimen, rng: random.Random) -> bytes:
    """The beginning of one, the end of another: at fields, or anywhere."""
    if rng.random() < 0.5:
        ours, theirs = one.fields(), other.fields()
        return b"".join(ours[: rng.randrange(len(ours) + 1)] + theirs[rng.randrange(len(theirs) + 1) :])
    at = rng.randrange(len(one.data))
    return one.data[:at] + other.data[at:]


def duplicate(one: Specimen, _other: Specimen, rng: random.Random) -> bytes:
    """A field twice, left out, or exchanged with its neighbour."""
    fields = one.fields()
    at = rng.randrange(len(fields))
    kind = rng.randrange(3)
    if kind == 0:
        fields.insert(at, fields[at])
    elif kind == 1:
        del fields[at]
    else:
        fields[at - 1], fields[at] = fields[at], fields[at - 1]
    return b"".join(fields)


def lie(one: Specimen, other: Specimen, rng: random.Random) -> bytes:
    """A length that is not so: near, extreme, or the one of another file."""
    if not one.lengths:
        return splice(one, other, rng)
    at, width = rng.choice(one.lengths)
    true = int.from_bytes(one.data[at : at + width], "big")
    top = (1 << 8 * width) - 1
    said = rng.choice((0, 1, top, top >> 1, true + 1, true - 1, true * 2, true ^ 1 << rng.randrange(8 * width)))
    return one.data[:at] + min(max(said, 0), top).to_bytes(width, "big") + one.data[at + width :]


def swap(one: Specimen, other: Specimen, rng: random.Random) -> bytes:
    """Some fields replaced by those that another valid file has in the same place."""
    fields, theirs = one.fields(), other.fields()
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(min(len(fields), len(theirs)))
        fields[at] = theirs[at]
    return b"".join(fields)


def extend(one: Specimen, other: Specimen, rng: random.Random) -> bytes:
    """Something after the end, or before the beginning."""
    more = rng.choice((b"\0", b"\n", b" ", rng.randbytes(16), bytes(1024), one.data, other.data, other.fields()[-1]))
    return more + one.data if rng.random() < 0.1 else one.data + more


def retype(one: Specimen, other: Specimen, rng: random.Random) -> bytes:
    """A number, name or member of the text inside exchanged for one that is just as well-formed."""
    pattern = rng.choice((_TOKEN, _MEMBER))
    ours, theirs = list(pattern.finditer(one.data)), list(pattern.finditer(other.data))
    if not ours or not theirs:
        return splice(one, other, rng)
    place = rng.choice(ours)
    text = place.group()
    kind = rng.randrange(3)
    if kind == 0:
        text = rng.choice(theirs).group()
    elif kind == 1 and text[:1].isalnum():
        letters = bytearray(text)
        letters[rng.randrange(len(letters))] = rng.choice(b"0123456789abcdef")
        text = bytes(letters)
    else:
        text = text * 2
    return one.data[: place.start()] + text + one.data[place.end() :]


def damage(one: Specimen, _other: Specimen, rng: random.Random) -> bytes:
    """Damage without any knowledge."""
    mutant = bytearray(one.data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        spoil(mutant, rng)
    return bytes(mutant)


KINDS = (splice, duplicate, lie, swap, extend, retype, damage)
