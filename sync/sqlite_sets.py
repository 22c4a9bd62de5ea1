"""What backups and moves need of central on SQLite: whole sets, one moment of it, and leaving it for another store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sync.errors import CentralMovedError
from sync.sets import BODIES, ERASED, Row, SetSpec

# A body whose hash is noted as erased is not stored, wherever it comes from.
_PUT_BODY = """INSERT INTO bodies (hash, body) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM erased WHERE hash = ?1)
               ON CONFLICT (hash) DO NOTHING"""


class SqliteSets:
    """A part of SqliteStore."""

    _connection: sqlite3.Connection

    @property
    def place(self) -> str:
        """The path."""
        raise NotImplementedError

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        raise NotImplementedError

    def _locked(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """The file's."""
        return f"sqlite {Path(self.place).resolve()}"

    def rows(self, spec: SetSpec, *, keys: bool = False) -> Iterator[Row]:
        """A set's rows, or only their keys, in the order of the keys."""
        names = ", ".join(spec.key_names if keys else spec.names)
        return self._rows(f"SELECT {names} FROM {spec.name} ORDER BY {', '.join(spec.key_names)}")  # noqa: S608  names of sets.py

    def held(self, device: str, seq: int) -> tuple[int, int]:
        """How many entries up to there, and how many absent ones."""
        count = "(SELECT count(*) FROM {} WHERE device = ?1 AND seq <= ?2)"
        entries, absent = next(self._rows(f"SELECT {count.format('entries')}, {count.format('absent')}", (device, seq)))
        return entries, absent

    def case_count(self) -> int:
        """How many, from the index alone."""
        found: int = next(self._rows("SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY case_id)"))[0]
        return found

    def unusual_cases(self, usual: Collection[str]) -> Iterator[str]:
        """Those of several entries, from the index alone; then the others, in the order in which they lie."""
        several = "SELECT case_id FROM entries INDEXED BY entries_by_case GROUP BY case_id HAVING count(*) > 1"
        one = """SELECT case_id FROM entries AS e NOT INDEXED
                 WHERE (kind <> 'record' OR parent IS NOT NULL OR withdrawal IN (SELECT tag FROM tombstones)
                        OR device NOT IN (SELECT value FROM json_each(?)))
                 AND (SELECT count(*) FROM entries INDEXED BY entries_by_case WHERE case_id = e.case_id) = 1"""
        yield from (case for (case,) in self._rows(several))
        yield from (case for (case,) in self._rows(one, (json.dumps(sorted(usual)),)))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is of one moment. Nothing can be written here meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:  # a disk that fails has ended it already
                self._connection.execute("ROLLBACK")

    def moved(self) -> str | None:
        """Where it was moved to."""
        row = next(self._rows("SELECT place FROM moved"), None)
        return row[0] if row else None

    def refuse_if_moved(self) -> None:
        """Raises CentralMovedError."""
        if (to := self.moved()) is not None:
            raise CentralMovedError(place=self.place, to=to)

    @contextmanager
    def retire(self, to: str) -> Iterator[None]:
        """Keep every other writer out for the length of the block, and for good after it."""
        with self._locked():
            self.refuse_if_moved()
            yield
            self._connection.execute("INSERT INTO moved VALUES (?)", (to,))

    def reopen(self) -> None:
        """Take writes again after `retire`."""
        with self._locked():
            self._connection.execute("DELETE FROM moved")


class SqliteSetsWriter:
    """A part of SqliteWriter."""

    _connection: sqlite3.Connection

    def erase(self, hashes: Iterable[bytes]) -> int:
        """Remove bodies and note their hashes."""
        raise NotImplementedError

    def rows(self, spec: SetSpec, rows: Iterable[Row]) -> int:
        """Rows of any set as they are in another store; how many are new. What is erased stays erased."""
        if spec is ERASED:
            return self.erase(row[0] for row in rows)
        if spec is BODIES:
            return self._connection.executemany(_PUT_BODY, rows).rowcount
        marks = ", ".join("?" * len(spec.columns))
        names, key = ", ".join(spec.names), ", ".join(spec.key_names)
        put = f"INSERT INTO {spec.name} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO NOTHING"  # noqa: S608  names of sets.py
        return self._connection.executemany(put, rows).rowcount
