"""Over the line from a supervisor's laptop: to central and back, stopped, without a line, without a server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.project.model import Server
from fieldsurvey.records.receipt import Role
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.carried import carried
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.journal import log_cells, problem
from fieldsurvey.tui.central.purposes import words_of
from fieldsurvey.tui.central.pushing import Pushed, PushStoppedError, relay_push, whole
from fieldsurvey.tui.central.relaying import relay_take
from sync.holding import Held
from sync.http.callers import Caller
from sync.http.errors import LineError
from sync.http.hanging_up import until_stopped
from sync.http.service import Service
from sync.http.wire import Offered
from sync.journal import Journal
from sync.relay import Relay
from tests.sync.http.worlds import Place
from tests.sync.laptops import PROJECT, SyntheticLaptop
from tests.tui.screens import press, rest, settled, text

NOBODY = Server(url="https://127.0.0.1:9", pins=("a" * 64, "b" * 64))


def told(_done: int, _total: int, _text: str) -> None:
    """Nobody looks."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A central whose project knows two laptops, and batches of theirs on a stick."""
    laptops = [SyntheticLaptop(name="Laptop 1"), SyntheticLaptop(name="Laptop 2")]
    batches = tmp_path / "stick" / "fieldsurvey" / "batches"
    batches.mkdir(parents=True)
    for number, laptop in enumerate(laptops):
        laptop.seal()
        laptop.seal()
        (batches / f"{number}.fsb").write_bytes(laptop.batch())
    return Place.make(tmp_path / "central", *laptops)


def supervisor(place: Place) -> Desk:
    """A relay that knows the project as it is, and has taken the stick."""
    home = place.home.parent / "supervisor"
    home.mkdir()
    key = home / "given.key"
    key.write_bytes(role_key_bytes(PROJECT, Role.SUPERVISOR, place.project.supervisor))
    Relay.set_up(home, key, place.signed.data, place.clock)
    desk = Desk.at(home, place.clock)
    relay_take(desk, place.home.parent / "stick", told, lambda: False)
    return desk


def without_a_line(place: Place) -> Desk:
    """The project names a server that nobody can reach."""
    place.project.servers = (NOBODY,)
    place.signed = place.project.publish()
    return supervisor(place)


def test_to_a_server_and_back(place: Place) -> None:
    """Over real TLS: both laptops' batches arrive, are let go of, and central's receipts come back for the laptops."""
    with place.running():
        desk = supervisor(place)
        shares: list[float] = []
        done = relay_push(desk, Path(), lambda n, total, _text: shares.append(n / total), lambda: False)
    assert (done.sent, done.forgotten, done.left) == (4, 2, 0)
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert all(sentence.good for sentence in words_of(done))
    assert carried(desk.relay()).batches == 0


def test_it_can_be_stopped_while_it_waits_for_the_line(place: Place) -> None:
    """Between two tries, which are seconds apart; everything is still carried, and the log has a line of it."""
    desk = without_a_line(place)
    heard: list[str] = []
    with pytest.raises(PushStoppedError):
        relay_push(desk, Path(), lambda _n, _t, said: heard.append(said), lambda: any("no line" in h for h in heard))
    assert heard[0] == "calling https://127.0.0.1:9 …"
    assert carried(desk.relay()).batches == 2
    stopped = list(Journal(desk.home, desk.clock).lines())[-1]
    assert (stopped.what, stopped.code, problem(stopped)) == ("push", "refused.push_stopped", False)
    assert "stopped by somebody here" in log_cells(stopped, {})[-1]


def test_it_can_be_stopped_while_the_server_thinks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a request: the server has it and does not answer yet. Everything is still carried, nothing was refused."""
    asked, go_on = threading.Event(), threading.Event()
    waited_out: list[bool] = []
    rightly = Service.whole

    def thinks(self: Service, caller: Caller, body: BinaryIO) -> Offered:
        asked.set()
        waited_out.append(not go_on.wait(10))
        return rightly(self, caller, body)

    monkeypatch.setattr(Service, "whole", thinks)
    with place.running():
        desk = supervisor(place)
        with pytest.raises(PushStoppedError):
            relay_push(desk, Path(), told, asked.is_set)
        assert waited_out == []
        go_on.set()
    assert carried(desk.relay()).batches == 2
    assert [line.what for line in Journal(desk.home, desk.clock).lines()][-1] == "push"


@pytest.mark.parametrize("stops", [True, False])
def test_a_line_that_breaks_is_no_stop(stops: bool) -> None:
    """What the line says comes out as it is, unless somebody wanted to stop; and what was over by then stands."""

    def check() -> None:
        if stops:
            raise PushStoppedError

    hung_up = threading.Event()
    with pytest.raises(PushStoppedError if stops else LineError), until_stopped(check, hung_up.set):
        hung_up.wait(10 if stops else 0)
        raise LineError(server=NOBODY.url, reason="cut off")
    assert hung_up.is_set() is stops
    with until_stopped(None, hung_up.clear):
        pass
    assert hung_up.is_set() is stops


def test_progress_is_of_the_whole() -> None:
    """What is told of each batch begins where the last one ended, and never goes over the sum."""
    held = [Held(b"", Path(), 100, "12" * 16, "Laptop 1", first, first, b"") for first in (1, 2)]
    seen: list[tuple[int, int]] = []
    tell = whole(held, lambda done, total, _text: seen.append((done, total)))
    for done, name in ((50, "a"), (100, "a"), (30, "b"), (150, "b")):
        tell(done, 100, name)
    assert seen == [(50, 200), (100, 200), (130, 200), (200, 200)]


def test_what_is_still_held_is_something_to_do() -> None:
    """With what to do about it."""
    last = words_of(Pushed("https://synthetic", 3, 1, 1, 2))[-1]
    assert (last.good, last.text) == (False, "1 batch is still held here.")
    assert "hand on to a stick" in last.advice


async def test_the_screen_says_why_nothing_was_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys from what is carried; the reason and that nothing is lost; Enter would try again."""

    def fails(*_args: object, **_kwargs: object) -> None:
        raise LineError(server=NOBODY.url, reason="ConnectError")

    monkeypatch.setattr("sync.http.relaying.push_relay", fails)
    app = CentralApp(without_a_line(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "[F7] Send" in text(app)
        await press(pilot, "f7")
        assert NOBODY.url in text(app)
        await press(pilot, "enter")
        await settled(pilot, lambda: "-done" in app.screen.classes)
        shown = text(app)
        assert "There is no line to https://127.0.0.1:9" in shown
        assert "[Enter] Begin" in shown
        await press(pilot, "escape")
        assert "Laptop 2" in text(app)


async def test_without_a_server_the_key_says_what_else_to_do(place: Place) -> None:
    """It is not among the keys, and pressed anyway it points to sticks."""
    app = CentralApp(supervisor(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "[F7]" not in text(app)
        await press(pilot, "f7")
        assert "hand on to a stick" in text(app)
