"""Central's file with single bits flipped: what `verify` calls sound is the same, and nothing fails untyped."""

from __future__ import annotations

import io
import random
from collections import Counter
from pathlib import Path

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from sync.central import Central
from tests.sync.current import records
from tests.sync.laptops import laptop
from tests.sync.projects import enrol


def _flip_bits(tmp_path: Path, count: int, seed: int) -> None:
    path, copy = tmp_path / "central.db", tmp_path / "copy.db"
    device = laptop(8)
    with Central.open(path) as central:
        enrol(central, device)
        for batch in device.batches(max_entries=3):
            central.merge(io.BytesIO(batch))
        expected = (central.digest(), list(records(central)))
    data = path.read_bytes()
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(count):
        at = chance.randrange(len(data))
        for name in ("copy.db", "copy.db-wal", "copy.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        copy.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
        try:
            with Central.open(copy) as central:
                if central.verify().sound:
                    assert (central.digest(), list(records(central))) == expected
                    seen["the same"] += 1
                else:
                    seen["found"] += 1
                central.status()
        except FieldsurveyError:
            seen["refused"] += 1
    assert seen["found"] > count // 10
    assert seen["refused"] > 0


def test_what_verify_calls_sound_is_the_same(tmp_path: Path) -> None:
    """Bits flipped anywhere in the database file: found, refused with a typed error, or without any effect."""
    _flip_bits(tmp_path, 120, seed=5)


@pytest.mark.long
def test_what_verify_calls_sound_is_the_same_many_times(tmp_path: Path) -> None:
    """The same, 5,000 bits."""
    _flip_bits(tmp_path, 5_000, seed=6)
