"""Many small pushes to one central: what each is answered with does not have the whole log read again."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from sync.central import Central
from sync.merge import Link
from sync.store import Store
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import enrol


def told(central: Central, device: SyntheticLaptop) -> list[tuple[int, str]]:
    """What the receipts say."""
    return [(receipt.up_to, receipt.head) for receipt in central.receipts(device.device)]


def tip(device: SyntheticLaptop, seq: int) -> tuple[int, str]:
    """Where an entry stands."""
    return seq, device.log[seq - 1][0].head.hex()


def test_a_push_has_only_what_is_new_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten of three records each: as many links are read as there are records; by a central that forgets, many more."""
    device = laptop(30)
    read: list[Link] = []
    remembering: list[int] = []
    forgetting: list[int] = []
    real = type(store).links

    def counting(self: Store, *given: object) -> Iterator[Link]:
        for link in real(self, *given):  # type: ignore[arg-type]
            read.append(link)
            yield link

    monkeypatch.setattr(type(store), "links", counting)
    central = Central(store)
    enrol(central, device)
    for first in range(1, 30, 3):
        central.merge(io.BytesIO(device.batch(first, first + 2)))
        assert told(central, device) == [tip(device, first + 2)]
        remembering.append(len(read))
        assert told(Central(store), device) == [tip(device, first + 2)]
        forgetting.append(len(read) - remembering[-1])
        read.clear()
    assert remembering == [3] * 10
    assert forgetting == list(range(3, 31, 3))


def test_a_fork_a_gap_and_a_lost_record_are_seen_all_the_same(store: Store) -> None:
    """Whatever is not one chain any more, or not yet, is answered as by a central that has just been opened."""
    device = laptop(8)
    clone = device.clone()
    device.log, clone.log = device.log[:6], clone.log[:4]
    clone.seal()
    device.seal()
    device.seal()
    central = Central(store)
    enrol(central, device)
    for data in (device.batch(1, 3), device.batch(5, 6), device.batch(4, 4), clone.batch(5, 5), device.batch(7, 8)):
        central.merge(io.BytesIO(data))
        assert told(central, device) == told(Central(store), device)
    assert sorted(told(central, device)) == [tip(clone, 5), tip(device, 8)]


def test_what_its_device_erased_is_named(store: Store) -> None:
    """Over one chain, and then over what was erased behind it: as by a central that has just been opened."""
    device = laptop(4)
    central = Central(store)
    enrol(central, device)
    central.merge(io.BytesIO(device.batch(1, 3)))
    assert [receipt.absent for receipt in central.receipts(device.device)] == [()]
    device.erase(4)
    central.merge(io.BytesIO(device.batch(4, 4)))
    assert [receipt.absent for receipt in central.receipts(device.device)] == [((4, 4),)]
    assert told(central, device) == told(Central(store), device) == [tip(device, 4)]


def test_a_log_is_cut_where_it_is_asked(store: Store) -> None:
    """Links after a position, and what is held up to one."""
    device = laptop(5)
    central = Central(store)
    enrol(central, device)
    central.merge(io.BytesIO(device.batch()))
    assert [link.seq for link in store.links(device.device, 3)] == [4, 5]
    assert [store.held(device.device, seq) for seq in (0, 3, 9)] == [(0, 0), (3, 0), (5, 0)]
    erased = laptop(3)
    erased.erase(2)
    central.merge(io.BytesIO(erased.batch()))
    assert store.held(erased.device, 3) == (2, 1)
    assert [link.seq for link in store.links(erased.device, 1)] == [2, 3]
