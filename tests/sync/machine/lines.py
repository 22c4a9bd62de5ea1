"""A line to central in the machine: the real client, the real service and web application, and nothing between them.

Requests go into the application in this process, one at a time, and what happens to each was planned. TLS and sockets
are left out: tests/sync/http has them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import httpx
from starlette.applications import Starlette

from fieldsurvey.project.model import Server
from fieldsurvey.records.container import Signer
from sync.http.limits import Limits
from sync.http.line import Line
from sync.http.service import Service
from sync.http.web import application
from sync.http.wire import Hello

PIECES: Final = (3 << 10, 1 << 10)
"""Bytes of a pack: a little over a record, or a part of one; one record is then a whole batch, or several packs."""
LIMITS: Final = Limits(rate=1e6, burst=1_000_000, strangers=1e6, strangers_burst=1_000_000, nonces=100_000)

Mishap = Literal["cut", "half", "lost", "twice", "restart"]
"""cut: the request never arrives. half: a part of it does. lost: it was done, and its answer gets lost. twice: it comes
once more, and the second answer arrives. restart: the server was started again before.
"""
MISHAPS: Final[tuple[Mishap, ...]] = ("cut", "half", "lost", "lost", "twice", "restart")
BREAKS: Final = frozenset({"cut", "half", "lost"})
Event = tuple[str, int]
"""Something that happens meanwhile, between two requests, and a number to say to whom."""
Plan = Mapping[int, Mishap | Event]


@dataclass(frozen=True)
class Said:
    """A request that the server answered; `arrived`: whether the sender learns of it."""

    method: str
    path: str
    body: bytes
    status: int
    answer: bytes
    arrived: bool


@dataclass
class Journey:
    """One push: what happens to its nth request (from 0), what happens meanwhile, and who is told of each answer."""

    plan: Plan
    meanwhile: Callable[[Event], None]
    heard: Callable[[Said], None]
    count: int = 0
    happened: list[str] = field(default_factory=list)
    turned_away: bool = False
    stale: int = 0

    def next(self) -> Mishap | None:
        """What happens to the request that is on its way now."""
        found = self.plan.get(self.count)
        self.count += 1
        if isinstance(found, tuple):
            self.happened.append(found[0])
            self.meanwhile(found)
            return None
        if found is not None:
            self.happened.append(found)
        return found

    def note(self, said: Said) -> None:
        """An answer; whoever judges it is told."""
        self.turned_away |= said.status == 403
        self.stale += said.status == 401
        self.heard(said)

    @property
    def broke(self) -> bool:
        """Whether something got lost on the way."""
        return bool(BREAKS & set(self.happened))


class Served:
    """Central's server, until it is stopped."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._app = application(service)
        self._runner = asyncio.Runner()

    def ask(self, request: httpx.Request, pieces: list[bytes], *, whole: bool = True) -> httpx.Response:
        """A request whose body comes in these pieces; not `whole`: then the line is cut."""
        return self._runner.run(_talk(self._app, request, deque(pieces), whole=whole))

    def stop(self) -> None:
        """All that it remembered is gone, but for what lies on its disk."""
        self._service.close()
        self._runner.close()


async def _talk(app: Starlette, request: httpx.Request, pieces: deque[bytes], *, whole: bool) -> httpx.Response:
    """One request into an application, as a web server would pass it on."""
    url = request.url
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(key.lower(), value) for key, value in request.headers.raw],
        "scheme": "https",
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, 443),
        "client": ("192.0.2.1", 1),
        "root_path": "",
    }
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            return {"type": "http.request", "body": b""} if whole else {"type": "http.disconnect"}
        data = pieces.popleft()
        return {"type": "http.request", "body": data, "more_body": bool(pieces) or not whole}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    return httpx.Response(
        said[0]["status"], headers=said[0]["headers"], content=b"".join(part.get("body", b"") for part in said[1:])
    )


class Serving(Protocol):
    """Whatever has a server: central, see centre.py."""

    def served(self) -> Served:
        """The server; it is started when there is none."""
        ...

    def stop_serving(self) -> None:
        """Until somebody asks again."""
        ...


class _Wire(httpx.BaseTransport):
    """Carries requests to the server there is at the moment, and does to them what was planned."""

    def __init__(self, place: Serving, journey: Journey) -> None:
        self._place, self.journey = place, journey

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What the client's transport does."""
        pieces = list(request.stream) if isinstance(request.stream, httpx.SyncByteStream) else []
        what = self.journey.next()
        if what == "cut":
            raise httpx.ConnectError("synthetic")
        if what == "half":
            body = b"".join(pieces)
            answer = self._place.served().ask(request, [body[: len(body) // 2]], whole=False)
            assert answer.status_code >= 400 or not body, "a part of a request was taken for the whole"
            raise httpx.WriteError("synthetic")
        if what == "restart":
            self._place.stop_serving()
        answers: list[httpx.Response] = []
        for last in (False, True) if what == "twice" else (True,):
            answers.append(self._place.served().ask(request, list(pieces)))
            path = request.url.raw_path.decode("ascii")
            arrived = last and what != "lost"
            said = Said(request.method, path, b"".join(pieces), answers[-1].status_code, answers[-1].content, arrived)
            self.journey.note(said)
        answer = answers[-1]
        if "authorization" in request.headers and len(answers) > 1:
            assert answer.status_code >= 400, "a request was taken twice"
        if what == "lost":
            raise httpx.ReadError("synthetic")
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Whole(answer.content))


class _Whole(httpx.SyncByteStream):
    """An answer that came whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Any:
        yield self._data


class _MachineLine(Line):
    """The real one, on a road of our own and with small packs."""

    def __init__(self, wire: _Wire, server: Server, project: str, signer: Signer, time: Callable[[], float]) -> None:
        super().__init__(server, project, signer, monotonic=time)
        self._piece = PIECES[len(wire.journey.plan) % 2]
        self._client.close()
        self._client = httpx.Client(transport=wire)

    def hello(self) -> Hello:
        """The server's bounds are kept, of course."""
        found = super().hello()
        self.pack = min(self._piece, found.pack)
        return found


def connecting(place: Serving, journey: Journey, time: Callable[[], float]) -> Callable[[Server, str, Signer], Line]:
    """Makes the lines of one push, each over the same road. `time`: seconds."""

    def connect(server: Server, project: str, signer: Signer) -> Line:
        return _MachineLine(_Wire(place, journey), server, project, signer, time)

    return connect
