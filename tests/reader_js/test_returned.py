"""The JavaScript reader opens returned work too, with a laptop's key and the project's roles, from the page alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reader_js.test_reader import run
from tests.records.golden_return import FOLDER, NAME, make, with_shared

PLACES = 40


def _golden() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_it_reads_the_golden_return(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Manifest, record, comments: as it was made."""
    files = _golden()
    found = run(reader, str(with_shared(files, tmp_path)))
    assert found[NAME] == json.loads(files["expected.json"])[NAME]


def test_it_reads_what_is_returned_today(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Not only the file of then."""
    files = make()
    found = run(reader, str(with_shared(files, tmp_path)))
    assert found[NAME] == json.loads(files["expected.json"])[NAME]


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(_golden(), tmp_path)), str(PLACES))[NAME]
    assert counts == {"tried": PLACES, "refused": PLACES}
