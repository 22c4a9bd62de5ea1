"""Connections to PostgreSQL: opened with our settings, kept for reading, and every failure put into a typed error.

Reading never shares a connection with writing: a record that is being copied in does not keep anybody from reading.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError, NotWritableError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.sqlite import DatabaseDamagedError
from sync.errors import CentralBusyError, CentralGoneError
from sync.postgres_schema import Connection

T = TypeVar("T")
Query = LiteralString | sql.Composed
Values = Sequence[Any] | Mapping[str, Any]

TRIES: Final = 4
"""How often something that can safely be done again is done before it is given up."""
PAGE: Final = 256
"""Rows that a server-side cursor fetches at a time."""

# A carrier whose line died must not hold a key that others wait for: the server asks whether the client is still there.
_SETTINGS: Final = """
    SET synchronous_commit = on; SET jit = off; SET client_encoding = 'UTF8'; SET work_mem = '32MB';
    SET default_transaction_isolation = 'read committed'; SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0;
    SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET lock_timeout = {wait}"""
_ENDED: Final = frozenset({"25P03", "25P04"})  # by a server's own limit on how long a transaction may take
_OTHERS: Final = """
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'fieldsurvey %' AND pid <> pg_backend_pid()
    AND state <> 'idle' AND backend_xid IS NOT NULL ORDER BY xact_start LIMIT 1"""


class Link:
    """One central's connections: one to write, and as many to read as there are readings under way."""

    def __init__(self, dsn: str, *, wait: float, patience: float) -> None:
        """`dsn`: libpq's, without a password. `wait`: seconds for another writer; `patience`: for a server to answer.

        Nothing is opened yet.
        """
        given = {key: value for key, value in conninfo_to_dict(dsn).items() if value is not None}
        defaults = {"connect_timeout": "10", "keepalives": "1", "keepalives_idle": "30", "keepalives_interval": "10"}
        name = f"fieldsurvey {os.getpid()}@{socket.gethostname()}"[:63]
        self._conninfo = make_conninfo("", **{**defaults, **given, "application_name": name})
        self._wait = wait
        self._patience = patience
        self._idle: list[Connection] = []
        self._snapshot: str | None = None
        host = str(given.get("host", "")).partition(",")[0]
        self.place = f"postgresql://{host if not host.startswith('/') else ''}/{given.get('dbname', '')}"

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def connect(self) -> Connection:
        """A new connection in autocommit mode. Tries for as long as `patience` says. Raises StorageError."""
        until = time.monotonic() + self._patience
        pause = 0.1
        while True:
            try:
                return self._connect()
            except psycopg.Error as error:
                typed = self.error(error, connecting=True)
                if not isinstance(typed, CentralGoneError) or time.monotonic() + pause > until:
                    raise typed from error
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads tries, guards nothing
            pause = min(2.0, pause * 2)

    def _connect(self) -> Connection:
        connection: Connection = psycopg.connect(self._conninfo, autocommit=True)
        try:
            connection.execute(sql.SQL(_SETTINGS).format(wait=sql.Literal(max(1, int(self._wait * 1000)))))
        except BaseException:
            connection.close()
            raise
        return connection

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
                return connection
            connection.close()
        return self.connect()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next one, or close it if it is not in order."""
        status = connection.info.transaction_status
        try:
            if status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
                connection.execute("ROLLBACK")
        except psycopg.Error:  # it went away: there is nothing to roll back any more
            connection.close()
        if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    @contextmanager
    def borrowed(self) -> Iterator[Connection]:
        """A connection for the length of a block; what psycopg raises comes out typed."""
        connection = self._take()
        try:
            yield connection
        except psycopg.Error as error:
            raise self.error(error) from error
        finally:
            self.give_back(connection)

    def again(self, work: Callable[[Connection], T]) -> T:
        """Do something that changes nothing, and do it again on a new connection when the one it had went away."""
        for left in reversed(range(TRIES)):
            connection = self._take()
            try:
                return work(connection)
            except psycopg.Error as error:
                typed = self.error(error)
                if not isinstance(typed, CentralGoneError) or not left:
                    raise typed from error
            finally:
                self.give_back(connection)
            self.close()  # those that were kept are as old
        raise AssertionError  # the last try returned or raised

    def all(self, query: Query, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of an answer that is small."""

        def work(connection: Connection) -> list[tuple[Any, ...]]:
            if self._snapshot is not None:
                self._begin(connection)
            return connection.execute(query, values, binary=True).fetchall()

        return self.again(work)

    def stream(self, query: Query, values: Values = (), page: int = PAGE) -> Iterator[tuple[Any, ...]]:
        """The rows of any answer, `page` at a time by a cursor that stays on the server."""

        def begin(connection: Connection) -> psycopg.ServerCursor[tuple[Any, ...]]:
            self._begin(connection)
            cursor = connection.cursor("reading", binary=True)
            cursor.itersize = page
            return cursor.execute(query, values)

        for left in reversed(range(TRIES)):
            connection = self._take()
            try:
                cursor = begin(connection)
                break
            except psycopg.Error as error:  # nothing was handed out yet: it can be asked again
                self.give_back(connection)
                typed = self.error(error)
                if not isinstance(typed, CentralGoneError) or not left:
                    raise typed from error
        try:
            while rows := self._page(cursor, page):
                yield from rows
        finally:
            with contextlib.suppress(psycopg.Error):  # the connection went away, and the cursor with it
                cursor.close()
            self.give_back(connection)

    def _page(self, cursor: psycopg.ServerCursor[tuple[Any, ...]], page: int) -> list[tuple[Any, ...]]:
        try:
            return cursor.fetchmany(page)
        except psycopg.Error as error:
            raise self.error(error) from error

    def _begin(self, connection: Connection) -> None:
        if self._snapshot is None:
            connection.execute("BEGIN READ ONLY")
        else:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._snapshot)))
            except errors.UndefinedObject:  # the connection that held it went away: that moment is over
                raise CentralGoneError(place=self.place, reason="SNAPSHOT") from None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is of one moment, whatever is merged meanwhile."""
        with self.borrowed() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            self._snapshot = row[0] if row else None
            try:
                yield
            finally:
                self._snapshot = None

    def error(self, error: psycopg.Error, *, connecting: bool = False) -> StorageError:
        """The typed error for one of psycopg's. A programming error is raised as it is: it must show."""
        if isinstance(error, errors.DiskFull):
            return NoSpaceError(place=self.place)
        if isinstance(error, (errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
            return NotWritableError(place=self.place)
        if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable)):
            return DatabaseDamagedError(place=self.place)
        if isinstance(error, BUSY):
            return CentralBusyError(place=self.place, holder=self._holder())
        state = error.sqlstate or ""
        lost = isinstance(error, psycopg.OperationalError) and (not state or state[:2] in {"08", "57", "53", "58"})
        if lost or connecting or state in _ENDED:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
            return CentralGoneError(place=self.place, reason=said)
        raise error

    def _holder(self) -> str:
        try:
            with psycopg.connect(self._conninfo, autocommit=True) as connection:
                row = connection.execute(_OTHERS).fetchone()
        except psycopg.Error:  # a courtesy: without it the message is only less exact
            row = None
        name = str(row[0]).removeprefix("fieldsurvey ") if row else ""
        process, _at, host = name.partition("@")
        return (
            _("process {process} on {host}").format(process=process, host=host)
            if row
            else _("it does not say who it is")
        )


BUSY: Final = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
)
"""Another writer was in the way; nothing is wrong."""
