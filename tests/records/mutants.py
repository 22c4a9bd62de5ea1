"""Damage: every byte flipped, every truncation, and random mutants of a byte string."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from fieldsurvey.base.errors import UntrustedError


def flips(data: bytes, seed: int = 1) -> Iterator[bytes]:
    """Each byte changed once, to a value drawn at random."""
    rng = random.Random(seed)
    for i in range(len(data)):
        yield data[:i] + bytes([data[i] ^ rng.randrange(1, 256)]) + data[i + 1 :]


def truncations(data: bytes) -> Iterator[bytes]:
    """Every proper prefix."""
    for i in range(len(data)):
        yield data[:i]


def mutants(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` strings that differ from `data`: bits, runs, cuts, repeats, insertions, lengths, extremes."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        mutant = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            spoil(mutant, rng)
        if bytes(mutant) != data:
            made += 1
            yield bytes(mutant)


def spoil(mutant: bytearray, rng: random.Random) -> None:
    """Damage it once, in one of seven ways."""
    at = rng.randrange(len(mutant) + 1)
    run = min(rng.choice((1, 2, 4, 8, 32, 1168)), len(mutant) - at)
    kind = rng.randrange(7)
    if kind == 0 and run:
        mutant[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del mutant[at : at + run]
    elif kind == 2:
        mutant[at:at] = mutant[at : at + run]
    elif kind == 3:
        mutant[at:at] = rng.randbytes(rng.choice((1, 8, 40)))
    elif kind == 4:
        mutant[at : at + run] = bytes(run)
    elif kind == 5:
        mutant[at : at + run] = b"\xff" * run
    else:
        other = rng.randrange(len(mutant) + 1)
        mutant[at : at + run] = mutant[other : other + run]


def survivors(reader: Callable[[bytes], object], damaged: Iterator[bytes]) -> tuple[list[bytes], int]:
    """(those that `reader` took, how many it refused). An error that is not an UntrustedError comes through: a bug."""
    taken = []
    refused = 0
    for data in damaged:
        try:
            reader(data)
        except UntrustedError:
            refused += 1
        else:
            taken.append(data)
    return taken, refused
