"""A batch file cut for the line: its head (magic … signatures) and its frames in packs of at most 1 MiB, each named by
its SHA-256. Put together again it is the same file, byte for byte, so that there is one way to verify it.

Packs are cut from the frames alone: a batch that has grown since shares its first packs with the one before.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from fieldsurvey.records.container import open_container
from sync.http.wire import PACK

HASH: Final = 32
Pieces = Callable[[], Iterator[bytes]]
"""Gives the bytes of one batch file from the beginning, in pieces of any size, as often as it is called."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What one batch file comes apart into. `packs`: (SHA-256 in hexadecimal, length), in order; `source`: as given."""

    head: bytes
    packs: tuple[tuple[str, int], ...]
    source: Pieces
    size: int = PACK

    def data(self, wanted: frozenset[str]) -> Iterator[tuple[str, bytes]]:
        """The packs wanted, in order, each once."""
        given: set[str] = set()
        _head, packs = _apart(self.source(), self.size)
        for (name, _size), data in zip(self.packs, packs, strict=True):
            if name in wanted and name not in given:
                given.add(name)
                yield name, data

    @property
    def names(self) -> tuple[str, ...]:
        """Every pack's."""
        return tuple(name for name, _size in self.packs)


def cut(source: Pieces, size: int = PACK, begun: Iterator[bytes] | None = None) -> Cut:
    """Read a batch file once; `begun`: its pieces, where they were begun. Raises ContainerError, NotCanonicalError."""
    head, packs = _apart(source() if begun is None else begun, size)
    return Cut(head, tuple((hashlib.sha256(data).hexdigest(), len(data)) for data in packs), source, size)


def pieces_of(path: Path) -> Pieces:
    """A batch that lies in a file."""

    def read() -> Iterator[bytes]:
        with path.open("rb") as handle:
            while piece := handle.read(1 << 18):
                yield piece

    return read


def _apart(pieces: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The head, and the packs that follow it."""
    stream = _Stream(pieces)
    open_container(cast("BinaryIO", stream), "batch")  # reads exactly the head
    return stream.taken(), _packs(stream, size)


def _packs(stream: _Stream, size: int) -> Iterator[bytes]:
    while pack := stream.exactly(size):
        yield pack


class _Stream:
    """Pieces as a stream; what is read up to `taken` is remembered."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""
        self._taken: list[bytes] | None = []

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        if self._taken is not None:
            self._taken.append(data)
        return data

    def taken(self) -> bytes:
        """What was read so far; from here on nothing is remembered."""
        data, self._taken = b"".join(self._taken or ()), None
        return data

    def exactly(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        parts, left = [], size
        while left and (data := self.read(left)):
            parts.append(data)
            left -= len(data)
        return b"".join(parts)


class Joined(io.RawIOBase):
    """Head and packs as one file again, reading one pack at a time. Raises OSError when one is gone."""

    def __init__(self, head: bytes, packs: Sequence[Path]) -> None:
        super().__init__()
        self._current: BinaryIO = io.BytesIO(head)
        self._rest = list(reversed(packs))

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        while not (data := self._current.read(size)) and self._rest:
            self._current.close()
            self._current = self._rest.pop().open("rb")
        return data

    def close(self) -> None:
        """Let go of the pack that is open."""
        self._current.close()
        super().close()


def write_offer(head: bytes, packs: Sequence[str]) -> bytes:
    """The body of `POST /v1/batches`: the head's length (four bytes, big-endian), the head, the packs' hashes."""
    return len(head).to_bytes(4, "big") + head + b"".join(bytes.fromhex(name) for name in packs)


def read_offer(data: bytes) -> tuple[bytes, tuple[str, ...]] | None:
    """The inverse; None unless it comes out even."""
    size = int.from_bytes(data[:4], "big")
    names = data[4 + size :]
    if len(data) < 4 + size or len(names) % HASH:
        return None
    return data[4 : 4 + size], tuple(names[at : at + HASH].hex() for at in range(0, len(names), HASH))
