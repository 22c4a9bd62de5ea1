"""`python -m benchmarks sync merge [--grow N]`: merging into central on SQLite beside the raw insert of the same bytes.

Raw: the records as rows (hash, record), the hash as key, in one transaction a batch, on a connection that is opened
the same way. It verifies nothing and stores nothing else. Both take turns in one run and each begins with a file of
its own; what is timed is what lies between opening and closing. Records are random bytes in the shape of sealed ones
(1,800 bytes of answers for two recipients); chains, signatures and batches are real.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import multiprocessing
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.sync.simulation import Laptop, enrolled
from fieldsurvey.base.sqlite import open_sqlite, transaction
from fieldsurvey.project.model import Project
from fieldsurvey.records.container import open_container
from fieldsurvey.records.envelope import read_clear
from fieldsurvey.records.log import heads_of, verify_entry, verify_run
from sync.batches import MAX_ENTRIES, read_batch
from sync.central import Central
from sync.manifests import ManifestReader, strict
from sync.sqlite_store import AUTOCHECKPOINT
from sync.store import SeenBatch, StoredDevice, StoredEntry

LIMIT: Final = 0.35
BATCHES: Final = 8
MARKS: Final = (1_000, 10_000, 50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000)
Rows = list[tuple[bytes, bytes]]
Call = Callable[[], object]


def main(words: list[str]) -> str:
    """Markdown: the ratio and what each check costs; with --grow, time and memory up to so many records."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sync merge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--grow", type=int, default=0, metavar="N", help="go on to N records in one central")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        if options.grow:
            return growth(Path(folder), options.grow)
        files = list(batches(BATCHES * MAX_ENTRIES, laptops=BATCHES))
        return "\n\n".join([ratio(Path(folder), files, options.rounds), costs(Path(folder), files[0], options.rounds)])


def batches(records: int, laptops: int, seed: int = 1) -> Iterator[bytes]:
    """Files of up to 1,024 records each, of one laptop after the other in turn."""
    dice = random.Random(seed)
    made = [Laptop(number, connected=False) for number in range(laptops)]
    _PROJECT[:] = [enrolled(made)]
    while records > 0:
        for laptop in made:
            for _ in range(min(records, MAX_ENTRIES)):
                laptop.interview(dice)
            records -= MAX_ENTRIES
            yield from laptop.batches()
            if laptop.last is not None:
                laptop.confirm(laptop.last.seq, laptop.last.head)
            if records <= 0:
                return


_PROJECT: list[bytes] = []


def rows_of(data: bytes) -> Rows:
    """What the raw insert gets of a batch."""
    return list(open_container(io.BytesIO(data), "batch").frames())


def raw_insert(path: Path, every: list[Rows]) -> float:
    """Seconds that the raw insert takes."""
    connection = open_sqlite(path)
    connection.execute(AUTOCHECKPOINT)
    connection.execute("CREATE TABLE raw (hash BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT")
    start = time.perf_counter()
    for rows in every:
        _insert(connection, path, rows)
    taken = time.perf_counter() - start
    connection.close()
    return taken


def _insert(connection: sqlite3.Connection, path: Path, rows: Rows) -> None:
    with transaction(connection, path) as one:
        one.executemany("INSERT INTO raw VALUES (?,?)", rows)


def merge(path: Path, files: list[bytes]) -> float:
    """Seconds that merging takes."""
    with Central.open(path) as central:
        central.learn(Project.from_bytes(_PROJECT[0]))
        start = time.perf_counter()
        for data in files:
            central.merge(io.BytesIO(data))
        return time.perf_counter() - start


def again(path: Path, files: list[bytes]) -> float:
    """Seconds that merging takes of what is there already."""
    with Central.open(path) as central:
        start = time.perf_counter()
        for data in files:
            assert central.merge(io.BytesIO(data)).new == 0
        return time.perf_counter() - start


def ratio(folder: Path, files: list[bytes], rounds: int) -> str:
    """One table: the lower quartile of each, which other work disturbs least."""
    every = [rows_of(data) for data in files]
    count = sum(map(len, every))
    taken: dict[str, list[float]] = {"raw": [], "merge": [], "again": []}
    for number in range(rounds):
        place = folder / f"{number}.db"
        calls: list[tuple[str, Callable[[], float]]] = [
            ("raw", lambda at=folder / f"{number}.raw": raw_insert(at, every)),  # type: ignore[misc]
            ("merge", lambda at=place: merge(at, files)),  # type: ignore[misc]
        ]
        for name, call in calls[:: 1 if number % 2 else -1]:
            taken[name].append(call())
        taken["again"].append(again(place, files))
        for path in folder.iterdir():
            path.unlink()
    found = {name: statistics.quantiles(times, n=4)[0] / count * 1e6 for name, times in taken.items()}
    share = found["raw"] / found["merge"]
    size = sum(len(record) for rows in every for _hash, record in rows) // count
    lines = [
        f"{count:,} records of {size:,} bytes in {len(files)} batches; limit: at least {LIMIT:.0%} of the raw insert.",
        "",
        "| | µs a record | records/s | share of raw |",
        "| --- | ---: | ---: | ---: |",
        f"| raw insert | {found['raw']:.1f} | {1e6 / found['raw']:,.0f} | 100 % |",
        f"| merge | {found['merge']:.1f} | {1e6 / found['merge']:,.0f} | {share:.0%} |",
        f"| merge again, nothing new | {found['again']:.1f} | {1e6 / found['again']:,.0f} | |",
    ]
    return "\n".join(lines)


def costs(folder: Path, data: bytes, rounds: int) -> str:
    """One table: each check alone, over one batch, in CPU time."""
    batch = read_batch(io.BytesIO(data))
    parts = list(batch.records())
    card = batch.card
    container = open_container(io.BytesIO(data), "batch")
    stored = [
        (
            StoredEntry(
                entry.device,
                entry.seq,
                entry.head,
                entry.head,
                entry.record_hash,
                header.case,
                header.revision,
                header.kind,
                None,
                None,
            ),
            record,
        )
        for entry, header, record in parts
    ]

    def every_signature() -> None:
        verify_run(card.sign_key, card.project, card.device, batch.previous, batch.entries, every_signature=True)

    steps: list[tuple[str, Call]] = [
        (
            "manifest: canonical JSON, bounds, frames table, its entries' spelling",
            lambda: open_container(io.BytesIO(data), "batch", read=ManifestReader().read),
        ),
        ("the same by the strict reader alone", lambda: strict(open_container(io.BytesIO(data), "batch").manifest)),
        ("carrier's signature over the manifest", lambda: container.verify(card.carrier_key)),
        (
            "chain, and the device's signature over its end",
            lambda: (
                heads_of(batch.previous, batch.first, [entry.record_hash for entry in batch.entries]),
                verify_entry(card.sign_key, batch.end),
            ),
        ),
        ("manifest in all, with its chain and signatures", lambda: read_batch(io.BytesIO(data))),
        ("SHA-256 of each record", lambda: [hashlib.sha256(record).digest() for _, _, record in parts]),
        ("structure and clear header of each record", lambda: [read_clear(record) for _, _, record in parts]),
        ("all that is verified", lambda: read_batch(io.BytesIO(data)).verify()),
        ("not done: the signature of every single entry", every_signature),
    ]
    lines = ["| CPU time of | µs a record |", "| --- | ---: |"]
    lines += [f"| {name} | {_cpu(call, rounds) / len(parts) * 1e6:.2f} |" for name, call in steps]
    inserted = [_insert_alone(folder / f"{number}.db", card.to_bytes(), stored) for number in range(rounds)]
    lines.append(f"| central's rows, without any check | {statistics.median(inserted) / len(parts) * 1e6:.2f} |")
    return "\n".join(lines)


def _cpu(call: Call, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _insert_alone(path: Path, card: bytes, stored: list[tuple[StoredEntry, bytes]]) -> float:
    with Central.open(path) as central:
        end = stored[-1][0]
        start = time.process_time()
        with central.store.write() as writer:
            writer.device(StoredDevice(end.device, card))
            writer.entries(stored)
            writer.signature(end.device, end.seq, end.head, bytes(65))
            writer.batch(SeenBatch(bytes(32), end.device, stored[0][0].seq, end.seq, "2026-03-01T08:00:00Z"))
        return time.process_time() - start


def growth(folder: Path, records: int) -> str:
    """One table: central and the raw insert as they grow, each in a process of its own, whose peak of memory it is."""
    context = multiprocessing.get_context("spawn")
    ends = []
    files = batches(records, laptops=64)
    first = next(files)
    for name in ("merge", "raw"):
        (folder / name).mkdir()
        ours, theirs = multiprocessing.Pipe()
        process = context.Process(target=_grow, args=(name, str(folder / name / "db"), _PROJECT[0], theirs))
        process.start()
        ends.append((process, ours))
    lines = [
        "| records | merge µs a record since the line before | raw µs | share | peak MiB | raw's | file MiB |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    sent = 0
    marks = [mark for mark in MARKS if mark < records] + [records]
    passed = [0.0, 0.0]
    since = 0
    for data in itertools.chain([first], files):
        told = []
        for _process, pipe in ends:
            pipe.send(data)
            told.append(pipe.recv())
        sent += told[0]["records"]
        since += told[0]["records"]
        passed = [one + found["seconds"] for one, found in zip(passed, told, strict=True)]
        if marks and sent >= marks[0]:
            while marks and sent >= marks[0]:
                marks.pop(0)
            ours, raw = (one / since * 1e6 for one in passed)
            size = sum(path.stat().st_size for path in (folder / "merge").iterdir()) / 2**20
            peaks = " | ".join(str(found["peak"]) for found in told)
            lines.append(f"| {sent:,} | {ours:.1f} | {raw:.1f} | {raw / ours:.0%} | {peaks} | {size:,.0f} |")
            passed, since = [0.0, 0.0], 0
    for process, pipe in ends:
        pipe.send(None)
        process.join()
    return "\n".join(lines)


def _grow(name: str, place: str, project: bytes, pipe: Connection) -> None:
    path = Path(place)
    if name == "merge":
        with Central.open(path) as central:
            central.learn(Project.from_bytes(project))
            while (data := pipe.recv()) is not None:
                start = time.perf_counter()
                new = central.merge(io.BytesIO(data)).new
                pipe.send({"records": new, "seconds": time.perf_counter() - start, "peak": _peak()})
        return
    connection = open_sqlite(path)
    connection.execute(AUTOCHECKPOINT)
    connection.execute("CREATE TABLE raw (hash BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT")
    while (data := pipe.recv()) is not None:
        rows = rows_of(data)
        start = time.perf_counter()
        _insert(connection, path, rows)
        pipe.send({"records": len(rows), "seconds": time.perf_counter() - start, "peak": _peak()})
    connection.close()


def _peak() -> int:
    """MiB that this process ever held."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) >> 10
    return 0
