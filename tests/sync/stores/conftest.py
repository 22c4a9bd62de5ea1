"""Both stores behind one fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.postgres_store import PostgresStore
from sync.sqlite_store import SqliteStore
from sync.store import Store
from tests.sync.stores.kinds import Kind, PostgresKind, SqliteKind
from tests.sync.stores.servers import Server, make_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One for the whole session."""
    made = make_server()
    yield made
    made.close()


@pytest.fixture
def dsn(server: Server) -> Iterator[str]:
    """An empty database."""
    with server.database() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind in turn."""
    if request.param == "sqlite":
        return SqliteKind(tmp_path / "central.db")
    return PostgresKind(request.getfixturevalue("dsn"))


@pytest.fixture
def store(kind: Kind) -> Iterator[Store]:
    """An empty store of each kind."""
    made = kind.open(wait=0.3)
    yield made
    made.close()


@pytest.fixture
def postgres(dsn: str) -> Iterator[PostgresStore]:
    """An empty one."""
    made = PostgresStore(dsn, wait=0.3, patience=1)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    made = SqliteStore(tmp_path / "sqlite.db", wait=0.3)
    yield made
    made.close()
