"""The JavaScript reader opens batches of version 2 too, from the page alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reader_js.test_reader import run
from tests.records.golden_batch import ERASED, FOLDER, make, with_shared

PLACES = 60


def test_it_reads_the_golden_batches(reader: tuple[str, ...], tmp_path: Path) -> None:
    """With some records erased, and with all."""
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert run(reader, str(with_shared(golden, tmp_path))) == json.loads(golden["expected.json"])


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(make(), tmp_path)), str(PLACES))
    every = {"tried": PLACES, "refused": PLACES}
    assert [name for name in ERASED if counts[name] != every] == []
