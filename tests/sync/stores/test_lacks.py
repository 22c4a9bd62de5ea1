"""What central has not got yet of a batch: the same word for who merges it and for who asks whether to send it."""

from __future__ import annotations

import io

import pytest

from fieldsurvey.records.device import DeviceCard
from sync.batches import Batch, read_batch
from sync.central import Central
from sync.store import Store, StoredDevice
from tests.sync.laptops import CREATED, PROJECT, SyntheticLaptop, laptop


@pytest.fixture
def central(store: Store) -> Central:
    """Over each kind of store."""
    return Central(store)


def opened(device: SyntheticLaptop, first: int = 1, last: int | None = None) -> Batch:
    """A batch of the device's log, read as far as its manifest."""
    return read_batch(io.BytesIO(device.batch(first, last)), PROJECT)


def test_nothing_is_lacking_after_a_merge(central: Central) -> None:
    """All of it before; what is new of a longer one; nothing of it, or of a part that ended in the same place."""
    device = laptop(4)
    before = central.lacks(opened(device))
    assert (before.records, before.entries, before.absent, before.signature, before.card) == (4, 0, (), True, True)
    central.merge(io.BytesIO(device.batch(1, 3)))
    more = central.lacks(opened(device))
    assert (more.records, more.signature, more.card) == (1, True, False)
    central.merge(io.BytesIO(device.batch()))
    assert not central.lacks(opened(device))
    assert not central.lacks(opened(device, 3, 4))


def test_a_signature_or_a_card_alone_is_lacking(central: Central) -> None:
    """The records are here: an end that was not signed here, or a card of this device's making, still counts."""
    device = laptop(3)
    central.merge(io.BytesIO(device.batch()))
    shorter = central.lacks(opened(device, 1, 2))
    assert shorter
    assert (shorter.records, shorter.signature, shorter.card) == (0, True, False)
    twin = device.clone()
    twin.card = DeviceCard.make(
        device.key,
        project=PROJECT,
        name="its second card",
        carrier=device.carrier.public,
        recipient=device.card.recipient,
        created=CREATED,
    )
    other = central.lacks(opened(twin))
    assert other
    assert (other.records, other.signature, other.card) == (0, False, True)


def test_what_was_erased_by_its_device(central: Central) -> None:
    """Said to be erased: lacking until it is noted. Brought all the same by another carrier: its record is lacking."""
    device = laptop(3)
    whole = device.batch()
    device.erase(2)
    said = central.lacks(opened(device))
    assert (said.records, said.entries, [entry.seq for entry in said.absent]) == (2, 1, [2])
    central.merge(io.BytesIO(device.batch()))
    assert not central.lacks(opened(device))
    brought = central.lacks(read_batch(io.BytesIO(whole), PROJECT))
    assert (brought.records, brought.entries, brought.absent) == (1, 0, ())
    central.merge(io.BytesIO(whole))
    assert not central.lacks(read_batch(io.BytesIO(whole), PROJECT))


def test_the_cards_of_one_device(store: Store) -> None:
    """Asked for by its id: its own, by card; nobody else's."""
    cards = [StoredDevice("d0" * 16, b"b"), StoredDevice("0e" * 16, b"c"), StoredDevice("d0" * 16, b"a")]
    with store.write() as writer:
        for card in cards:
            writer.device(card)
    assert store.devices("d0" * 16) == [cards[2], cards[0]]
    assert store.devices("ff" * 16) == []
    assert store.devices() == [cards[1], cards[2], cards[0]]
