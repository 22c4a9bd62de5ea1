"""Memory stays flat whatever a batch holds, and importing survives being killed at any moment."""

from __future__ import annotations

import io
import multiprocessing
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import plan_batches, read_batch, write_batch
from sync.central import Central
from tests.sync.current import records
from tests.sync.dumps import dump
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import enrol

MIB = 1 << 20


@pytest.fixture(scope="module")
def heavy() -> SyntheticLaptop:
    """A laptop with 24 records of half a MiB."""
    made = SyntheticLaptop()
    for _ in range(24):
        made.seal(size=MIB // 2)
    return made


def peak(function: Callable[[], object]) -> int:
    """The most Python memory that `function` held at once."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_exporting_and_merging_hold_a_few_records_at_once(heavy: SyntheticLaptop, tmp_path: Path) -> None:
    """A batch of 12 MiB passes through in less than 4 MiB; holding it whole does not (control)."""
    path = tmp_path / "heavy.fsb"

    def export() -> None:
        (plan,) = plan_batches(heavy, 1, 24)
        with path.open("wb") as out:
            for piece in write_batch(heavy, plan):
                out.write(piece)

    def merge() -> None:
        with Central.open(tmp_path / "central.db") as central, path.open("rb") as stream:
            enrol(central, heavy)
            assert central.merge(stream).new == 24
            for _entry, blob in records(central):
                assert blob

    assert peak(export) < 4 * MIB
    assert path.stat().st_size > 12 * MIB
    assert peak(merge) < 4 * MIB
    assert peak(path.read_bytes) > 12 * MIB


def test_memory_does_not_grow_with_what_central_holds(tmp_path: Path) -> None:
    """Merging, erasing, looking and verifying hold the same at ten times as many records; a list of them does not."""
    device = laptop(1_430)
    held: list[tuple[int, int]] = []
    with Central.open(tmp_path / "central.db") as central:
        enrol(central, device)
        stone = WithdrawalCode.generate()
        central.withdraw(Tombstone(project=PROJECT, code=stone.raw, requested="2026-03-03"))

        def everything(batches: list[bytes], last: int) -> None:
            for data in batches:
                central.merge(io.BytesIO(data))
            central.erase()
            assert central.status().counts.entries == last
            assert central.verify().sound
            assert all(blob for _entry, blob in records(central))

        everything(device.batches(1, 10), 10)  # what is loaded with the first use is not counted
        for first, last in ((11, 150), (151, 1_290), (1_291, 1_430)):
            batches = device.batches(first, last)
            work = peak(lambda batches=batches, last=last: everything(batches, last))  # type: ignore[misc]
            held.append((work, peak(lambda: list(central.store.versions()))))
    (small, few), _between, (large, many) = held
    assert large < 1.3 * small
    assert many > 5 * few


def _merge_for_ever(path: Path, batches: list[bytes], started: Any) -> None:
    with Central.open(path) as central:
        started.set()
        for data in batches:
            central.merge(io.BytesIO(data))


def _kill_and_repeat(tmp_path: Path, rounds: int, seed: int) -> None:
    device = laptop(60)
    batches = device.batches(max_entries=4)
    path = tmp_path / "killed.db"
    with Central.open(path) as central:
        enrol(central, device)
    context = multiprocessing.get_context("spawn")
    chance = random.Random(seed)
    for _ in range(rounds):
        started = context.Event()
        worker = context.Process(target=_merge_for_ever, args=(path, batches, started))
        worker.start()
        started.wait(120)
        time.sleep(chance.uniform(0, 0.03))
        worker.kill()
        worker.join(120)
        with Central.open(path) as central:
            assert central.verify().sound
            assert central.store.counts().entries % 4 == 0
    with Central.open(path) as central:
        for data in batches:
            central.merge(io.BytesIO(data))
        assert len(list(records(central))) == 60


def test_killed_while_merging(tmp_path: Path) -> None:
    """Whole batches or nothing, whenever the process ends; importing again completes it."""
    _kill_and_repeat(tmp_path, rounds=2, seed=1)


@pytest.mark.long
def test_killed_while_merging_many_times(tmp_path: Path) -> None:
    """The same, 60 times."""
    _kill_and_repeat(tmp_path, rounds=60, seed=2)


@pytest.mark.long
def test_thousands_of_mutants_change_nothing(tmp_path: Path) -> None:
    """10,000 mutated batches: none accepted, typed errors only, central row for row as it was."""
    device = laptop(3)
    data = device.batch()
    chance = random.Random(3)
    path = tmp_path / "central.db"
    with Central.open(path) as central:
        enrol(central, device)
        before = dump(path)
        for _ in range(10_000):
            start = chance.randrange(len(data))
            end = min(len(data), start + chance.choice((0, 1, 4, 100, 4000)))
            mutant = data[:start] + chance.randbytes(chance.choice((0, 1, 4, 50))) + data[end:]
            if mutant == data:
                continue
            with pytest.raises((UntrustedError, RefusedError)):
                central.merge(io.BytesIO(mutant))
        assert dump(path) == before
        assert central.merge(io.BytesIO(data)).new == 3
    assert read_batch(io.BytesIO(data)).last == 3
