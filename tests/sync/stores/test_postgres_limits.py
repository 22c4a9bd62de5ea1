"""A server whose owner limits how long a transaction may wait or take, as hosting often does."""

from __future__ import annotations

import time

import psycopg
import pytest

from sync.errors import CentralGoneError
from sync.postgres_store import PostgresStore


def limited(dsn: str, *names: str) -> None:
    """Every new session of this database has a limit of a fifth of a second."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in names:
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {name} = '200ms'".encode())


@pytest.fixture
def store(dsn: str) -> PostgresStore:
    """One that is opened after the limits were set."""
    limited(dsn, "idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout")
    return PostgresStore(dsn, wait=1, patience=1)


def test_a_limit_on_waiting_ends_neither_a_backup_nor_a_merge(store: PostgresStore) -> None:
    """A backup holds one moment for as long as copying takes; a merge waits for its stick."""
    with store.snapshot():
        before = store.counts()
        time.sleep(0.4)
        assert store.counts() == before
    with store.write() as writer:
        time.sleep(0.4)
        writer.erase([b"x" * 32])
    assert store.counts().erased == 1
    store.close()


def test_a_transaction_that_the_server_ends_all_the_same_is_a_server_that_went_away(store: PostgresStore) -> None:
    """A typed error, nothing kept, and the next one goes on."""
    with pytest.raises(CentralGoneError), store.write() as writer:
        writer._connection.execute("SET idle_in_transaction_session_timeout = '100ms'")
        time.sleep(0.4)
        writer.erase([b"x" * 32])
    assert store.counts().erased == 0
    with store.write() as writer:
        writer.erase([b"x" * 32])
    assert store.counts().erased == 1
    store.close()
