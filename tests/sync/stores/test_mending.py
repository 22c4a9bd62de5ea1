"""A record that was altered at central, by a disk or by somebody, is taken out, and the true one comes back."""

from __future__ import annotations

import io

import pytest

from sync.central import Central
from sync.mending import Discarded, discard_altered
from sync.store import Store
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import enrol
from tests.sync.stores.kinds import Kind


@pytest.fixture
def central(store: Store) -> Central:
    """Over an empty store of each kind."""
    return Central(store)


def merged(central: Central, device: SyntheticLaptop) -> None:
    """The laptop is enrolled, and all that it sealed is there."""
    enrol(central, device)
    central.merge(io.BytesIO(device.batch()))


def test_an_altered_record_is_taken_out_and_comes_back(central: Central, kind: Kind) -> None:
    """Importing alone does not heal it, for what is held is not overwritten (control); taken out, it does. Until then
    nothing is vouched for from there on.
    """
    device = laptop(4)
    merged(central, device)
    altered = device.log[2][0].record_hash
    kind.spoil("UPDATE bodies SET body = %s WHERE hash = %s", b"something else", altered)
    central.merge(io.BytesIO(device.batch()))
    assert [problem.seq for problem in central.verify().problems] == [3]
    assert discard_altered(central) == (Discarded(device.device, 3),)
    assert central.store.body(altered) is None
    assert [receipt.up_to for receipt in central.receipts(device.device)] == [2]
    central.merge(io.BytesIO(device.batch()))
    assert central.verify().sound
    assert central.store.body(altered) == device.log[2][1]
    assert [receipt.up_to for receipt in central.receipts(device.device)] == [4]
    assert discard_altered(central) == ()


def test_what_is_erased_stays_noted(central: Central) -> None:
    """Discarding what was erased changes nothing: its body does not come back."""
    device = laptop(2)
    merged(central, device)
    gone = device.log[0][0].record_hash
    with central.store.write() as writer:
        writer.erase([gone])
        assert writer.discard([gone, bytes(32)]) == 0
    central.merge(io.BytesIO(device.batch()))
    assert central.store.body(gone) is None
