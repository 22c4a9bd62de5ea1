"""`sync serve` with central on a real PostgreSQL, as a user starts it; laptops push to it. All synthetic."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from sync.folder import at_central
from sync.http.errors import ServerBusyError
from sync.http.pushing import Patience, push
from sync.http.sending import PushReport
from sync.http.tls import server_keys
from sync.place import Place as CentralsPlace
from sync.place import open_central, write_place
from tests.sync.http.conftest import RECORDS
from tests.sync.http.pushes import AT_ONCE, EACH, Arrive, send
from tests.sync.http.worlds import Place, free_port
from tests.sync.stores.servers import Server, make_server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    """A server of this module's own: it is stopped in the middle."""
    made = make_server()
    yield made
    made.close()


@contextmanager
def served(place: Place, dsn: str) -> Iterator[dict[str, Any]]:
    """The command, in a process of its own, with central in that database; what it says first."""
    steward = place.home / "steward"
    steward.mkdir(exist_ok=True)
    (steward / "central.key").write_bytes(role_key_bytes(place.project.id, Role.CENTRAL, place.project.central))
    CentralsPlace(dsn=dsn).store().close()  # its tables, as `central move` makes them
    write_place(place.home, CentralsPlace(dsn=dsn))
    keys = server_keys(place.home)
    port = free_port()
    place.name(f"https://127.0.0.1:{port}", keys)
    (steward / "project.fsp").write_bytes(place.signed.data)
    words = [sys.executable, "-P", "-m", "fieldsurvey", "sync", "serve", "--host", "127.0.0.1", "--port", str(port)]
    environ = {"FIELDSURVEY_HOME": str(place.home), "PATH": "", "LANG": "en"}
    with subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(120)


def test_laptops_push_to_a_central_on_postgresql(place: Place, arrive: Arrive, whole: str, postgresql: Server) -> None:
    """Two laptops of one home at once, in single records and in batches: all of it once, as if a stick had come."""
    with postgresql.database() as dsn:
        with served(place, dsn) as said:
            assert said["named"] is True
            laptops = [arrive(place), arrive(place)]
            reports: list[PushReport] = []
            threads = [
                threading.Thread(target=lambda one=one, each=each: reports.append(send(one, max_entries=each)))
                for one, each in zip(laptops, (1, EACH), strict=True)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [report.confirmed for report in reports] == [True, True]
            assert sum(report.new for report in reports) == RECORDS
            assert [at_central(laptop.locked) for laptop in laptops] == [RECORDS, RECORDS]
            assert send(laptops[0]).sent == 0
        with open_central(place.home) as central:
            assert central.store.place.startswith("postgresql://")
            assert central.verify().sound
            assert central.digest() == whole
        assert not (place.home / "central.db").exists()


def test_a_database_that_goes_away_is_said_and_comes_back(
    place: Place, arrive: Arrive, whole: str, postgresql: Server
) -> None:
    """While PostgreSQL is down the laptop is asked to come back and keeps everything; then the same server takes it."""
    with postgresql.database() as dsn, served(place, dsn):
        laptop = arrive(place)
        postgresql.stop()
        try:
            with pytest.raises(ServerBusyError):
                push(laptop, patience=Patience(tries=1))
            assert at_central(laptop.locked) == 0
        finally:
            postgresql.start()
        assert send(laptop, patience=AT_ONCE).confirmed
        with open_central(place.home) as central:
            assert central.digest() == whole
