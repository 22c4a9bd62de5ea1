"""The golden device card of version 2: it never changes, is read, and proves the log that it goes on from."""

from __future__ import annotations

from fieldsurvey.records.device import DeviceCard
from tests.records.golden_card import FOLDER, NAME, make, restored
from tests.records.golden_keys import Keys
from tests.records.test_frozen import hashes

FROZEN = {
    "device-restored.card": "6d24d1c695c486eefdc21b8fdb71a9e20f796ea22a366a661a1028bd9d89c7b0",
    "expected.json": "e5d89b47930a91f8934d9580d192c72259b60917c4f4c0d17fb99f25c005d143",
    "keys.json": "b5a4685634f90cf43f67a91993e4f3e0d5f6c3c91420314a270b6382cca64b4a",
}


def test_the_golden_card_is_as_it_was_made() -> None:
    """Byte for byte; and what is written today is the same."""
    assert hashes(FOLDER) == FROZEN
    assert make() == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_the_golden_card_is_read() -> None:
    """It goes on from the card of the first day; that of version 1 beside it says so too, without proof."""
    found = DeviceCard.from_bytes((FOLDER / NAME).read_bytes())
    assert found == restored()
    assert found.goes_on_from(Keys().card())
    assert not found.goes_on_from(Keys().renewed_card())
    assert (Keys().renewed_card().format_version, Keys().renewed_card().proof) == (1, None)
