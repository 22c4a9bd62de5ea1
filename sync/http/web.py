"""The service as a web application. Thin: it admits, bounds and receives a body, and passes it on to a thread.

Starlette belongs to the installation of central; this module is imported by `sync serve` alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from fieldsurvey.records.wire import Wire
from sync.http.callers import Caller
from sync.http.service import Refusal, Service
from sync.http.wire import EMPTY, PREFIX, Authorization, Refused

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

T = TypeVar("T")
_HEX: Final = frozenset("0123456789abcdef")
_DRAIN: Final = 5.0
_RETRY: Final = 15
_IN_MEMORY: Final = 64 << 10


def application(service: Service) -> Starlette:
    """The ASGI application of a service, which the caller closes."""
    # an extra: laptops have no starlette, and this room loads without it
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    web = _Web(service, Response)
    routes: Mapping[str, tuple[str, Callable[[Request], Awaitable[Response]]]] = {
        "/hello": ("GET", web.hello),
        "/heads": ("POST", web.heads),
        "/packs/{name}": ("PUT", web.pack),
        "/batches": ("POST", web.offer),
        "/batches/whole": ("POST", web.whole),
        "/project": ("GET", web.project),
        "/withdrawals": ("GET", partial(web.page, what="withdrawals")),
        "/returns": ("GET", partial(web.page, what="returns")),
        "/erased": ("GET", partial(web.page, what="erased")),
    }
    made = [Route(PREFIX + path, web.guarded(call), methods=[method]) for path, (method, call) in routes.items()]
    made += [
        Route(f"{PREFIX}/{what}", web.guarded(partial(web.take, what=what)), methods=["POST"])
        for what in ("withdrawals", "erased")
    ]
    app = Starlette(routes=made)
    app.router.redirect_slashes = False  # one spelling of each path, the one that is signed
    return app


class _Web:
    """The endpoints."""

    def __init__(self, service: Service, response: type[Response]) -> None:
        self._service = service
        self._response = response

    def guarded(self, call: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """`call`, with a Refusal as an answer. Whoever went away gets none."""
        # for the reason given in `application`
        from starlette.requests import ClientDisconnect

        async def endpoint(request: Request) -> Response:
            try:
                return await call(request)
            except Refusal as refusal:
                if refusal.known:
                    await _drain(request, self._service.limits.pack)
                return self._refused(refusal)
            except ClientDisconnect:
                return self._refused(Refusal(400, "cut_off"))

        return endpoint

    async def hello(self, request: Request) -> Response:
        """A nonce."""
        return self._json(self._service.hello(_address(request)))

    async def heads(self, request: Request) -> Response:
        """What central holds."""
        caller, said = self._admit(request, self._service.limits.question)
        body = await self._body(request, said)
        return self._json(await self._thread(partial(self._service.heads, caller, body)))

    async def pack(self, request: Request) -> Response:
        """One pack, into the staging folder as it comes in."""
        name = request.path_params["name"]
        if len(name) != 64 or not _HEX.issuperset(name):
            raise Refusal(404, "no_such_place")
        caller, said = self._admit(request, self._service.limits.pack)
        if said.body != name or not said.length:
            raise Refusal(400, "malformed")
        if self._service.staging.have(caller.id, [name]):  # sent twice: nothing to keep
            await _drain(request, said.length)
            return self._response(status_code=200)
        self._service.run(partial(self._service.staging.check_room, caller.id, said.length))
        part = self._service.staging.part()
        try:
            with _room(), part.open("wb") as handle:
                await self._receive(request, said, handle)
            await self._thread(partial(self._service.keep_pack, caller, name, part))
        finally:
            part.unlink(missing_ok=True)
        return self._response(status_code=201)

    async def offer(self, request: Request) -> Response:
        """A batch's head and the names of its packs."""
        limits = self._service.limits
        caller, said = self._admit(request, limits.head + 4 + 32 * limits.packs)
        with self._spool() as body:
            with _room():
                await self._receive(request, said, body)
            found = await self._thread(lambda: self._service.offer(caller, _all_of(body)))
        return self._json(found, 202 if found.missing else 200)

    async def whole(self, request: Request) -> Response:
        """A batch file as it is, no larger than a pack: one request instead of two or three."""
        caller, said = self._admit(request, self._service.limits.pack)
        with self._spool() as body:
            with _room():
                await self._receive(request, said, body)
            body.seek(0)
            found = await self._thread(partial(self._service.whole, caller, body))
        return self._json(found)

    async def take(self, request: Request, what: str) -> Response:
        """Withdrawals, or reports of erasure, from a laptop or a relay."""
        _caller, said = self._admit(request, self._service.limits.withdrawals)
        body = await self._body(request, said)
        return self._json(await self._thread(partial(self._service.take, what, body)))

    async def page(self, request: Request, what: str) -> Response:
        """A page of small signed files."""
        caller, _said = self._admit(request, 0)
        after = request.query_params.get("after", "")
        if after and (len(after) != 64 or not _HEX.issuperset(after)):
            raise Refusal(400, "malformed")
        return self._bytes(await self._thread(partial(self._service.page, caller, what, after)))

    async def project(self, request: Request) -> Response:
        """The signed project, when it is newer than the version asked about."""
        self._admit(request, 0)
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) <= 10):
            raise Refusal(400, "malformed")
        return self._bytes(self._service.project_after(int(after)))

    def _admit(self, request: Request, limit: int) -> tuple[Caller, Authorization]:
        """Who asks; the body's length as the headers and the signature say it, within bounds."""
        headers = request.headers
        given = headers.getlist("authorization")
        if len(given) != 1:
            given = [""]
        caller, said = self._service.admit(request.method, _path(request), given[0], _address(request))
        length = headers.get("content-length")
        if said.length > limit:
            raise Refusal(413, "too_long")
        if said.length and length is None:
            raise Refusal(411, "no_length")
        if "transfer-encoding" in headers or (length is not None and length != str(said.length)):
            raise Refusal(400, "malformed")
        if not said.length and said.body != EMPTY:
            raise Refusal(400, "malformed")
        return caller, said

    async def _body(self, request: Request, said: Authorization) -> bytes:
        parts = [part async for part in self._read(request, said)]
        return b"".join(parts)

    def _spool(self) -> BinaryIO:
        """Where a body lies until it is whole: a small one in memory, else on disk, since many may come at once."""
        made = SpooledTemporaryFile(_IN_MEMORY, dir=str(self._service.staging.folder))  # noqa: SIM115  the caller's `with`
        return cast("BinaryIO", made)

    async def _receive(self, request: Request, said: Authorization, handle: BinaryIO) -> None:
        """Into a file. A few pages at a time go to the system's cache: no thread is worth that."""
        async for data in self._read(request, said):
            handle.write(data)

    async def _read(self, request: Request, said: Authorization) -> AsyncIterator[bytes]:
        """The body in pieces, as long as it is the one that was signed and comes fast enough. Raises Refusal."""
        limits = self._service.limits
        loop = asyncio.get_running_loop()
        end = loop.time() + limits.patience + said.length / limits.slow
        digest = hashlib.sha256()
        size = 0
        stream = aiter(request.stream())
        while True:
            try:
                async with asyncio.timeout_at(min(end, loop.time() + limits.patience)):
                    data = await anext(stream, None)
            except TimeoutError:
                raise Refusal(408, "too_slow") from None
            if data is None:
                break
            size += len(data)
            if size > said.length:
                raise Refusal(413, "too_long")
            digest.update(data)
            yield data
        if size != said.length or digest.hexdigest() != said.body:
            raise Refusal(400, "other_body")

    async def _thread(self, function: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._service.pool, self._service.run, function)

    def _json(self, answer: Wire, status: int = 200) -> Response:
        return self._response(answer.to_bytes(), status_code=status, media_type="application/json")

    def _bytes(self, data: bytes) -> Response:
        return self._response(data, media_type="application/octet-stream")

    def _refused(self, refusal: Refusal) -> Response:
        answer = Refused(code=refusal.code, reason=refusal.reason)
        # What is left of the body is not read: the connection ends with this answer.
        headers = {"connection": "close"}
        if refusal.after:
            headers["retry-after"] = str(math.ceil(refusal.after))
        return self._response(
            answer.to_bytes(), status_code=refusal.status, headers=headers, media_type="application/json"
        )


@contextmanager
def _room() -> Iterator[None]:
    """A disk that takes no more of a body: the laptop comes back later, and nothing was lost."""
    try:
        yield
    except OSError:
        raise Refusal(507, "no_room", after=_RETRY, known=True) from None


def _all_of(body: BinaryIO) -> bytes:
    body.seek(0)
    return body.read()


async def _drain(request: Request, limit: int) -> None:
    """Let a body that is under way run out, for a few seconds and bytes: else the answer would be lost with it."""
    size = 0
    try:
        async with asyncio.timeout(_DRAIN):
            async for data in request.stream():
                size += len(data)
                if size > limit:
                    return
    except (TimeoutError, RuntimeError):  # too slow; or read to its end already
        return


def _path(request: Request) -> str:
    """Path and query exactly as they were sent."""
    scope: Mapping[str, Any] = request.scope
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
    query: bytes = scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
