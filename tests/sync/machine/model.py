"""What must be true of central and of the laptops, from what was sealed and what was carried alone.

It shares no code with what it judges: chains are followed entry by entry, cases are counted one by one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from fieldsurvey.records.envelope import read_header
from fieldsurvey.records.log import start_head
from fieldsurvey.records.returned import ReturnManifest
from sync.merge import CaseView, LogView
from tests.sync.laptops import PROJECT
from tests.sync.machine.kit import Standing


class Entry(NamedTuple):
    """One log entry as its laptop made it. `kept`: the record travels with it; False: its laptop had erased it."""

    device: str
    seq: int
    head: bytes
    previous: bytes
    record_hash: bytes


class Known(NamedTuple):
    """What a record's header says."""

    case: str
    revision: int
    device: str
    parent: str | None
    tag: str | None


@dataclass(frozen=True)
class Genuine:
    """A batch file as a laptop wrote it: its bytes, what it holds, and which of it came without its record."""

    data: bytes
    entries: tuple[Entry, ...]
    erased: frozenset[bytes] = frozenset()

    @property
    def present(self) -> list[Entry]:
        """Those that came with their record."""
        return [entry for entry in self.entries if entry.record_hash not in self.erased]


@dataclass
class Held:
    """What central must hold: the union of the genuine batches that it was given; heads name entries."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    bodies: set[bytes] = field(default_factory=set)
    fed: dict[bytes, bytes] = field(default_factory=dict)
    returns: set[ReturnManifest] = field(default_factory=set)

    def take(self, batch: Genuine) -> None:
        """A genuine batch was merged."""
        self.fed[hashlib.sha256(batch.data).digest()] = batch.data
        for entry in batch.entries:
            self.entries[entry.head] = entry
            if entry.record_hash not in batch.erased:
                self.bodies.add(entry.record_hash)

    def copy(self) -> Held:
        """As it is now."""
        return Held(dict(self.entries), set(self.bodies), dict(self.fed), set(self.returns))

    def of(self, device: str) -> list[Entry]:
        """A device's entries."""
        return [entry for entry in self.entries.values() if entry.device == device]

    def devices(self) -> set[str]:
        """Those that something is held of."""
        return {entry.device for entry in self.entries.values()}

    def tips(self, device: str) -> set[tuple[int, bytes]]:
        """The ends of every chain that is unbroken from the first entry on."""
        mine = self.of(device)
        followers: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in mine:
            followers[entry.previous].append(entry)
        found = set()
        ahead = list(followers[start_head(PROJECT, device)])
        while ahead:
            entry = ahead.pop()
            if followers[entry.head]:
                ahead += followers[entry.head]
            else:
                found.add((entry.seq, entry.head))
        return found


@dataclass
class Model:
    """Everything that happened, as nobody in the field could know it."""

    headers: dict[bytes, Known] = field(default_factory=dict)
    sealed: dict[bytes, Entry] = field(default_factory=dict)
    genuine: dict[bytes, Genuine] = field(default_factory=dict)
    issued: set[tuple[str, int, str, str]] = field(default_factory=set)
    returned: set[ReturnManifest] = field(default_factory=set)
    held: Held = field(default_factory=Held)
    backup: Held | None = None

    def vouched_heads(self) -> set[bytes]:
        """Every entry that a receipt of central's confirms, or what follows from it does."""
        found: set[bytes] = set()
        for _device, _up_to, head, level in self.issued:
            at = self.sealed.get(bytes.fromhex(head)) if level != "received" else None
            while at is not None and at.head not in found:
                found.add(at.head)
                at = self.sealed.get(at.previous)
        return found

    def seen(self, entry: Entry, record: bytes) -> None:
        """A laptop sealed this."""
        header = read_header(record)
        self.sealed[entry.head] = entry
        self.headers[entry.record_hash] = Known(
            header.case, header.revision, header.device, header.parent, header.withdrawal
        )

    def wrote(self, batch: Genuine) -> None:
        """A laptop wrote this file."""
        self.genuine[hashlib.sha256(batch.data).digest()] = batch

    def find(self, data: bytes) -> Genuine | None:
        """The batch that has exactly these bytes; None for what no laptop wrote."""
        return self.genuine.get(hashlib.sha256(data).digest())

    def tag(self, record_hash: bytes) -> str | None:
        """A record's withdrawal tag."""
        return self.headers[record_hash].tag


def check_log(model: Model, device: str, view: LogView) -> None:
    """Gaps and forks are listed, no more and no fewer; `whole_to` and the tips are what can be vouched for."""
    mine = model.held.of(device)
    positions = {entry.seq for entry in mine}
    assert view.entries == len(mine), "entries of a log"
    listed = {seq for first, last in view.gaps for seq in range(first, last + 1)}
    assert listed == set(range(1, max(positions, default=0) + 1)) - positions, "gaps"
    for seq in positions:
        if sum(entry.seq == seq for entry in mine) > 1:
            assert any(fork <= seq for fork in view.forks), "a fork is not listed"
    if _one_line(model, mine):
        assert not view.forks, "a fork where there is one history"
    assert set(view.tips) == model.held.tips(device), "tips"
    assert view.whole_to == max((seq for seq, _ in view.tips), default=0), "whole_to"


def _one_line(model: Model, mine: list[Entry]) -> bool:
    """Whether all of them lie on one history, followed through what was sealed and not only what is held."""
    if not mine:
        return True
    at: Entry | None = max(mine, key=lambda entry: entry.seq)
    line = set()
    while at is not None:
        line.add(at.head)
        at = model.sealed.get(at.previous)
    return all(entry.head in line for entry in mine)


def gone_devices(known: list[Known], by_hash: dict[str, Known], withdrawn: set[str]) -> set[str]:
    """Whose part in a case is taken back: who logged a record with a revealed tag, and who built on such a part."""
    gone = {one.device for one in known if one.tag in withdrawn}
    while True:
        drawn_in = {one.device for one in known if one.parent in by_hash and by_hash[one.parent].device in gone}
        if drawn_in <= gone:
            return gone
        gone |= drawn_in


def check_cases(model: Model, views: list[CaseView], standings: dict[str, Standing], withdrawn: set[str]) -> None:
    """Every record that counts is shown once; none that was withdrawn is current; no offline revision is dropped."""
    held: dict[str, dict[bytes, Known]] = defaultdict(dict)
    counting: dict[str, set[bytes]] = defaultdict(set)
    for entry in model.held.entries.values():
        if entry.record_hash in model.held.bodies:
            known = model.headers[entry.record_hash]
            held[known.case][entry.record_hash] = known
            end = standings.get(entry.device)
            if end is not None and (end == 0 or entry.seq < end):
                counting[known.case].add(entry.record_hash)
    assert [view.case for view in views] == sorted(counting), "cases"
    for view in views:
        shown = [*view.superseded, *view.concurrent, *view.proposals, *view.withdrawn]
        shown += [view.current] if view.current else []
        assert sorted(one.record_hash for one in shown) == sorted(counting[view.case]), "versions of a case"
        every = held[view.case]
        known_here = {value: every[value] for value in counting[view.case]}
        makers = {header.device for header in known_here.values() if header.parent is None}
        gone = gone_devices(list(every.values()), {value.hex(): header for value, header in every.items()}, withdrawn)
        excluded = {one.record_hash for one in view.withdrawn}
        assert {value for value, header in known_here.items() if header.tag in withdrawn} <= excluded, (
            "a withdrawn record counts"
        )
        whole = len(makers) == 1 and makers <= gone
        assert excluded == {value for value, header in known_here.items() if whole or header.device in gone}, (
            "what is withdrawn is not what was taken back"
        )
        assert view.current is None or not whole, "a withdrawn case counts"
        _check_current(view, known_here, makers)
        assert view.contested == (len(makers) > 1), "contested"
        assert view.original_missing == (not makers), "original missing"


def _check_current(view: CaseView, known: dict[bytes, Known], makers: set[str]) -> None:
    """The case's own device decides; where its whole history is held, every open end is current or in conflict."""
    own = {value: header for value, header in known.items() if not makers or header.device in makers}
    for version in view.withdrawn:
        own.pop(version.record_hash, None)
    assert (view.current is not None) == bool(own), "current"
    if view.current is None:
        return
    assert view.current.revision == max(header.revision for header in own.values()), "the highest revision"
    if all(header.parent is None or bytes.fromhex(header.parent) in own for header in own.values()):
        followed = {header.parent for header in own.values()}
        ends = {value for value in own if value.hex() not in followed}
        listed = {view.current.record_hash, *(version.record_hash for version in view.concurrent)}
        assert ends == listed, "an open end is neither current nor listed"
