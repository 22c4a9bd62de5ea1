"""A disk that forgets: what may be on it after a power cut, from a log of what was asked of it.

What was synced is there. Of what was written since, anything may be: all, nothing, a part in any order, a write torn
between its sectors. Names (making, renaming, removing a file) reach the disk in order, and surely when the folder is
synced. So do the models of SQLite's own crash tests and of ALICE (Pillai and others, OSDI 2014).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SECTOR: Final = 512
Image = dict[str, bytes]
"""Name -> content: what lies in the folder after the cut."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset of a file."""

    file: int
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file's new size."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file written so far is durable."""

    file: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name now means this file; None: it is gone. A rename is both names at once."""

    names: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """All names so far are durable."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The program said that something is done; `number` counts from 1."""

    number: int


Event = Write | Truncate | Sync | Name | SyncFolder | Acknowledged


@dataclass
class DiskLog:
    """What was asked of the disk, in order."""

    events: list[Event] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    _files: int = 0

    def file(self, name: str) -> int:
        """The file of this name, made now if it is not there."""
        if name not in self.names:
            self._files += 1
            self.names[name] = self._files
            self.events.append(Name(((name, self._files),)))
        return self.names[name]

    def remove(self, name: str) -> None:
        """A name that goes."""
        if self.names.pop(name, None) is not None:
            self.events.append(Name(((name, None),)))

    def rename(self, old: str, new: str) -> None:
        """Atomic: after a cut either both names are changed or none."""
        file = self.names.pop(old)
        self.names[new] = file
        self.events.append(Name(((old, None), (new, file))))

    def acknowledge(self, number: int) -> None:
        """Whatever the program did until here, it has said so."""
        self.events.append(Acknowledged(number))


@dataclass(frozen=True, slots=True)
class Cut:
    """The power went before event `at`: `acknowledged` was the last number said; `image` is one state it may leave."""

    at: int
    acknowledged: int
    how: str
    image: Image = field(repr=False)


class _Disk:
    """What is durable, and what is asked for since."""

    def __init__(self) -> None:
        self.durable: dict[int, bytes] = {}
        self.names: dict[str, int] = {}
        self.pending: list[Write | Truncate] = []
        self.pending_names: list[Name] = []

    def take(self, event: Event) -> None:
        if isinstance(event, (Write, Truncate)):
            self.pending.append(event)
        elif isinstance(event, Name):
            self.pending_names.append(event)
        elif isinstance(event, Sync):
            mine = [item for item in self.pending if item.file == event.file]
            self.durable[event.file] = _applied(self.durable.get(event.file, b""), mine)
            self.pending = [item for item in self.pending if item.file != event.file]
        elif isinstance(event, SyncFolder):
            _rename(self.names, self.pending_names)
            self.pending_names = []

    def image(self, kept: list[Write | Truncate], names: int) -> Image:
        linked = dict(self.names)
        _rename(linked, self.pending_names[:names])
        return {
            name: _applied(self.durable.get(file, b""), [item for item in kept if item.file == file])
            for name, file in linked.items()
        }


def _rename(names: dict[str, int], changes: list[Name]) -> None:
    for change in changes:
        for name, file in change.names:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file


def _applied(content: bytes, operations: list[Write | Truncate]) -> bytes:
    if not operations:
        return content
    made = bytearray(content)
    for operation in operations:
        if isinstance(operation, Truncate):
            del made[operation.size :]
            made.extend(bytes(operation.size - len(made)))
        else:
            end = operation.offset + len(operation.data)
            if len(made) < end:
                made.extend(bytes(end - len(made)))
            made[operation.offset : end] = operation.data
    return bytes(made)


def _sectors(write: Write) -> list[Write]:
    """The write, cut where the disk's sectors end."""
    parts = []
    start = 0
    while start < len(write.data):
        end = min(len(write.data), start + SECTOR - (write.offset + start) % SECTOR)
        parts.append(Write(write.file, write.offset + start, write.data[start:end]))
        start = end
    return parts


def _torn(chosen: random.Random, kept: list[Write | Truncate]) -> list[Write | Truncate]:
    """The same with some sectors of one write missing."""
    large = [place for place, item in enumerate(kept) if isinstance(item, Write) and len(item.data) > SECTOR]
    if not large:
        return kept
    place = chosen.choice(large)
    write = kept[place]
    assert isinstance(write, Write)
    parts = [part for part in _sectors(write) if chosen.random() < 0.5]
    return [*kept[:place], *parts, *kept[place + 1 :]]


def cuts(log: DiskLog, variants: int, seed: int = 1) -> Iterator[Cut]:
    """States at every event, each different one once: all that was asked, nothing since the last sync, everything but
    the last, and `variants` more with writes lost, unordered and torn.
    """
    disk = _Disk()
    seen: set[tuple[int, int]] = set()
    acknowledged = 0
    chosen = random.Random(seed)
    for at, event in enumerate([*log.events, Acknowledged(0)]):
        pending, names = disk.pending, len(disk.pending_names)
        states: list[tuple[str, list[Write | Truncate], int]] = [
            ("all", pending, names),
            ("nothing", [], 0),
            ("no names", pending, 0),
            ("names only", [], names),
        ]
        states += [(f"without write {n}", pending[:n] + pending[n + 1 :], names) for n in range(len(pending))][-2:]
        for _ in range(variants if pending else 0):
            share = chosen.random()
            kept = [item for item in pending if chosen.random() < share]
            if chosen.random() < 0.5:
                kept = _torn(chosen, kept)
            states.append(("some", kept, chosen.choice((0, names, chosen.randint(0, names)))))
        for how, kept, count in states:
            image = disk.image(kept, count)
            key = (acknowledged, hash(tuple(sorted(image.items()))))
            if key not in seen:
                seen.add(key)
                yield Cut(at, acknowledged, how, image)
        if isinstance(event, Acknowledged):
            acknowledged = event.number
        else:
            disk.take(event)
