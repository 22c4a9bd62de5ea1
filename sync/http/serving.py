"""The service on a port: uvicorn with TLS, bounded connections and times, and no log of who asked for what.

Uvicorn belongs to the installation of central: this module loads it when a server is started.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fieldsurvey.base.errors import StorageError
from fieldsurvey.project.errors import MissingExtraError
from sync.http.service import Service
from sync.http.tls import ServerKeys, server_context
from sync.http.web import application

if TYPE_CHECKING:
    import uvicorn

HEADER_SECONDS: Final = 15.0
KEEP_ALIVE: Final = 20
MAX_HEADERS: Final = 16 << 10
READ: Final = 32 << 10
"""Bytes taken from a connection at a time: two TLS records."""
PORT: Final = 8443


class PortError(StorageError):
    """The address cannot be listened on."""

    code = "storage.port"
    template = "{address} cannot be used: {reason}."
    hint = "Nothing was started. Is a server running already? Choose another with --port."


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address; port 0 takes a free one. Raises PortError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio sets TCP_NODELAY on nothing else, and each answer would wait 40 ms for an ACK.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise PortError(address=f"{host}:{port}", reason=error.strerror or type(error).__name__) from None
    return made


def server(service: Service, keys: ServerKeys) -> uvicorn.Server:
    """A uvicorn server for `service`. Raises MissingExtraError, ServerKeyMissingError."""
    try:
        import uvicorn  # an extra: laptops have none
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError:
        raise MissingExtraError(package="uvicorn", extra="central") from None

    class Bounded(H11Protocol):
        """Lets nobody hold a connection without asking for something."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._wait()

        def _wait(self) -> None:
            cycle = self.cycle
            self.loop.call_later(HEADER_SECONDS, lambda: self._late(cycle))

        def _late(self, cycle: Any) -> None:
            waiting = self.cycle is cycle and (cycle is None or cycle.response_complete)
            if waiting and not self.transport.is_closing() and self.timeout_keep_alive_task is None:
                self.transport.close()

    SSLProtocol.max_size = READ  # asyncio keeps that much for each connection, 256 KiB unless told otherwise
    context = server_context(keys)
    config = uvicorn.Config(
        application(service),
        http=Bounded,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=service.limits.connections,
        backlog=128,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=MAX_HEADERS,
        ssl_context_factory=lambda _config, _default: context,
    )
    return uvicorn.Server(config)


class Running:
    """A server in a thread of its own, for tests, benchmarks and front ends that go on meanwhile."""

    def __init__(self, service: Service, keys: ServerKeys, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Returns when it listens. Raises what `listen` and `server` raise."""
        self.service = service
        self._socket = listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"https://{host}:{self.port}"
        self._server = server(service, keys)
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let what is under way finish, then end."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def serve(service: Service, keys: ServerKeys, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until the process is asked to end; `ready` gets the address. Raises what `listen` and `server` raise."""
    made = listen(host, port)
    running = server(service, keys)
    ready(f"https://{host}:{made.getsockname()[1]}")
    running.run(sockets=[made])
