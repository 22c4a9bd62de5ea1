"""Merging is a set union; what central shows is a pure function of the set, never of the order in which it came.

Two projections: a log (one device's chain: how far it is whole, gaps, forks) and a case (which revision counts, what
was superseded, what is only proposed, what contradicts what). Both stream: they hold one position of a log, or one
case. No storage, no signatures and no clock here: what reaches this module has been verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple, Protocol

Position = tuple[int, bytes]
"""Where an entry stands in a log: its number and the head after it."""


@dataclass(frozen=True, slots=True)
class Version:
    """One record as it looks from outside: its clear header, its hash, and where its device logged it."""

    case: str
    revision: int
    device: str
    record_hash: bytes
    parent: bytes | None
    withdrawal: bytes | None
    seq: int
    head: bytes


class Said(Protocol):
    """What a withdrawal looks at: a Version is one, a stored entry of a record too."""

    @property
    def device(self) -> str:
        """Who logged it."""
        ...

    @property
    def record_hash(self) -> bytes:
        """Its identity."""
        ...

    @property
    def parent(self) -> bytes | None:
        """The record that it revises."""
        ...

    @property
    def withdrawal(self) -> bytes | None:
        """The tag of the case's withdrawal code."""
        ...


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case after the projection. `current` is None when the case is withdrawn.

    superseded: older revisions of the current line. concurrent: revisions that nothing follows and that did not win
    (two offline revisions of one record): kept, a conflict to look at. proposals: made by a device that did not make
    the case; they never displace its own until the HMU accepts them. withdrawn: excluded by a tombstone.
    """

    case: str
    current: Version | None
    superseded: tuple[Version, ...]
    concurrent: tuple[Version, ...]
    proposals: tuple[Version, ...]
    withdrawn: tuple[Version, ...]
    contested: bool
    """More than one device says that it began this case."""
    original_missing: bool
    """The first revision has not arrived yet (or never will): who made the case is not known."""

    @property
    def in_conflict(self) -> bool:
        """Somebody should look at it."""
        return self.contested or bool(self.concurrent)


class Link(NamedTuple):
    """One log entry as a link of a chain. `previous` is the head before it."""

    seq: int
    head: bytes
    previous: bytes


@dataclass(frozen=True, slots=True)
class LogView:
    """A device's log as far as it is held.

    whole_to: entries 1 … whole_to are all held, as one unbroken chain. gaps: ranges (first, last) with no entry at
    all. forks: positions from which two histories exist (a cloned or restored laptop); both are kept. tips: the ends
    (seq, head) of every chain that is whole from the first entry on: what a receipt may speak of.
    """

    device: str
    entries: int
    last: int
    whole_to: int
    gaps: tuple[tuple[int, int], ...]
    forks: tuple[int, ...]
    tips: tuple[tuple[int, bytes], ...]


def project_log(device: str, links: Iterable[Link], genesis: bytes) -> LogView:
    """The view of one log. `links` come ordered by (seq, head); `genesis` is the head before the first entry."""
    rest = iter(links)
    before = last = Link(0, genesis, b"")
    for link in rest:
        if link.seq != last.seq + 1 or link.previous != last.head:  # another at the same position, perhaps
            rest = chain((last, link) if last.seq else (link,), rest)
            break
        before, last = last, link
    else:  # nearly every log: one chain
        position = last.seq
        return LogView(device, position, position, position, (), (), ((position, last.head),) if position else ())
    whole: set[bytes] = {before.head}  # heads at the position before, on an unbroken chain from the first entry
    held: set[bytes] = {before.head}  # all heads at the position before
    position = count = before.seq
    gaps: list[tuple[int, int]] = []
    forks: list[int] = []
    tips: list[tuple[int, bytes]] = []
    for seq, group in groupby(rest, key=attrgetter("seq")):
        here = list(group)
        count += len(here)
        if seq > position + 1:
            gaps.append((position + 1, seq - 1))
            tips.extend((position, head) for head in sorted(whole) if position)
            whole, held = set(), set()
        if _diverges(here, held, contiguous=seq == position + 1):
            forks.append(seq)
        followed = {link.previous for link in here}
        tips.extend((position, head) for head in sorted(whole) if head not in followed and position)
        whole = {link.head for link in here if link.previous in whole}
        held = {link.head for link in here}
        position = seq
    tips.extend((position, head) for head in sorted(whole) if position)
    whole_to = max((seq for seq, _ in tips), default=0)
    return LogView(device, count, position, whole_to, tuple(gaps), tuple(forks), tuple(sorted(set(tips))))


def _diverges(here: list[Link], held: AbstractSet[bytes], *, contiguous: bool) -> bool:
    """Two followers of one head; or an entry that follows a head we do not hold, though we hold that position."""
    parents = [link.previous for link in here]
    if len(set(parents)) < len(parents):
        return True
    if not contiguous:
        return len(here) > 1
    return any(parent not in held for parent in parents)


def project_cases(
    versions: Iterable[Version], withdrawn: AbstractSet[bytes], counts: Callable[[Version], bool] | None = None
) -> Iterator[CaseView]:
    """Every case in turn that a version which counts speaks of.

    `versions` come ordered by case; `withdrawn` are the tags that tombstones have revealed; `counts`: which versions
    do (by default all). One that does not is not shown, but what its tag takes back is taken back.
    """
    for case, group in groupby(versions, key=attrgetter("case")):
        every = list(group)
        counting = [version for version in every if counts is None or counts(version)]
        if counting:
            yield project_case(case, counting, withdrawn, taken_back(every, withdrawn))


def taken_back(records: Iterable[Said], withdrawn: AbstractSet[bytes]) -> set[str]:
    """The devices all of whose records (and attachments) of one case are withdrawn for good.

    Those that logged a record with a revealed tag, and those that built a revision upon a record of such a device,
    however far. It only ever grows with the records and the tags, so that what is erased on its word (which cannot be
    undone) is the same in whatever order they come. A device can draw in nobody but itself and those who build on it.
    """
    every = list(records)
    gone = {record.device for record in every if record.withdrawal in withdrawn}
    makers = {record.record_hash: record.device for record in every}
    built: dict[str, set[str]] = {}
    for record in every:
        if record.parent is not None and (before := makers.get(record.parent)) is not None:
            built.setdefault(before, set()).add(record.device)
    todo = list(gone)
    while todo:
        new = built.get(todo.pop(), set()) - gone
        gone |= new
        todo += new
    return gone


def project_case(
    case: str, versions: Iterable[Version], withdrawn: AbstractSet[bytes], gone: AbstractSet[str] | None = None
) -> CaseView:
    """Tombstone > highest revision > the device that made it > hash; never the time of anything.

    `gone`: the devices that `taken_back` gives over all that is held of the case, by default over `versions`.
    """
    every = _distinct(versions)
    if gone is None:
        gone = taken_back(every, withdrawn)
    makers = {version.device for version in every if version.parent is None}
    contested = len(makers) > 1
    excluded = _excluded(every, makers, gone)
    standing = [version for version in every if version not in excluded]
    own = [version for version in standing if not makers or version.device in makers]
    proposals = [version for version in standing if version not in own]
    if not own:  # only what others propose is left: nothing of the case itself counts
        return CaseView(case, None, (), (), tuple(proposals), tuple(excluded), contested, not makers)
    current = max(own, key=lambda version: (version.revision, version.device in makers, version.record_hash))
    concurrent = _concurrent(current, own)
    return CaseView(
        case,
        current,
        superseded=tuple(version for version in own if version is not current and version not in concurrent),
        concurrent=tuple(concurrent),
        proposals=tuple(proposals),
        withdrawn=tuple(excluded),
        contested=contested,
        original_missing=not makers,
    )


def _distinct(versions: Iterable[Version]) -> list[Version]:
    """One version for each record, in a fixed order; a record logged twice counts where it was logged first."""
    found: dict[bytes, Version] = {}
    for version in versions:
        known = found.get(version.record_hash)
        if known is None or (version.seq, version.head) < (known.seq, known.head):
            found[version.record_hash] = version
    return sorted(found.values(), key=lambda version: (version.revision, version.device, version.record_hash))


def _concurrent(current: Version, own: list[Version]) -> list[Version]:
    """Revisions that nothing follows and that the current one does not descend from, as far as its line is held.

    Where an ancestor has not arrived, older revisions get the benefit of the doubt: that is a gap, not a conflict.
    """
    by_hash = {version.record_hash: version for version in own}
    followed = {version.parent for version in own}
    line = {current.record_hash}
    oldest = current
    while oldest.parent is not None and (before := by_hash.get(oldest.parent)) and before.record_hash not in line:
        oldest = before
        line.add(oldest.record_hash)
    since = 0 if oldest.parent is None else oldest.revision
    return [v for v in own if v.record_hash not in line and v.record_hash not in followed and v.revision >= since]


def _excluded(versions: list[Version], makers: AbstractSet[str], gone: AbstractSet[str]) -> list[Version]:
    """What a tombstone takes out: all that the devices in `gone` said of the case.

    If the one device that made the case is among them, the whole case, what others said without building on anything
    held included. Anybody else takes out no more than what is built on its own: else a hostile device could put its own
    tag into somebody's case and withdraw that.
    """
    if len(makers) == 1 and makers <= gone:
        return versions
    return [version for version in versions if version.device in gone]
