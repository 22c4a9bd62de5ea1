"""The JavaScript reader opens receipts of version 2 too, from the page alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reader_js.test_reader import run
from tests.records.golden_receipt import FOLDER, make, receipts, with_shared

PLACES = 40


def test_it_reads_the_golden_receipts(reader: tuple[str, ...], tmp_path: Path) -> None:
    """With the stretches of entries that they name."""
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    expected = json.loads(golden["expected.json"])
    found = run(reader, str(with_shared(golden, tmp_path)))
    assert {name: found[name] for name in expected} == expected


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(make(), tmp_path)), str(PLACES))
    every = {"tried": PLACES, "refused": PLACES}
    assert [name for name in receipts() if counts[name] != every] == []
