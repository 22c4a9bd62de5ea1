"""The JavaScript reader opens reports of erasure too, under the project's roles and devices, from the page alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reader_js.test_reader import run
from tests.records.golden_erasure import FOLDER, make, reports, with_shared

PLACES = 40


def test_it_reads_the_golden_reports(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Of all four kinds of places, as they were made; and what is written today."""
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    expected = json.loads(golden["expected.json"])
    for files in (golden, make()):
        found = run(reader, str(with_shared(files, tmp_path)))
        assert {name: found[name] for name in expected} == expected


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(make(), tmp_path)), str(PLACES))
    every = {"tried": PLACES, "refused": PLACES}
    assert [name for name in reports() if counts[name] != every] == []
