"""Golden batches of version 2: those with entries whose record the device erased never change, and are read."""

from __future__ import annotations

import io

import pytest

from sync.batches import read_batch
from tests.records.golden_batch import ERASED, FOLDER, Log, make
from tests.records.golden_keys import PROJECT
from tests.records.test_frozen import hashes

FROZEN = {
    "batch-all.fsb": "d6b519856c310dca855ac030ac6a09e13a26d6693495f7f5949cab552a38ce09",
    "batch-some.fsb": "4b4b8642d35335cf9e3d7709a38fac7420571abc12d8ab40cd6bb5e2586689c8",
    "expected.json": "eaa2a30a88611ecf4f2d5a3cb69613fa3b0df32e1674d9dafece0212b03c134c",
    "keys.json": "e83c127146d81c6e1353d77a164d7af60da336f64f54e59838f59ae71ef5bf93",
}


def test_the_golden_batches_are_as_they_were_made() -> None:
    """Byte for byte; and what is written today is the same."""
    assert hashes(FOLDER) == FROZEN
    assert make() == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", ERASED)
def test_the_golden_batches_are_read(name: str) -> None:
    """The log is whole, and only the records that are left are there."""
    batch = read_batch(io.BytesIO((FOLDER / name).read_bytes()), PROJECT)
    log = Log(ERASED[name])
    assert batch.entries == log.batch.entries
    assert batch.erased == set(ERASED[name])
    assert [record for _entry, _header, record in batch.records()] == [record for _entry, record in log.entries(1, 4)]
