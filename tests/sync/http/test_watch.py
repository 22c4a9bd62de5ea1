"""Sending by itself, and what its small file says; the commands around it. All synthetic."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.cli import project as project_commands
from fieldsurvey.cli.sync import app
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.slots import FLOOR
from sync.folder import at_central
from sync.http.state import NAME, PushState, read_state, under_way, write_state
from sync.http.steward_file import StewardFile
from sync.http.watching import watch
from tests.sync.http.conftest import RECORDS
from tests.sync.http.worlds import Place, free_port
from tests.sync.projects import NOW, seal_some

Arrive = Callable[[Place], Laptop]
PATIENCE = 120.0  # seconds; a busy machine may take so long
WORDS = "synthetic words that nobody uses anywhere"


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so; the test fails when it does not come."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_sealed_goes_by_itself(place: Place, arrive: Arrive) -> None:
    """First what is there, then what is sealed while it watches; it ends when the app does."""
    ended = threading.Event()
    with place.running():
        laptop = arrive(place)
        home = laptop.home
        arguments: dict[str, Any] = {"look": 0.02}
        thread = threading.Thread(target=watch, args=(home, FixedClock(NOW), ended), kwargs=arguments)
        thread.start()
        wait_for(lambda: at_central(laptop.locked) == RECORDS)
        wait_for(lambda: (read_state(home) or PushState("sending", "")).stage == "done")
        seal_some(laptop, 1)
        wait_for(lambda: at_central(laptop.locked) == RECORDS + 1)
        wait_for(lambda: (read_state(home) or PushState("sending", "")).confirmed == RECORDS + 1)
        ended.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert not under_way(home)


def test_without_a_line_it_waits_and_says_so(place: Place, arrive: Arrive) -> None:
    """And goes on when there is one."""
    port = free_port()
    with place.running(port):
        laptop = arrive(place)
    ended = threading.Event()
    waits: list[float] = []

    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return ended.wait(0.01)

        def is_set(self) -> bool:
            return ended.is_set()

    thread = threading.Thread(target=watch, args=(laptop.home, FixedClock(NOW), Hurried()))
    thread.start()
    wait_for(lambda: (read_state(laptop.home) or PushState("sending", "")).stage == "waiting")
    state = read_state(laptop.home)
    assert state is not None
    assert (state.code, state.confirmed, state.sealed) == ("storage.line", 0, RECORDS)
    wait_for(lambda: sum(waits) > 10)
    with place.running(port):
        wait_for(lambda: at_central(laptop.locked) == RECORDS)
        ended.set()
        thread.join(PATIENCE)


def test_a_refusal_is_left_to_people(place: Place, arrive: Arrive) -> None:
    """Not enrolled: said in the file, and not tried again and again."""
    ended = threading.Event()
    place.project.devices = {}
    with place.running():
        laptop = arrive(place)
        thread = threading.Thread(target=watch, args=(laptop.home, FixedClock(NOW), ended))
        thread.start()
        wait_for(lambda: (read_state(laptop.home) or PushState("sending", "")).stage == "refused")
        ended.set()
        thread.join(PATIENCE)
    state = read_state(laptop.home)
    assert state is not None
    assert state.code == "refused.not_admitted"
    assert state.message


def test_without_a_server_it_ends_at_once(place: Place, arrive: Arrive) -> None:
    """Nothing to wait for."""
    laptop = arrive(place)
    watch(laptop.home, FixedClock(NOW), threading.Event())
    assert read_state(laptop.home) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"stage":"x","at":""}',
        b'{"stage":"done","at":1}',
        b'{"stage":"done","at":"","more":1}',
        b"\xff",
    ],
)
def test_a_file_that_is_damaged_says_nothing(tmp_path: Path, data: bytes) -> None:
    """The control: a whole one is read."""
    (tmp_path / NAME).write_bytes(data)
    assert read_state(tmp_path) is None
    write_state(tmp_path, PushState("done", "2026-03-02T09:00:00+00:00", confirmed=3))
    assert read_state(tmp_path) == PushState("done", "2026-03-02T09:00:00+00:00", confirmed=3)


def test_the_process_ends_with_its_standard_input(place: Place, arrive: Arrive) -> None:
    """As a command of its own, which sends, and is gone when the other end of its pipe is."""
    with place.running():
        laptop = arrive(place)
        command = [sys.executable, "-P", "-m", "fieldsurvey", "sync", "push", "--watch"]
        environ = {"FIELDSURVEY_HOME": str(laptop.home), "PATH": ""}
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environ) as process:
            assert process.stdin is not None
            wait_for(lambda: at_central(laptop.locked) == RECORDS)
            assert process.poll() is None
            process.stdin.close()
            assert process.wait(PATIENCE) == 0


def test_push_as_a_command(place: Place, arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words for people, an object for programs; exit 1 with a reason when there is no line."""
    with place.running():
        laptop = arrive(place)
        monkeypatch.setenv("FIELDSURVEY_HOME", str(laptop.home))
        first = CliRunner().invoke(app, ["push"])
        assert first.exit_code == 0, first.output
        assert f"{RECORDS} records sent to https://127.0.0.1:" in first.output
        assert "confirmed by central" in first.output
        again = json.loads(CliRunner().invoke(app, ["push", "--json"]).output)
        assert (again["sent"], again["confirmed"]) == (0, True)
    gone = CliRunner().invoke(app, ["push", "--tries", "1", "--json"])
    assert gone.exit_code == 1
    assert json.loads(gone.output)["error"] == "storage.line"


def test_a_server_is_named_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made once and shown; two pins are needed; the project that names it is signed and read again."""
    from fieldsurvey.project import steward  # beside the one test that needs it

    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path))
    (tmp_path / "words").write_text(WORDS, encoding="utf-8")
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_ROOT", str(tmp_path / "words"))
    folder = tmp_path / "steward"
    steward.new_project(
        folder, "synthetic", root_pass=WORDS, hmu_pass=WORDS, sheets=False, escrow_pass=WORDS, argon2=FLOOR
    )
    shown = json.loads(CliRunner().invoke(app, ["serve", "--pins", "--json"]).output)
    assert json.loads(CliRunner().invoke(app, ["serve", "--pins", "--json"]).output)["pins"] == shown["pins"]
    pins = [word for pin in shown["pins"] for word in ("--pin", pin)]
    live = StewardFile(folder)
    assert live().model.servers == ()
    for wrong in (pins[:2], [*pins[:2], *pins[:2]], []):
        refused = CliRunner().invoke(project_commands.app, ["server", "https://central.example", *wrong, "--json"])
        assert json.loads(refused.output)["error"] == "input.pins"
    bad = CliRunner().invoke(project_commands.app, ["server", "http://central.example", *pins, "--json"])
    assert bad.exit_code == 1
    done = CliRunner().invoke(project_commands.app, ["server", "https://central.example:8443", *pins, "--json"])
    assert json.loads(done.output)["servers"] == [{"url": "https://central.example:8443", "pins": shown["pins"]}]
    assert [server.url for server in live().model.servers] == ["https://central.example:8443"]
    swapped = json.loads(CliRunner().invoke(app, ["serve", "--pins", "--spare", "--json"]).output)
    assert swapped["pins"][0] == shown["pins"][1]
    assert swapped["pins"][1] not in shown["pins"]
    CliRunner().invoke(project_commands.app, ["server", "https://central.example:8443", "--remove"])
    assert live().model.servers == ()


def test_answers_are_not_held_back() -> None:
    """The listening socket names its protocol: asyncio sets TCP_NODELAY only then."""
    import socket  # beside the one test that needs it

    from sync.http.serving import listen

    with listen("127.0.0.1", 0) as made:
        assert made.proto == socket.IPPROTO_TCP


def test_serve_is_a_process_that_answers_and_ends(place: Place, arrive: Arrive, tmp_path: Path) -> None:
    """`sync serve` from the outside: it says where it listens, takes a push, ends when it is asked to."""
    home = place.home
    (home / "steward").mkdir()
    (home / "steward" / "central.key").write_bytes(
        role_key_bytes(place.project.id, Role.CENTRAL, place.project.central)
    )
    port = free_port()
    with place.running(port):  # for the keys
        pass
    (home / "steward" / "project.fsp").write_bytes(place.signed.data)
    command = [
        sys.executable,
        "-P",
        "-m",
        "fieldsurvey",
        "sync",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--json",
    ]
    environ = {"FIELDSURVEY_HOME": str(home), "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert (said["listening"], said["named"]) == (f"https://127.0.0.1:{port}", True)
        laptop = arrive(place)
        from sync.http.pushing import push  # beside the one test that needs it

        assert push(laptop).confirmed
        process.terminate()
        process.wait(PATIENCE)
