"""Cases that somebody should look at: which revisions of which laptops there are, as far as clear headers tell.

There are no answers here: which revision is right only the HMU can see. Values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sync.merge import CaseView, Version

LISTED: Final = 500
"""Cases that a list shows; all are counted."""


class Kind(Enum):
    """Why a case is listed, the gravest first."""

    CONTESTED = "contested"  # two laptops say that they began it
    CONFLICT = "conflict"  # two revisions, neither of which follows the other
    PROPOSAL = "proposal"  # somebody else's correction, until the HMU takes it
    MISSING = "missing"  # its first revision has not come


class Part(Enum):
    """What the projection makes of a revision."""

    CURRENT = "current"
    CONCURRENT = "concurrent"
    PROPOSAL = "proposal"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A revision: who made it, and where that laptop's log has it."""

    revision: int
    device: str
    name: str
    seq: int
    part: Part


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case that is listed, with every revision that is held."""

    case: str
    kinds: tuple[Kind, ...]
    revisions: tuple[RevisionRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The laptops that revisions came from, each once."""
        return tuple(dict.fromkeys(revision.name for revision in self.revisions))


@dataclass(frozen=True, slots=True)
class CaseList:
    """The first LISTED of them, and how many there are of each kind and in all."""

    rows: tuple[CaseRow, ...]
    total: int
    of_kind: Mapping[Kind, int]

    def showing(self, kind: Kind | None) -> tuple[CaseRow, ...]:
        """Those of a kind; None: all."""
        return tuple(row for row in self.rows if kind is None or kind in row.kinds)


def cases_to_look_at(
    views: Iterable[CaseView], names: Mapping[str, str], stop: Callable[[], bool] | None = None
) -> CaseList:
    """Go through every case once, keeping no more than LISTED. `names`: device -> name; `stop` ends it early."""
    rows: list[CaseRow] = []
    total = 0
    counts = dict.fromkeys(Kind, 0)
    for view in views:
        if stop is not None and stop():
            break
        kinds = kinds_of(view)
        if not kinds:
            continue
        total += 1
        for kind in kinds:
            counts[kind] += 1
        if len(rows) < LISTED:
            rows.append(CaseRow(view.case, kinds, _revisions(view, names)))
    return CaseList(tuple(rows), total, counts)


def kinds_of(view: CaseView) -> tuple[Kind, ...]:
    """Why somebody should look at it; empty for nearly all. A withdrawn case is nobody's to look at."""
    if view.current is None and view.withdrawn:
        return ()
    found = {
        Kind.CONTESTED: view.contested,
        Kind.CONFLICT: bool(view.concurrent),
        Kind.PROPOSAL: bool(view.proposals),
        Kind.MISSING: view.original_missing,
    }
    return tuple(kind for kind in Kind if found[kind])


def _revisions(view: CaseView, names: Mapping[str, str]) -> tuple[RevisionRow, ...]:
    parts: list[tuple[Version, Part]] = [(view.current, Part.CURRENT)] if view.current else []
    for versions, part in (
        (view.concurrent, Part.CONCURRENT),
        (view.proposals, Part.PROPOSAL),
        (view.superseded, Part.SUPERSEDED),
        (view.withdrawn, Part.WITHDRAWN),
    ):
        parts += [(version, part) for version in versions]
    rows = [
        RevisionRow(version.revision, version.device, names.get(version.device, version.device[:8]), version.seq, part)
        for version, part in parts
    ]
    return tuple(sorted(rows, key=lambda row: (row.revision, row.name, row.seq)))
