"""A server that lies, stalls, drops or answers garbage: the laptop keeps its data and says so in a typed error.

Each stands behind the right key, as a broken or taken over server would. All synthetic.
"""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.project.model import Server
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from sync.folder import at_central
from sync.http.callers import Caller
from sync.http.errors import LineError, NotConfirmedError, PushRefusedError, ServerAnswerError, ServerBusyError
from sync.http.limits import Limits
from sync.http.line import Line, Times
from sync.http.pushing import Patience, push
from sync.http.service import Refusal, Service
from sync.http.tls import server_context, server_keys
from sync.http.wire import MAX_ANSWER, Heads, Hello, Offered, join_pieces
from tests.sync.http.conftest import RECORDS
from tests.sync.http.worlds import Place

Arrive = Callable[[Place], Laptop]
HURRIED = Times(connect=1.0, silence=0.4, answer=0.6, slow=1 << 20)
BEAR = Times(connect=60.0, silence=60.0, answer=60.0, slow=1 << 10)
STAYS = 60.0  # seconds that a false server holds a line
ONCE = Patience(tries=1)
WAYS = ["whole", "offer"]


def connect(times: Times) -> Callable[[Server, str, Signer], Line]:
    """A line with these times."""
    return lambda server, project, signer: Line(server, project, signer, times=times)


def untouched(laptop: Laptop) -> None:
    """Nothing is confirmed, nothing is gone."""
    assert at_central(laptop.locked) == 0
    assert sum(1 for _ in laptop.locked.entries()) == RECORDS
    assert not laptop.locked.receipts()


@contextmanager
def false(place: Place, answer: Callable[[ssl.SSLSocket], None]) -> Iterator[None]:
    """A server with the right key that does `answer` with every connection."""
    keys = server_keys(place.home)
    context = server_context(keys)
    listening = socket.create_server(("127.0.0.1", 0))
    place.name(f"https://127.0.0.1:{listening.getsockname()[1]}", keys)

    def serve() -> None:
        while True:
            try:
                plain, _address = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.settimeout(STAYS)
                    answer(connection)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listening.close()


def reply(head: str, body: bytes = b"", *, length: int | None = None) -> Callable[[ssl.SSLSocket], None]:
    """Reads a request's head and answers this."""

    def answer(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        lines = f"HTTP/1.1 {head}\r\ncontent-length: {len(body) if length is None else length}\r\n\r\n"
        connection.sendall(lines.encode() + body)
        connection.recv(1)

    return answer


def stall(connection: ssl.SSLSocket) -> None:
    """Never answers."""
    connection.recv(65536)
    connection.recv(1)


def drip(connection: ssl.SSLSocket) -> None:
    """A byte now and then, for ever."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    for _ in range(int(STAYS * 10)):
        connection.sendall(b"x")
        time.sleep(0.1)


def hang_up(connection: ssl.SSLSocket) -> None:
    """Ends it after the request."""
    connection.recv(65536)


def noise(connection: ssl.SSLSocket) -> None:
    """Not HTTP."""
    connection.recv(65536)
    connection.sendall(hashlib.sha512(b"synthetic").digest() * 50)
    connection.recv(1)


def endless(connection: ssl.SSLSocket) -> None:
    """More than any answer may have."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range((MAX_ANSWER >> 20) + 2):
        connection.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")


HELLO = Hello(nonce="ab" * 56, seconds=600, pack=1 << 16).to_bytes()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (stall, LineError),
        (drip, LineError),
        (hang_up, LineError),
        (noise, ServerAnswerError),
        (endless, ServerAnswerError),
        (reply("200 OK", b"garbage"), ServerAnswerError),
        (reply("200 OK", HELLO[:-1]), ServerAnswerError),
        (reply("200 OK", HELLO + b" "), ServerAnswerError),
        (reply("200 OK", HELLO, length=len(HELLO) + 10), LineError),
        (reply("200 OK\r\ncontent-encoding: gzip", gzip.compress(HELLO)), ServerAnswerError),
        (reply("302 Found\r\nlocation: https://127.0.0.1:1/"), ServerAnswerError),
        (reply("204 No Content"), ServerAnswerError),
        (reply("500 Internal Server Error", b"oops"), ServerAnswerError),
        (reply("503 Service Unavailable", b"busy"), ServerBusyError),
        (reply("429 Too Many Requests\r\nretry-after: 999999999999", b"x"), ServerAnswerError),
        (reply("200 OK", HELLO.replace(b'"pack":65536', b'"pack":1')), ServerAnswerError),
    ],
)
def test_a_broken_server_costs_nothing(
    place: Place, arrive: Arrive, answer: Callable[[ssl.SSLSocket], None], kind: type[FieldsurveyError]
) -> None:
    """It stalls, drips, drops, babbles, floods: a typed error, before the server gives up, in bounded memory."""
    with false(place, answer):
        laptop = arrive(place)
        began = time.monotonic()
        with pytest.raises(kind) as told:
            push(laptop, patience=ONCE, connect=connect(HURRIED if kind is LineError else BEAR))
        assert time.monotonic() - began < STAYS
        assert told.value.message
        assert told.value.advice
        untouched(laptop)


def go(place: Place, way: str) -> None:
    """Have batches sent so: whole, since they fit into one pack, or as an offer of several."""
    if way == "offer":
        place.limits = Limits(pack=1 << 16)


@contextmanager
def lying(place: Place, **lies: Any) -> Iterator[None]:
    """A real server whose service says something else."""
    patch = pytest.MonkeyPatch()
    for name, lie in lies.items():
        patch.setattr(Service, name, lie)
    try:
        with place.running():
            yield
    finally:
        patch.undo()


def receipts_of(laptop: Laptop, key: SigningKey, **changes: Any) -> tuple[str, ...]:
    """One receipt over all, or over something else."""
    log = laptop.locked
    card = log.device_card()
    fields = {"project": card.project, "device": card.device, "up_to": RECORDS, "head": log.head().head.hex()}
    said: dict[str, Any] = {**fields, "level": Level.COMMITTED, "by": Role.CENTRAL, "issued": "2026-03-02T09:00:00Z"}
    return (write_receipt(Receipt(**{**said, **changes}), key).hex(),)


@pytest.mark.parametrize("way", WAYS)
def test_saying_that_it_has_everything_confirms_nothing(place: Place, arrive: Arrive, way: str) -> None:
    """No receipt, no confirmation: the hint is given up, all is sent, and still nothing proves it."""
    go(place, way)
    heads = Service.heads
    seen: list[int] = []

    def all_held(self: Service, caller: Caller, body: bytes) -> Heads:
        found = heads(self, caller, body)
        return found.model_copy(
            update={"logs": tuple(log.model_copy(update={"lacks": (), "receipts": ()}) for log in found.logs)}
        )

    def took(self: Service, caller: Caller, _body: object) -> Offered:
        seen.append(1)
        return Offered(new=RECORDS)

    with lying(place, heads=all_held, **{way: took}):
        laptop = arrive(place)
        with pytest.raises(NotConfirmedError):
            push(laptop, patience=ONCE)
        assert len(seen) == 1
        untouched(laptop)


@pytest.mark.parametrize("lie", ["forged", "another device", "another history", "beyond", "another project", "noise"])
def test_false_receipts_are_no_receipts(place: Place, arrive: Arrive, lie: str) -> None:
    """Whoever signs them, whatever they say."""
    laptop: list[Laptop] = []

    def receipts(self: Service, *_: object) -> tuple[str, ...]:
        if lie == "noise":
            return ("00ff" * 40,)
        key = SigningKey.generate() if lie == "forged" else place.project.central
        changes: dict[str, dict[str, Any]] = {
            "another device": {"device": "ab" * 16},
            "another history": {"head": "cd" * 32},
            "beyond": {"up_to": RECORDS + 1},
            "another project": {"project": "ef" * 16},
        }
        return receipts_of(laptop[0], key, **changes.get(lie, {}))

    with lying(place, _receipts=receipts):
        laptop.append(arrive(place))
        with pytest.raises(NotConfirmedError):
            push(laptop[0], patience=ONCE)
        untouched(laptop[0])


def test_the_search_for_false_receipts_would_see_a_true_one(place: Place, arrive: Arrive) -> None:
    """Control: the same way of handing it out, with central's key and the truth, confirms."""
    laptop: list[Laptop] = []
    with lying(place, _receipts=lambda _self, *_: receipts_of(laptop[0], place.project.central)):
        laptop.append(arrive(place))
        assert push(laptop[0], patience=ONCE).confirmed
        assert at_central(laptop[0].locked) == RECORDS


def test_packs_that_never_stay(place: Place, arrive: Arrive) -> None:
    """It asks for the same packs again and again: after a few rounds the laptop comes back later."""
    go(place, "offer")

    def nothing(self: Service, caller: Caller, body: bytes) -> Offered:
        names = tuple(body[-32:].hex() for _ in range(1))
        return Offered(missing=names)

    with lying(place, offer=nothing):
        laptop = arrive(place)
        with pytest.raises(ServerBusyError):
            push(laptop, patience=ONCE)
        untouched(laptop)


@pytest.mark.parametrize("way", WAYS)
def test_packs_that_nobody_has(place: Place, arrive: Arrive, way: str) -> None:
    """It asks for what is not in the batch, or for packs of one that came whole."""
    go(place, way)
    with lying(place, **{way: lambda _self, _caller, _body: Offered(missing=("ab" * 32,))}):
        laptop = arrive(place)
        with pytest.raises(ServerAnswerError):
            push(laptop, patience=ONCE)
        untouched(laptop)


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_batch_is_told(place: Place, arrive: Arrive, way: str) -> None:
    """With the server's reason, and everything stays."""
    go(place, way)

    def refuse(self: Service, caller: Caller, _body: object) -> Offered:
        raise Refusal(422, "refused", reason="untrusted.synthetic")

    with lying(place, **{way: refuse}):
        laptop = arrive(place)
        with pytest.raises(PushRefusedError, match=r"untrusted\.synthetic"):
            push(laptop, patience=ONCE)
        untouched(laptop)


def test_small_files_without_end(place: Place, arrive: Arrive) -> None:
    """A page that is not after the one before would go on for ever."""

    def page(self: Service, caller: Caller, what: str, after: str) -> bytes:
        return join_pieces([b"synthetic"])

    def digest(self: Service, caller: Caller, what: str) -> str:
        return "ab" * 32

    with lying(place, page=page, _digest=digest):
        laptop = arrive(place)
        with pytest.raises(ServerAnswerError):
            push(laptop, patience=ONCE)
        untouched(laptop)


def test_a_project_that_is_not_the_roots_is_refused_and_said(place: Place, arrive: Arrive) -> None:
    """The laptop keeps the one that it trusts; its records go all the same."""
    heads = Service.heads

    def newer(self: Service, caller: Caller, body: bytes) -> Heads:
        return heads(self, caller, body).model_copy(update={"project": 1000})

    def another(self: Service, version: int) -> bytes:
        return type(place.project)(place.project.id).publish(1000).data

    with lying(place, heads=newer, project_after=another):
        laptop = arrive(place)
        version = laptop.project.model.version
        report = push(laptop, patience=ONCE)
        assert report.confirmed
        assert report.received.project_problem is not None
        assert laptop.project.model.version == version


def test_returned_work_and_withdrawals_that_are_noise_change_nothing(place: Place, arrive: Arrive) -> None:
    """They are taken as from a stick, where anything may lie."""

    def page(self: Service, caller: Caller, what: str, after: str) -> bytes:
        return b"" if after else join_pieces([b"noise of a synthetic kind"])

    def digest(self: Service, caller: Caller, what: str) -> str:
        return "ab" * 32

    with lying(place, page=page, _digest=digest):
        laptop = arrive(place)
        report = push(laptop, patience=ONCE)
        assert report.confirmed
        assert (report.received.withdrawals, report.received.returned) == (0, 0)


def test_the_laptop_says_what_is_confirmed_as_it_is(place: Place, arrive: Arrive) -> None:
    """A report cannot claim more than the vault's receipts."""
    with place.running():
        laptop = arrive(place)
        report = push(laptop, patience=ONCE)
    (log,) = report.logs
    assert (log.before, log.confirmed, log.head) == (0, RECORDS, RECORDS)
    assert not replace(report, logs=(replace(log, confirmed=1),)).confirmed
