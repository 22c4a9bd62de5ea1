"""The sets that a store consists of, described once: what is copied, compared and counted, whichever database it is.

A backup, a restore and a move are the same thing: the union of one store's sets with another's. No set is left out
here, or it would be lost on the way; a test compares this list with the tables of both databases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["text", "int", "bytes"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A set of rows. `columns`: name and kind, in order. The first `key` columns name a row and give the order."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _kind in self.columns)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of those that the key consists of."""
        return self.names[: self.key]


_AT: Final[tuple[tuple[str, Kind], ...]] = (("device", "text"), ("seq", "int"), ("head", "bytes"))
_CHAIN: Final[tuple[tuple[str, Kind], ...]] = (*_AT, ("previous", "bytes"), ("record_hash", "bytes"))

PROJECTS: Final = SetSpec("projects", (("version", "int"), ("digest", "bytes"), ("data", "bytes")), 2)
DEVICES: Final = SetSpec("devices", (("device", "text"), ("card", "bytes")), 2)
TOMBSTONES: Final = SetSpec("tombstones", (("tag", "bytes"), ("data", "bytes")), 2)
ERASED: Final = SetSpec("erased", (("hash", "bytes"),), 1)
BODIES: Final = SetSpec("bodies", (("hash", "bytes"), ("body", "bytes")), 1)
ENTRIES: Final = SetSpec(
    "entries",
    (
        *_CHAIN,
        ("case_id", "text"),
        ("revision", "int"),
        ("kind", "text"),
        ("parent", "bytes"),
        ("withdrawal", "bytes"),
    ),
    3,
)
ABSENT: Final = SetSpec("absent", _CHAIN, 3)
SIGNATURES: Final = SetSpec("signatures", (*_AT, ("signature", "bytes")), 3)
BATCHES: Final = SetSpec(
    "batches", (("manifest", "bytes"), ("device", "text"), ("first", "int"), ("last", "int"), ("seen", "text")), 1
)
NOTICES: Final = SetSpec("notices", (("kind", "text"), ("digest", "bytes"), ("device", "text"), ("data", "bytes")), 2)

SETS: Final = (PROJECTS, DEVICES, TOMBSTONES, ERASED, BODIES, ENTRIES, ABSENT, SIGNATURES, BATCHES, NOTICES)
"""In the order in which they are copied: what is erased before the bodies, so that none comes back."""

COVERED: Final = SetSpec("covered", (*_AT, ("note", "bytes")), 3)
"""What the newest backup holds: replaced as a whole, so it is no grow-only set."""
