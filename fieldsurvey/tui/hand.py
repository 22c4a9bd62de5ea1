"""One thing at a time: the thread that changes and saves, and the lock that keeps readers away meanwhile.

Durable changes run in a thread, so that a slow disk does not freeze the screen; the engine must then not be read by
the screen at the same moment. Whatever reads or changes an interview therefore runs `@alone`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Hand:
    """A thread of its own and a lock that the task which holds it may take again."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hand")
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    async def do(self, call: Callable[[], T]) -> T:
        """Run `call` after what is queued; its exceptions come out here."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else who asks for this runs meanwhile."""
        task = asyncio.current_task()
        if task is not None and task is self._holder:
            yield
            return
        async with self._lock:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None

    def rest(self) -> None:
        """Wait for what is queued, then stop."""
        self._pool.shutdown(wait=True)


class _HasHand(Protocol):
    @property
    def hand(self) -> Hand: ...


S = TypeVar("S", bound=_HasHand)


def alone(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """The method runs alone among those marked so."""

    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        async with self.hand.alone():
            return await method(self, *args, **kwargs)

    wrapped.__name__, wrapped.__doc__ = method.__name__, method.__doc__
    return wrapped
