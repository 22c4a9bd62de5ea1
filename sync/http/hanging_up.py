"""Somebody wants a request to stop: noticed while it waits, too, by another thread that hangs the connection up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from fieldsurvey.base.errors import FieldsurveyError

Check = Callable[[], None]
"""Raises a FieldsurveyError once it is to stop; asked from another thread."""
STEP: Final = 0.1
"""Seconds between two looks."""


class Connection:
    """The newest connection of a client, as its traces tell of it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def trace(self, event: str, told: Mapping[str, Any]) -> None:
        """For httpx's `trace` extension: remembers what was connected, the encrypted one last."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = told["return_value"].get_extra_info("socket")

    def hang_up(self) -> None:
        """Whoever reads from it or writes to it gets an error, at once."""
        if self._socket is not None:
            with suppress(OSError):  # over already
                # not the encrypted socket's own shutdown: it takes away what the other thread reads with
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def until_stopped(check: Check | None, hang_up: Callable[[], None]) -> Iterator[None]:
    """Inside, `check` is asked now and then; once it raises, `hang_up` is called, and what it raised comes out in the
    place of what that brought about. Without a `check` nothing is done.
    """
    if check is None:
        yield
        return
    over = threading.Event()
    told: list[FieldsurveyError] = []

    def look() -> None:
        while not over.wait(STEP):
            try:
                check()
            except FieldsurveyError as error:
                told.append(error)
                hang_up()
                return

    watcher = threading.Thread(target=look, name="stop", daemon=True)
    watcher.start()
    try:
        yield
    except FieldsurveyError:
        if told:
            raise told[0] from None
        raise
    finally:
        over.set()
        watcher.join()
    check()
