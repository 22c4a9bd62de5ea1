"""Golden receipts of version 2: those that name entries without records never change, and are read."""

from __future__ import annotations

import pytest

from fieldsurvey.records.receipt import Role, read_receipt
from tests.records.golden_keys import Keys
from tests.records.golden_receipt import FOLDER, make, receipts
from tests.records.test_frozen import hashes

FROZEN = {
    "expected.json": "48abb62f7bd8d5335b1307c255e9aeb8f9ec620fd929ea135de1c2c7e8b808e8",
    "keys.json": "b5a4685634f90cf43f67a91993e4f3e0d5f6c3c91420314a270b6382cca64b4a",
    "receipt-backed_up.fsr": "ef444b870041a4c586522d3b9ef8c137111c5c7d228a07911763a3b5aa502c70",
    "receipt-committed.fsr": "5d4d006e41bb6850e20aee1cd29a7a5116282d79d151d17bdd9387b70111bf4f",
}


def test_the_golden_receipts_are_as_they_were_made() -> None:
    """Byte for byte; and what is written today is the same."""
    assert hashes(FOLDER) == FROZEN
    assert make() == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", receipts())
def test_the_golden_receipts_are_read(name: str) -> None:
    """With the entries that they name."""
    keys = [(Role.CENTRAL, Keys().central.public)]
    assert read_receipt((FOLDER / name).read_bytes(), keys) == receipts()[name]
