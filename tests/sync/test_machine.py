"""Whatever happens between devices, carriers and central: one state, nothing acknowledged lost, no resurrection."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from tests.sync.laptops import PROJECT, SyntheticLaptop
from tests.sync.projects import enrol

_CODES = [WithdrawalCode.generate() for _ in range(3)]


class Fieldwork(RuleBasedStateMachine):
    """Laptops seal, revise, are cloned and rolled back; batches are dropped, repeated, cut and reordered."""

    laptops = Bundle("laptops")
    batches = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.central = Central.open(self.folder / "central.db")
        self.every: dict[str, SyntheticLaptop] = {}
        self.enrolled: list[SyntheticLaptop] = []
        self.version = 0
        self.merged: list[bytes] = []
        self.promised: set[tuple[str, int, bytes]] = set()
        self.revealed: set[str] = set()

    @initialize(target=laptops)
    def begin(self) -> object:
        """Two laptops that have worked for a while, one of them enrolled."""
        made = [SyntheticLaptop(), SyntheticLaptop()]
        self.every = {item.device: item for item in made}
        self.enrolled = made[:1]
        self._publish()
        for item in made:
            for code in (None, *_CODES):
                self._seal(item, code)
        return multiple(*made)

    def _seal(self, laptop: SyntheticLaptop, code: WithdrawalCode | None) -> None:
        laptop.seal(withdrawal=code.tag(PROJECT) if code else None)

    def _publish(self) -> None:
        self.version += 1
        enrol(self.central, *self.enrolled, version=self.version)

    @rule(laptop=laptops, codes=st.lists(st.sampled_from([None, *_CODES]), min_size=1, max_size=3))
    def seal(self, laptop: SyntheticLaptop, codes: list[WithdrawalCode | None]) -> None:
        """New cases."""
        for code in codes:
            self._seal(laptop, code)

    @rule(laptop=laptops, by=laptops, data=st.data())
    def revise(self, laptop: SyntheticLaptop, by: SyntheticLaptop, data: st.DataObject) -> None:
        """A revision of any record, by its own device or another."""
        if laptop.log:
            _entry, record = data.draw(st.sampled_from(laptop.log))
            header = read_header(record)
            by.seal(
                header.case,
                revision=header.revision + 1,
                parent=record_hash(record).hex(),
                withdrawal=header.withdrawal,
            )

    @rule(target=laptops, laptop=laptops)
    def clone(self, laptop: SyntheticLaptop) -> SyntheticLaptop:
        """A copied disk goes on living."""
        return laptop.clone()

    @rule(laptop=laptops, data=st.data())
    def roll_back(self, laptop: SyntheticLaptop, data: st.DataObject) -> None:
        """A restored backup: the log ends earlier, and the next record forks."""
        del laptop.log[data.draw(st.integers(0, len(laptop.log))) :]

    @rule(
        target=batches,
        laptop=laptops,
        cuts=st.sets(st.sampled_from([2, 3, 4, 6]), min_size=1),
        carried=st.lists(st.booleans(), min_size=5, max_size=5),
    )
    def export(self, laptop: SyntheticLaptop, cuts: set[int], carried: list[bool]) -> object:
        """A log goes on a stick in a few batches; some of them reach central now, some later or never."""
        starts = sorted({1, *(cut for cut in cuts if cut <= len(laptop.log))})
        ends = [*(start - 1 for start in starts[1:]), len(laptop.log)]
        made = [laptop.batch(first, last) for first, last in zip(starts, ends, strict=True) if first <= last]
        for batch, now in zip(made, carried, strict=False):
            if now:
                self.arrive(batch)
        return multiple(*made)

    @rule(laptop=laptops, code=st.sampled_from([None, *_CODES]))
    def go_two_ways(self, laptop: SyntheticLaptop, code: WithdrawalCode | None) -> None:
        """A clone and its original both seal something, and both arrive."""
        twin = laptop.clone()
        for one in (laptop, twin):
            self._seal(one, code)
            self.arrive(one.batch())

    @rule(batch=batches)
    def bring(self, batch: bytes) -> None:
        """A batch comes to central: once, twice, late."""
        self.arrive(batch)

    def arrive(self, batch: bytes) -> None:
        """It is merged."""
        self.central.merge(io.BytesIO(batch))
        self.merged.append(batch)

    @rule(batch=batches, data=st.data())
    def arrive_damaged(self, batch: bytes, data: st.DataObject) -> None:
        """Cut or altered: refused, and nothing changes."""
        at = data.draw(st.integers(0, len(batch) - 1))
        damaged = data.draw(st.sampled_from([batch[:at], batch[:at] + bytes([batch[at] ^ 1]) + batch[at + 1 :]]))
        before = self.central.digest()
        with pytest.raises((UntrustedError, RefusedError)):
            self.central.merge(io.BytesIO(damaged))
        assert self.central.digest() == before

    @rule(code=st.sampled_from(_CODES))
    def withdraw(self, code: WithdrawalCode) -> None:
        """A respondent takes a case back."""
        self.central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-03"))
        self.revealed.add(code.tag(PROJECT))

    @rule(enrolled=st.integers(0, 2))
    def change_project(self, enrolled: int) -> None:
        """Devices come and go."""
        self.enrolled = list(self.every.values())[:enrolled]
        self._publish()

    @rule()
    def acknowledge(self) -> None:
        """Central gives its word for what it holds."""
        for device in self.every:
            for receipt in self.central.receipts(device):
                self.promised.add((device, receipt.up_to, bytes.fromhex(receipt.head)))

    @invariant()
    def what_was_promised_is_there(self) -> None:
        """Every receipt ever given still holds: an unbroken chain with its records."""
        for device, up_to, head in self.promised:
            entries = {entry.head: entry for entry in self.central.store.entries(device)}
            at = head
            for seq in range(up_to, 0, -1):
                entry = entries[at]
                assert entry.seq == seq
                assert self.central.store.body(entry.record_hash) is not None
                at = entry.previous

    @invariant()
    def what_was_withdrawn_stays_away(self) -> None:
        """No record with a revealed tag is given out, whenever it came."""
        for _entry, blob in self.central.records():
            assert read_header(blob).withdrawal not in self.revealed

    @invariant()
    def only_the_enrolled_count(self) -> None:
        """Records of others are kept, not given out."""
        allowed = {item.device for item in self.enrolled}
        assert {entry.device for entry, _blob in self.central.records()} <= allowed

    def teardown(self) -> None:
        """The same batches in another order, into another central: the same state."""
        other = Central.open(self.folder / "other.db")
        enrol(other, *self.enrolled, version=self.version)
        for tag_code in _CODES:
            if tag_code.tag(PROJECT) in self.revealed:
                other.withdraw(Tombstone(project=PROJECT, code=tag_code.raw, requested="2026-03-03"))
        for batch in sorted(set(self.merged)):
            other.merge(io.BytesIO(batch))
        assert other.digest() == self.central.digest()
        assert [entry for entry, _blob in other.records()] == [entry for entry, _blob in self.central.records()]
        assert self.central.verify().sound
        other.close()
        self.central.close()
        shutil.rmtree(self.folder)


def _run(examples: int) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Fieldwork, settings=limits)


def test_whatever_happens_on_the_way() -> None:
    """A short run of the machine."""
    _run(25)


@pytest.mark.long
def test_whatever_happens_on_the_way_at_length() -> None:
    """A long run of the machine."""
    _run(1_000)
