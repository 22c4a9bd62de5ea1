"""Eight processes merge the same and different batches, half of them killed at random: always the same state."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import enrol
from tests.sync.stores.kinds import Contents, Kind, PostgresKind, SqliteKind
from tests.sync.stores.servers import Server
from tests.sync.stores.workers import CLOCK, create, merge_all

PROCESSES = 8
KILLED = 4
ROUNDS_SHORT = 3
ROUNDS = 20

# Processes that are forked from one that has loaded everything start in milliseconds; Windows cannot.
CONTEXT: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
if sys.platform != "win32":
    CONTEXT.set_forkserver_preload(["tests.sync.stores.workers", "sync.postgres_store"])


@dataclass(frozen=True)
class Work:
    """Batches that overlap, of logs with a fork; a withdrawal; and what a single process makes of them in order."""

    laptops: tuple[SyntheticLaptop, ...]
    batches: list[bytes]
    tombstone: bytes
    expected: Contents


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """The same for all rounds."""
    code = WithdrawalCode.generate()
    laptops = [laptop(10) for _ in range(4)]
    for item in laptops:
        item.seal(withdrawal=code.tag(PROJECT))
    laptops[1].append(laptops[1].log[0][1])  # one record logged twice
    laptops.append(laptops[0].clone())
    for item in laptops:
        for size in (40, 9_000, 120_000):
            item.seal(size=size)
    batches = [data for item in laptops for cut in (3, 5) for data in item.batches(max_entries=cut)]
    tombstone = Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01").to_bytes()
    kind = SqliteKind(tmp_path_factory.mktemp("expected") / "central.db")
    prepare(kind, laptops)
    with Central(kind.open(), CLOCK) as central:
        for data in batches:
            central.merge(io.BytesIO(data))
        central.withdraw(Tombstone.from_bytes(tombstone))
        assert central.erase() == 4
        assert central.verify().sound
    return Work(tuple(laptops), batches, tombstone, comparable(kind.contents()))


def prepare(kind: Kind, laptops: Any) -> None:
    """A project in which they count."""
    with Central(kind.open(), CLOCK) as central:
        enrol(central, *laptops)


def comparable(contents: Contents) -> Contents:
    """Without which of two batches that bring the same was merged first: only that is left to chance."""
    return {name: rows for name, rows in contents.items() if name not in {"batches", "signatures", "projects"}}


def one_round(kind: Kind, work: Work, seed: int) -> int:
    """Start eight, kill four of them at a random batch of theirs; how many died in the middle of their work."""
    chance = random.Random(seed)
    counters = [CONTEXT.Value("i", 0) for _ in range(PROCESSES)]
    started = [
        CONTEXT.Process(target=merge_all, args=(kind, work.batches, work.tombstone, seed * 100 + number, counter))
        for number, counter in enumerate(counters)
    ]
    for process in started:
        process.start()
    doomed = {number: chance.randrange(len(work.batches) // 2) for number in chance.sample(range(PROCESSES), KILLED)}
    until = time.monotonic() + 300
    while doomed and time.monotonic() < until:
        for number, after in list(doomed.items()):
            if counters[number].value >= after:
                time.sleep(chance.uniform(0, 0.02))
                started[number].kill()
                del doomed[number]
        time.sleep(0.001)
    for process in started:
        process.join(300)
    died: int = sum(process.exitcode != 0 for process in started)
    finished = [counter.value for process, counter in zip(started, counters, strict=True) if process.exitcode == 0]
    assert [process.exitcode for process in started if process.exitcode not in {0, -9}] == []
    assert finished == [len(work.batches)] * (PROCESSES - died)
    return died


def check(kind: Kind, work: Work) -> None:
    """The same rows as one process made, read past our code, and all of it sound."""
    with Central(kind.open(), CLOCK) as central:
        central.erase()  # what was merged by one that had not heard of the withdrawal yet
        assert central.verify().sound
        assert central.store.unclaimed_bodies() == 0
    assert comparable(kind.contents()) == work.expected
    signed = {row[:3] for row in kind.contents()["signatures"]}
    assert {(item.device, len(item.log), item.log[-1][0].head) for item in work.laptops} <= signed


def rounds(kind_of: Callable[[int], AbstractContextManager[Kind]], work: Work, count: int) -> None:
    """So many, each with a store of its own; most of those to be killed must have died in the middle.

    On a busy machine more of them end before they are killed: then there are more rounds, up to three times as many.
    """
    died, wanted = 0, count * KILLED // 2
    first = int(os.environ.get("FIELDSURVEY_SEED", "1"))
    for seed in range(first, first + 3 * count):
        if seed >= first + count and died >= wanted:
            break
        with kind_of(seed) as kind:
            prepare(kind, work.laptops)
            died += one_round(kind, work, seed)
            check(kind, work)
    assert died >= wanted


@pytest.mark.parametrize("count", [ROUNDS_SHORT, pytest.param(ROUNDS, marks=pytest.mark.long)])
def test_eight_processes_on_sqlite(work: Work, tmp_path: Path, count: int) -> None:
    """They take turns at one file; those that are killed leave nothing half done."""
    rounds(lambda seed: nullcontext(SqliteKind(tmp_path / f"central-{seed}.db")), work, count)


@pytest.mark.parametrize("count", [ROUNDS_SHORT, pytest.param(ROUNDS, marks=pytest.mark.long)])
def test_eight_processes_on_postgresql(work: Work, server: Server, count: int) -> None:
    """They write side by side; those that are killed are rolled back by the server."""

    @contextmanager
    def database(_seed: int) -> Iterator[Kind]:
        with server.database() as dsn:
            yield PostgresKind(dsn)

    rounds(database, work, count)


def test_the_comparison_can_fail(work: Work, tmp_path: Path) -> None:
    """The control: one record less, one that came back, one body altered."""
    for number, damage in enumerate((
        "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)",
        "DELETE FROM erased WHERE hash = (SELECT max(hash) FROM erased)",
        "UPDATE bodies SET body = x'00' WHERE hash = (SELECT max(hash) FROM bodies)",
    )):  # fmt: skip
        kind = SqliteKind(tmp_path / f"control-{number}.db")
        prepare(kind, work.laptops)
        with Central(kind.open(), CLOCK) as central:
            for data in work.batches:
                central.merge(io.BytesIO(data))
            central.withdraw(Tombstone.from_bytes(work.tombstone))
            central.erase()
        assert comparable(kind.contents()) == work.expected
        kind.spoil(damage)
        assert comparable(kind.contents()) != work.expected


def test_several_processes_may_create_it_at_once(dsn: str) -> None:
    """One makes the tables, the others wait and find them made. (For SQLite: tests/sync/test_sqlite_tables.py.)"""
    start = CONTEXT.Event()
    started = [CONTEXT.Process(target=create, args=(PostgresKind(dsn), start)) for _ in range(4)]
    for process in started:
        process.start()
    start.set()
    for process in started:
        process.join(300)
    assert [process.exitcode for process in started] == [0] * 4
    assert PostgresKind(dsn).contents()["devices"] == [("d0" * 16, b"card")]
