"""One side of the line: signed requests to one server, whose key is checked before a byte is sent.

Everything that comes back is bounded in bytes and time and believed only where something in it is signed. It never
waits for ever, never follows a redirect, uses no proxy of the environment and remembers nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.project.model import Server
from fieldsurvey.records.container import MAX_FILE, Signer
from fieldsurvey.records.wire import Wire
from sync.http.errors import (
    LineError,
    NotAdmittedError,
    PushRefusedError,
    ServerAnswerError,
    ServerBusyError,
    WrongServerError,
)
from sync.http.hanging_up import Check, Connection, until_stopped
from sync.http.packs import write_offer
from sync.http.tls import PinnedContext, WrongPinError
from sync.http.wire import (
    MAX_ANSWER,
    PREFIX,
    Heads,
    HeadsAsked,
    Hello,
    Offered,
    Refused,
    Taken,
    authorize,
    join_pieces,
    split_pieces,
)

W = TypeVar("W", bound=Wire)
_CHUNK: Final = 32 << 10
_MANY: Final = 20_000
_PIECES: Final = 1 << 19
_RETRY: Final = 60
_MAX_RETRY: Final = 3600


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, and bytes a second. silence: nothing moves at all; answer: until an answer begins (a merge takes time);
    slow: the slowest line that is worth waiting for.
    """

    connect: float = 20.0
    silence: float = 30.0
    answer: float = 120.0
    slow: int = 1 << 10


class Line:
    """Requests to `server` for `project` (id), signed by `signer`: a laptop's carrier or a supervisor's role key."""

    def __init__(
        self,
        server: Server,
        project: str,
        signer: Signer,
        *,
        times: Times | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connects with the first request."""
        self.server = server
        self._project, self._signer = project, signer
        self._times = times or Times()
        self._monotonic = monotonic
        self._nonce, self._until, self._count = "", 0.0, 0
        self._connection = Connection()
        self.check: Check | None = None
        """Raises once nothing more is to be sent: asked within requests too, which are given up then."""
        self.pack = 0
        self.sent = 0
        """Bytes of bodies sent so far."""
        pause = httpx.Timeout(self._times.silence, connect=self._times.connect, read=self._times.answer)
        self._client = httpx.Client(
            verify=PinnedContext(server.pins),
            timeout=pause,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=15),
            trust_env=False,
            headers={"accept-encoding": "identity", "user-agent": "fieldsurvey"},
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hello(self) -> Hello:
        """A nonce and the server's bounds. Raises what every request raises."""
        began = self._monotonic()
        found = self._read(Hello, self._send("GET", f"{PREFIX}/hello", b"", ""))
        self._nonce, self._count = found.nonce, 0
        self._until = began + 0.8 * found.seconds
        self.pack = found.pack
        return found

    def heads(self, asked: HeadsAsked) -> Heads:
        """What central holds."""
        return self._read(Heads, self._ask("POST", "/heads", asked.to_bytes()))

    def put(self, name: str, data: bytes) -> None:
        """One pack."""
        self._ask("PUT", f"/packs/{name}", data)

    def offer(self, head: bytes, packs: tuple[str, ...]) -> Offered:
        """A batch: which packs are missing, or merged, with receipts."""
        found = self._read(Offered, self._ask("POST", "/batches", write_offer(head, packs)))
        if not set(found.missing) <= set(packs):
            raise self._unusable("packs that nobody has")
        return found

    def whole(self, batch: bytes) -> Offered:
        """A batch file no larger than a pack, in one request: merged, with receipts."""
        found = self._read(Offered, self._ask("POST", "/batches/whole", batch))
        if found.missing:
            raise self._unusable("packs that nobody has")
        return found

    def project_after(self, version: int) -> bytes:
        """The signed project when it is newer, else nothing; not verified here."""
        return self._ask("GET", f"/project?after={version}", limit=MAX_FILE)

    def hand_in(self, what: str, files: list[bytes]) -> int:
        """Hand in withdrawals ("withdrawals") or reports of erasure ("erased"); how many were new there."""
        new = 0
        batch: list[bytes] = []
        for data in [*files, b""]:
            if batch and (not data or sum(map(len, batch)) + len(data) > _PIECES):
                new += self._read(Taken, self._ask("POST", f"/{what}", join_pieces(batch))).new
                batch = []
            batch.append(data)
        return new

    def files(self, what: str) -> Iterator[bytes]:
        """Every small signed file of a kind ("withdrawals", "returns", "erased"); not verified here."""
        after = ""
        count = total = 0
        while True:
            found = split_pieces(self._ask("GET", f"/{what}?after={after}" if after else f"/{what}"))
            if found is None:
                raise self._unusable("pieces")
            for piece in found:
                digest = hashlib.sha256(piece).hexdigest()
                count, total = count + 1, total + len(piece)
                if digest <= after or count > _MANY or total > MAX_FILE:  # else it could go on for ever
                    raise self._unusable("order")
                after = digest
                yield piece
            if not found:
                return

    def _ask(self, method: str, path: str, body: bytes = b"", *, limit: int = MAX_ANSWER) -> bytes:
        """A signed request; once more with a new nonce, if the server no longer takes the one at hand."""
        path = PREFIX + path
        for fresh in (False, True):
            if fresh or self._monotonic() >= self._until:
                self.hello()
            self._count += 1
            signed = authorize(
                self._signer,
                self._project,
                method=method,
                path=path,
                nonce=self._nonce,
                count=self._count,
                body=body,
            )
            try:
                return self._send(method, path, body, signed, limit=limit)
            except _StaleError:
                continue
        raise self._unusable("nonce")

    def _send(self, method: str, path: str, body: bytes, signed: str, *, limit: int = MAX_ANSWER) -> bytes:
        with until_stopped(self.check, self._connection.hang_up):
            return self._exchange(method, path, body, signed, limit)

    def _exchange(self, method: str, path: str, body: bytes, signed: str, limit: int) -> bytes:
        end = self._monotonic() + self._times.answer + len(body) / self._times.slow
        headers = {"content-length": str(len(body))} if body else {}
        if signed:
            headers["authorization"] = signed
        content = self._pieces(body, end) if body else None
        try:
            with self._client.stream(
                method, self.server.url + path, content=content, headers=headers,
                extensions={"trace": self._connection.trace},
            ) as response:  # fmt: skip
                status, after = response.status_code, response.headers.get("retry-after", "")
                data = self._received(response, limit if status < 300 else _CHUNK)
        except httpx.TimeoutException:
            raise self._broken("time-out") from None
        except httpx.RemoteProtocolError as error:
            text = str(error)
            if "disconnected" in text or "closed" in text:
                raise self._broken("cut off") from None
            raise self._unusable("HTTP") from None
        except (httpx.TransportError, ssl.SSLError) as error:
            if (found := _wrong_pin(error)) is not None:
                raise WrongServerError(server=self.server.url, found=found[:16] or "?") from None
            raise self._broken(type(error).__name__) from None
        except (httpx.HTTPError, httpx.StreamError, ValueError) as error:
            raise self._unusable(type(error).__name__) from None
        if status in {200, 201, 202}:
            return data
        raise self._refusal(status, data, after)

    def _pieces(self, body: bytes, end: float) -> Iterator[bytes]:
        view = memoryview(body)
        for at in range(0, len(body), _CHUNK):
            if self._monotonic() > end:
                raise self._broken("too slow")
            piece = bytes(view[at : at + _CHUNK])
            self.sent += len(piece)
            yield piece

    def _received(self, response: httpx.Response, limit: int) -> bytes:
        """The body as it is, never unpacked; it has to come at a pace."""
        began = self._monotonic()
        data = bytearray()
        for part in response.iter_raw():  # as it comes: gathered into pieces of a size, a drip would be seen too late
            data += part
            if len(data) > limit:
                raise self._unusable("too long")
            if self._monotonic() > began + self._times.silence + len(data) / self._times.slow:
                raise self._broken("too slow")
        return bytes(data)

    def _refusal(self, status: int, data: bytes, after: str) -> Exception:
        try:
            said = Refused.from_bytes(data)
        except UntrustedError:
            if status == 503:  # uvicorn's own, when too many are there
                return ServerBusyError(server=self.server.url, seconds=_RETRY)
            return self._unusable(str(status))
        if status == 401 and said.code in {"nonce", "replayed"}:
            return _StaleError()
        if status in {408, 429, 503, 507}:
            seconds = int(after) if after.isascii() and after.isdecimal() and len(after) < 6 else _RETRY
            return ServerBusyError(server=self.server.url, seconds=min(_MAX_RETRY, max(1, seconds)))
        if status in {401, 403}:
            return NotAdmittedError(server=self.server.url, reason=said.code)
        if status == 422:
            return PushRefusedError(server=self.server.url, reason=said.reason or said.code)
        return self._unusable(said.code)

    def _read(self, kind: type[W], data: bytes) -> W:
        try:
            return kind.from_bytes(data)
        except UntrustedError as error:
            raise self._unusable(error.code) from None

    def _broken(self, reason: str) -> LineError:
        return LineError(server=self.server.url, reason=reason)

    def _unusable(self, reason: str) -> ServerAnswerError:
        return ServerAnswerError(server=self.server.url, reason=reason)


class _StaleError(Exception):
    """The nonce at hand is too old, or of a server that has been started again."""


def _wrong_pin(error: BaseException) -> str | None:
    """The pin of the key that was refused, if that is what lies behind `error`."""
    seen = 0
    cause: BaseException | None = error
    while cause is not None and seen < 8:
        if isinstance(cause, WrongPinError):
            return cause.found
        cause, seen = cause.__cause__ or cause.__context__, seen + 1
    return None


class Backoff:
    """How long to wait before the next try: doubling, with jitter, so that laptops of one day do not come together."""

    def __init__(self, first: float = 2.0, most: float = 900.0) -> None:
        self._first, self._most, self._tries = first, most, 0

    def reset(self) -> None:
        """Something was confirmed."""
        self._tries = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds; never under `at_least`, which the server asked for."""
        wait = min(self._most, self._first * 2.0 ** min(self._tries, 20))
        self._tries += 1
        return max(at_least, wait * (0.5 + secrets.randbelow(1001) / 1000))
