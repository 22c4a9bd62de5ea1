"""The server's process holds for months what it has loaded: it loads what a server needs. All laptops are synthetic."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from asyncio.sslproto import SSLProtocol
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fieldsurvey.cli import sync_serve
from fieldsurvey.cli.sync import app
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from sync.http import serving
from sync.http.tls import server_keys
from sync.sqlite_current import CURRENT, fingerprint, is_current
from sync.sqlite_store import SqliteStore
from tests.sync.http.worlds import Place
from tests.sync.laptops import laptop

UNWANTED = {
    "cryptography.x509",
    "fieldsurvey.fieldwork.laptop",
    "fieldsurvey.fieldwork.session",
    "fieldsurvey.needs",
    "fieldsurvey.tui",
    "fieldsurvey.xforms",
    "httpx",
    "jinja2",
    "matplotlib",
    "numpy",
    "polars",
    "psycopg",
    "pyxform",
    "rich",
    "sqlite_utils",
    "sync.folder",
    "sync.http.line",
    "sync.postgres_store",
    "textual",
    "typer",
}
PROGRAM = """
import json, sys
from fieldsurvey.cli import sync_serve
from sync.http import serving

def serve(service, keys, host, port, ready):
    made = serving.server(service, keys)
    made.config.load()
    print(json.dumps(sorted(sys.modules)))

serving.serve = serve
sys.exit(sync_serve.main(sys.argv[1:]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A steward's folder beside a central that has its tables, and TLS keys."""
    made = Place.make(tmp_path / "central", laptop(1))
    steward = made.home / "steward"
    steward.mkdir()
    (steward / "central.key").write_bytes(role_key_bytes(made.project.id, Role.CENTRAL, made.project.central))
    (steward / "project.fsp").write_bytes(made.signed.data)
    server_keys(made.home)
    made.central().close()
    return made


def loaded(place: Place, program: str = PROGRAM) -> set[str]:
    """What the server's process has loaded of the unwanted when it could answer."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "127.0.0.1", "0", "en"],
        env={"FIELDSURVEY_HOME": str(place.home), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout)
    assert {"uvicorn", "starlette.applications", "sync.http.service"} <= set(modules)
    return {name for name in UNWANTED if any(one == name or one.startswith(f"{name}.") for one in modules)}


def test_the_servers_process_loads_what_a_server_needs(place: Place) -> None:
    """No screen, no laptop, no command line, no client, no other database: its memory is theirs who push."""
    assert loaded(place) == set()


def test_the_search_finds_what_is_loaded_too_much(place: Place) -> None:
    """Control: a planted import is seen, and so is what makes tables where central has none yet."""
    assert "typer" in loaded(place, PROGRAM.replace("import json, sys", "import json, sys, typer"))
    for path in place.home.glob("central.db*"):
        path.unlink()
    assert "sqlite_utils" in loaded(place)


def test_sync_serve_becomes_that_process(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes keys and tables first, then puts the lean process in its own place, with one heap for all threads."""
    for old in (*place.home.glob("central.db*"), *(place.home / "server").glob("*.*")):
        old.unlink()
    seen: list[tuple[str, list[str], dict[str, str]]] = []

    class Became(BaseException):
        """What follows is another program."""

    def execve(path: str, words: list[str], environ: dict[str, str]) -> None:
        seen.append((path, words, environ))
        raise Became

    monkeypatch.setenv("FIELDSURVEY_HOME", str(place.home))
    monkeypatch.setattr(os, "execve", execve)
    with pytest.raises(Became):
        CliRunner().invoke(app, ["serve", "--port", "8553", "--json"], catch_exceptions=False)
    ((path, words, environ),) = seen
    assert [path, *words[1:4]] == [sys.executable, "-P", "-m", "fieldsurvey.cli.sync_serve"]
    assert words[4:6] == ["0.0.0.0", "8553"]
    assert words[7:] == ["json", "made"]
    assert environ["MALLOC_ARENA_MAX"] == "1"
    assert (place.home / "central.db").exists()


def test_where_a_process_cannot_be_replaced_it_is_run() -> None:
    """With the same environment; its exit code is the command's."""
    program = "import os, sys; sys.exit(3 if os.environ['MALLOC_ARENA_MAX'] == '1' else 4)"
    assert sync_serve.become([sys.executable, "-c", program], in_place=False) == 3


def test_what_is_in_the_way_is_said_as_everywhere(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the lean process too: code and words, and exit 1."""
    (place.home / "steward" / "central.key").unlink()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(place.home))
    assert sync_serve.main(["127.0.0.1", "0", "en", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"].startswith(("storage.", "input.", "refused.", "untrusted."))
    assert sync_serve.main(["127.0.0.1", "0", "en"]) == 1
    said = capsys.readouterr()
    assert (said.out, "central.key" in said.err) == ("", True)


def test_a_connection_costs_little(place: Place) -> None:
    """What asyncio keeps to read from each line is bounded by ours, not by its own quarter of a mebibyte."""
    with place.service() as service:
        serving.server(service, server_keys(place.home))
    assert SSLProtocol.max_size == serving.READ < 64 << 10


def test_tables_are_known_without_what_makes_them(tmp_path: Path) -> None:
    """The fingerprint kept in the source is that of the tables that the migrations make."""
    store = SqliteStore(tmp_path / "central.db")
    assert fingerprint(store._rows) == CURRENT
    assert is_current(store._rows)
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE tombstones RENAME COLUMN tag TO tog",
        "DROP TABLE moved",
        "CREATE TABLE more (a)",
        "DELETE FROM _sqlite_migrations WHERE name = 'moved_away'",
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('central', 'future', '')",
        "ALTER TABLE _sqlite_migrations RENAME COLUMN migration_set TO other",
        "DROP TABLE _sqlite_migrations",
    ],
)
def test_any_other_tables_are_looked_at_more_closely(tmp_path: Path, change: str) -> None:
    """An earlier version's, a later one's, altered ones: not the short way."""
    path = tmp_path / "central.db"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(change)
    assert not is_current(lambda sql: iter(connection.execute(sql).fetchall()))
    connection.close()
