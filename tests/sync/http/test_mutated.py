"""10,000 mutated requests: none is accepted, none is a bug's 500, and neither memory nor disk grows. All synthetic."""

from __future__ import annotations

import asyncio
import random
import socket
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.http.limits import Limits
from sync.http.packs import cut, write_offer
from sync.http.service import Service
from sync.http.tls import PinnedContext, server_keys
from sync.http.web import application
from sync.http.wire import HeadsAsked, LogAsked, authorize, join_pieces
from tests.sync.http.worlds import Place
from tests.sync.laptops import SyntheticLaptop, laptop

PATIENCE = 60.0  # seconds; a busy machine may take so long
MUTANTS, SIGNED = 10_000, 2_000
OPEN = Limits(rate=1e9, burst=10**9, strangers=1e9, strangers_burst=10**9)
GROWTH = 16 << 20


@dataclass(frozen=True)
class Asked:
    """A request as the application sees it."""

    method: bytes
    path: bytes
    authorization: bytes
    body: bytes
    length: bytes


async def status(app: Starlette, asked: Asked) -> int:
    """What it is answered. A bug comes out as an exception."""
    path, _mark, query = asked.path.partition(b"?")
    scope = {
        "type": "http", "http_version": "1.1", "method": asked.method.decode("latin-1"),
        "path": path.decode("latin-1"), "raw_path": path, "query_string": query, "root_path": "", "scheme": "https",
        "headers": [(b"authorization", asked.authorization), (b"content-length", asked.length)],
        "client": ("192.0.2.1", 1), "server": ("synthetic", 443),
    }  # fmt: skip
    pieces = [asked.body[at : at + 16_384] for at in range(0, len(asked.body), 16_384)] or [b""]
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    await app(scope, receive, send)
    return sent[0]


class Requests:
    """Signs requests of every kind, each once."""

    def __init__(self, one: SyntheticLaptop, service: Service) -> None:
        self.one, self.service, self.count = one, service, 0
        self.nonce = service.nonces.issue()
        batch = cut(lambda: iter([one.batch()]))
        ((name, data),) = batch.data(frozenset(batch.names))
        stone = Tombstone(project=one.card.project, code=WithdrawalCode.generate().raw, requested="2026-03-01")
        logs = (LogAsked(device=one.device, to=len(one.log)),)
        self.kinds: list[tuple[str, str, bytes]] = [
            ("POST", "/v1/heads", HeadsAsked(logs=logs, packs=batch.names).to_bytes()),
            ("PUT", f"/v1/packs/{name}", data),
            ("POST", "/v1/batches", write_offer(batch.head, batch.names)),
            ("POST", "/v1/batches/whole", batch.head + data),
            ("GET", "/v1/project?after=0", b""),
            ("GET", "/v1/returns", b""),
            ("GET", f"/v1/erased?after={'00' * 32}", b""),
            ("POST", "/v1/withdrawals", join_pieces([stone.to_bytes()])),
        ]

    def signed(self, method: str, path: str, body: bytes) -> Asked:
        """A fresh one."""
        self.count += 1
        header = authorize(
            self.one.carrier, self.one.card.project, method=method, path=path, nonce=self.nonce, count=self.count,
            body=body,
        )  # fmt: skip
        return Asked(method.encode(), path.encode(), header.encode(), body, str(len(body)).encode())


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """A bit, a byte, a piece less, a piece more, a piece twice, or something else altogether."""
    at = chance.randrange(len(data) + 1)
    match chance.randrange(6):
        case 0 if data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        case 1 if data:
            at = min(at, len(data) - 1)
            return data[:at] + chance.randbytes(1) + data[at + 1 :]
        case 2:
            return data[:at]
        case 3:
            return data[:at] + chance.randbytes(chance.randrange(1, 40)) + data[at:]
        case 4:
            return data[at:] + data[:at] + data[at:]
        case _:
            return chance.randbytes(chance.randrange(200))


def mutant(right: Asked, other: Asked, chance: random.Random) -> Asked:
    """One part spoilt, or taken from another signed request."""
    parts = ["method", "path", "authorization", "authorization", "length"]
    part = chance.choice([*parts, "body"] if right.body else parts)  # what follows no length is no body in HTTP
    if chance.random() < 0.2:
        return replace(right, **{part: getattr(other, part)})
    if part == "method":
        return replace(right, method=chance.choice([b"GET", b"PUT", b"POST", b"HEAD", b"DELETE", b"X", b"post"]))
    return replace(right, **{part: spoilt(getattr(right, part), chance)})


def campaign(place: Place, run: Callable[[Starlette, Requests, Service], Coroutine[Any, Any, None]]) -> None:
    """`run` over an application, in one loop."""
    one = laptop(4)
    place.project.devices[one.device] = {"id": one.device, "name": one.card.name, "card": one.card}
    place.signed = place.project.publish()
    with place.service() as service:
        asyncio.run(run(application(service), Requests(one, service), service))


def empty(place: Place) -> Place:
    """A place of the synthetic project, which nobody is enrolled in yet."""
    made = Place.make(place.home, laptop(1), limits=OPEN)
    made.project.devices.clear()
    return made


def test_mutated_requests_are_not_accepted(tmp_path: Path) -> None:
    """Whatever part is spoilt or comes from another request: 4xx. The control: unspoilt, each kind is accepted."""
    chance = random.Random(20260302)
    place = empty(Place.make(tmp_path, laptop(1)))
    found: Counter[int] = Counter()

    async def run(app: Starlette, requests: Requests, service: Service) -> None:
        for number in range(MUTANTS + 1500):
            if number == 1000:  # warm
                tracemalloc.start()
            right = requests.signed(*chance.choice(requests.kinds))
            other = requests.signed(*chance.choice(requests.kinds))
            wrong = mutant(right, other, chance)
            if wrong not in {right, other}:
                found[await status(app, wrong)] += 1
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < GROWTH
        assert service.nonces.remembered() <= 1
        assert not [path for path in service.staging.folder.rglob("*") if path.is_file()]
        with place.central() as central:
            assert central.store.counts().entries == central.store.counts().tombstones == 0
        assert [await status(app, requests.signed(*kind)) for kind in requests.kinds] == [
            200, 201, 200, 200, 200, 200, 200, 200,
        ]  # fmt: skip
        with place.central() as central:
            assert (central.store.counts().entries, central.store.counts().tombstones) == (4, 1)

    campaign(place, run)
    assert sum(found.values()) >= MUTANTS
    assert {code for code in found if not 400 <= code < 500} == set()
    assert len(found) >= 4


def test_a_mutant_that_is_accepted_would_be_seen(tmp_path: Path) -> None:
    """Control: with signatures unchecked, mutants get through, and the same count shows them."""
    place = empty(Place.make(tmp_path, laptop(1)))
    found: Counter[int] = Counter()

    async def run(app: Starlette, requests: Requests, service: Service) -> None:
        caller = service._known().find(requests.one.carrier.public.fingerprint)
        assert caller is not None
        planted = replace(caller, key=_Anything())  # type: ignore[arg-type]
        service._callers._known[requests.one.carrier.public.fingerprint] = planted
        for _ in range(300):
            right = requests.signed(*requests.kinds[4])
            found[await status(app, replace(right, path=b"/v1/project?after=1"))] += 1

    campaign(place, run)
    assert found[200] > 0


class _Anything:
    """Believes every signature."""

    def verify(self, *_: object) -> None:
        """Nothing raises."""


def test_what_a_hostile_laptop_signs_is_refused_in_words(tmp_path: Path) -> None:
    """Spoilt bodies under a true signature: nothing of them is merged or kept, and no answer is a bug's."""
    chance = random.Random(11)
    place = empty(Place.make(tmp_path, laptop(1)))
    found: Counter[int] = Counter()

    async def run(app: Starlette, requests: Requests, service: Service) -> None:
        kinds = [kind for kind in requests.kinds if kind[0] == "POST"]
        for _ in range(SIGNED):
            method, path, body = chance.choice(kinds)
            wrong = spoilt(body, chance)
            if wrong != body:
                code = await status(app, requests.signed(method, path, wrong))
                found[code] += 1
                if code == 200:  # an empty list, or one of packs, says nothing that would be false
                    assert not path.startswith("/v1/batches")
        with place.central() as central:
            assert (central.store.counts().entries, central.store.counts().tombstones) == (0, 0)

    campaign(place, run)
    assert {code for code in found if code >= 500} == set()
    assert found[422] > SIGNED / 4


def test_noise_on_the_port_stops_nobody(tmp_path: Path) -> None:
    """Spoilt HTTP over true TLS: no 500, and the next laptop is served."""
    chance = random.Random(5)
    one = laptop(1)
    place = Place.make(tmp_path, one, limits=OPEN)
    body = HeadsAsked().to_bytes()
    answers: Counter[bytes] = Counter()
    with place.running() as running:
        context = PinnedContext(server_keys(tmp_path).pins)

        def ask(data: bytes, seconds: float = 2.0) -> bytes:
            """The first line of the answer; nothing where the server waits for more than was sent."""
            try:
                with (
                    socket.create_connection(("127.0.0.1", running.port), PATIENCE) as plain,
                    context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
                ):
                    line.settimeout(seconds)
                    line.sendall(data)
                    return line.recv(64).partition(b"\r\n")[0]
            except OSError:
                return b""

        def right() -> bytes:
            nonce = running.service.nonces.issue()
            header = authorize(
                one.carrier, one.card.project, method="POST", path="/v1/heads", nonce=nonce, count=1, body=body
            )
            lines = (
                f"POST /v1/heads HTTP/1.1\r\nhost: x\r\nauthorization: {header}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            return lines.encode() + body

        with ThreadPoolExecutor(24) as lines:
            answers.update(lines.map(ask, [spoilt(right(), chance) for _ in range(120)]))
        assert ask(right(), PATIENCE) == b"HTTP/1.1 200 OK"
    assert not [line for line in answers if b" 5" in line[8:11]]
    assert sum(count for line, count in answers.items() if line.startswith(b"HTTP/1.1 4")) > 20
