"""The JavaScript reader opens a device card of version 2 and checks its proof, from the page alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from tests.reader_js.test_reader import run
from tests.records.golden_card import FOLDER, NAME, make, with_shared
from tests.records.golden_keys import PROJECT, Keys

PLACES = 40


def test_it_reads_the_golden_card(reader: tuple[str, ...], tmp_path: Path) -> None:
    """With the proof of the laptop that it was."""
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    expected = json.loads(golden["expected.json"])
    found = run(reader, str(with_shared(golden, tmp_path)))
    assert {name: found[name] for name in expected} == expected


def test_it_refuses_damage(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Wherever a byte is damaged, it is told."""
    counts = run(reader, str(with_shared(make(), tmp_path)), str(PLACES))
    assert counts[NAME] == {"tried": PLACES, "refused": PLACES}


def test_it_refuses_a_false_proof(reader: tuple[str, ...], tmp_path: Path) -> None:
    """One that another key made, though all else is right."""
    key = SigningKey(b"\x05" * 32)
    claim = DeviceCard.make(
        SigningKey(b"\x06" * 32),
        project=PROJECT,
        name="Laptop 9 (synthetic)",
        carrier=key.public,
        recipient=RecipientPrivate(b"\x07" * 32).public,
        created="2026-02-02T08:00:00-05:00",
        parent=LogParent(device=Keys().card().device, seq=3, head="5e" * 32),
        former=key,
    )
    folder = with_shared(make() | {NAME: claim.to_bytes()}, tmp_path)
    done = subprocess.run((*reader, str(folder)), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0
    assert "Refused" in done.stderr
