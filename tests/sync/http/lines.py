"""A line that breaks: a proxy that forwards bytes between a laptop and a server until it cuts. Synthetic."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Final, Literal, Self

Way = Literal["up", "down"]
_PIECE: Final = 2048


class BreakingLine:
    """Forwards to `port`. The connections are cut once, when `cut` bytes have gone `way`; None: never.

    `moved`: bytes that went each way so far.
    """

    def __init__(self, port: int, cut: int | None = None, way: Way = "up") -> None:
        self._target, self._cut, self._way = port, cut, way
        self.moved: dict[Way, int] = {"up": 0, "down": 0}
        self.cuts = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one, other, way in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._forward, args=(one, other, way), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket, way: Way) -> None:
        try:
            while data := one.recv(_PIECE):
                with self._lock:
                    self.moved[way] += len(data)
                    broken = self._cut is not None and way == self._way and self.moved[way] >= self._cut
                    if broken:
                        self._cut = None
                        self.cuts += 1
                if broken:
                    break
                other.sendall(data)
        except OSError:
            pass  # the other direction ended it
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                end.close()
