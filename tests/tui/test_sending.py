"""Sending by itself: begun at Unlock where the project names a server, told in words there and at Home. Synthetic."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import Server
from fieldsurvey.project.signed import read_project, write_project
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.tui import sending
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.sending import Sending, sent_line
from sync.http.state import PushState, write_state
from tests.tui.laptops import WORDS, compiled, project_bytes
from tests.tui.memory import NOON
from tests.tui.screens import PATIENCE, rest, text

SERVER = Server(url="https://192.0.2.1:8443", pins=("a1" * 32, "b2" * 32))


def joined(home: Path, *servers: Server) -> None:
    """A laptop whose project names these servers."""
    root = RootKey.generate()
    plain = read_project(project_bytes({"needs": compiled("needs")}))
    model = plain.model.model_copy(update={"servers": servers, "root": root.public.bytes.hex()})
    data = write_project(model, plain.frames, root)
    clock = FixedClock(NOON)
    Laptop.join(
        home, data, device_name="Laptop sintética", person="E01", passphrase=WORDS, clock=clock, argon2=FLOOR
    ).close()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Homes for which sending was begun; no process is."""
    homes: list[Path] = []

    class Noted:
        def __init__(self, home: Path) -> None:
            homes.append(home)

    monkeypatch.setattr(sending, "Sending", Noted)
    return homes


async def test_it_is_begun_at_unlock_and_told_there_and_at_home(tmp_path: Path, begun: list[Path]) -> None:
    """Once, before anybody unlocks; what it says stands on both screens, and changes while they are shown."""
    joined(tmp_path, SERVER)
    write_state(tmp_path, PushState("waiting", "2026-03-02T09:00:00+00:00"))
    app = FieldsurveyApp(tmp_path, joined=True, clock=FixedClock(NOON))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.sending is None:
            await pilot.pause()
        await rest(pilot)
        assert begun == [tmp_path]
        assert "No line to central" in text(app)
        app.screen.query_one("#passphrase", Input).value = WORDS
        await pilot.press("enter")
        while app.session is None:
            await pilot.pause()
        await rest(pilot)
        assert "No line to central" in text(app)
        write_state(tmp_path, PushState("refused", "2026-03-02T09:00:00+00:00", message="synthetic reason."))
        app.screen._look_at_sending()  # type: ignore[attr-defined]
        await rest(pilot)
        assert "synthetic reason." in text(app)
        assert begun == [tmp_path]


async def test_without_a_server_nothing_is_begun(tmp_path: Path, begun: list[Path]) -> None:
    """And nothing is said, whatever a file says."""
    joined(tmp_path)
    write_state(tmp_path, PushState("waiting", "2026-03-02T09:00:00+00:00"))
    app = FieldsurveyApp(tmp_path, joined=True, clock=FixedClock(NOON))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.laptop is None:
            await pilot.pause()
        await rest(pilot)
        assert "No line to central" not in text(app)
    assert begun == []


def test_the_process_ends_with_the_app_and_gets_no_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its standard input is the app's hold on it."""
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_DEVICE", "synthetic")
    program = (
        "import os, pathlib, sys; home = pathlib.Path(os.environ['FIELDSURVEY_HOME']);"
        "(home / 'seen').write_text(' '.join(os.environ)); sys.stdin.read(); (home / 'ended').write_text('')"
    )
    begun = Sending(tmp_path, (sys.executable, "-c", program))
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "seen").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert begun.alive
    assert "FIELDSURVEY_PASSPHRASE_FILE_DEVICE" not in (tmp_path / "seen").read_text()
    begun.end()
    while begun.alive and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "ended").exists()


def test_a_program_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    """The app goes on; sticks do as ever."""
    assert not Sending(tmp_path, (str(tmp_path / "no-such-program"),)).alive


@pytest.mark.parametrize(
    ("stage", "words", "look"),
    [
        ("sending", "Sending", False),
        ("done", "confirmed 3", False),
        ("waiting", "No line", False),
        ("refused", "why", True),
    ],
)
def test_what_is_said(tmp_path: Path, stage: str, words: str, look: bool) -> None:
    """Each stage in words; only a refusal asks somebody to look."""
    assert sent_line(tmp_path) == ("", False)
    write_state(tmp_path, PushState(stage, "2026-03-02T09:00:00+00:00", confirmed=3, message="why"))  # type: ignore[arg-type]
    line, found = sent_line(tmp_path)
    assert words in line
    assert found is look
