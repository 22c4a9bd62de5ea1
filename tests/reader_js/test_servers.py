"""The JavaScript reader reads a project of version 2, with its servers, from the page alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reader_js.test_reader import run
from tests.records.golden_servers import FOLDER, NAME, with_shared

PLACES = 20


def _golden() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_it_reads_the_servers(reader: tuple[str, ...], tmp_path: Path) -> None:
    """As they were signed."""
    files = _golden()
    found = run(reader, str(with_shared(files, tmp_path)))
    assert found[NAME] == json.loads(files["expected.json"])[NAME]
    assert len(found[NAME]["content"]["servers"]) == 2


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(_golden(), tmp_path)), str(PLACES))[NAME]
    assert counts == {"tried": PLACES, "refused": PLACES}
