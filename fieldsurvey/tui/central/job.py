"""Long work beside the screen: a thread of its own, how far it is, a wish to stop, what came of it.

The screen asks `state` now and then; nothing here waits for a screen. What the program did not foresee comes out of
`outcome`, so that it shows as the fault that it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from fieldsurvey.base.errors import FieldsurveyError

T = TypeVar("T")
Told = Callable[[int, int, str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Reached:
    """How far it is: `done` of `total` (bytes or entries, the work's choice), and what is under way."""

    done: int = 0
    total: int = 0
    text: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Job(Generic[T]):
    """One piece of work. `kind` names it for whoever shows it."""

    def __init__(self, kind: str, place: str, work: Callable[[Told, Stop], T]) -> None:
        self.kind = kind
        self.place = place
        self.reached = Reached()
        self.seen = False  # whether somebody has read what came of it
        self._work = work
        self._stop = threading.Event()
        self._future: Future[T] = Future()

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive: what it had not finished is rolled back."""
        threading.Thread(target=self._run, name=self.kind, daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop where that loses nothing."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Whether there is nothing to read yet."""
        return not self._future.done()

    def wait(self, seconds: float | None = None) -> None:
        """Until it is done, at most `seconds`. Raises TimeoutError."""
        self._future.exception(seconds)

    def outcome(self) -> T | FieldsurveyError:
        """What came of it, once it is not running. What nobody foresaw is raised."""
        error = self._future.exception(0)
        if error is None:
            return self._future.result(0)
        if isinstance(error, FieldsurveyError):
            return error
        raise error

    def _run(self) -> None:
        try:
            found = self._work(self._tell, self._stop.is_set)
        except BaseException as error:  # noqa: BLE001  handed on to whoever asks for the outcome, where it shows
            self._future.set_exception(error)
        else:
            self._future.set_result(found)

    def _tell(self, done: int, total: int, text: str) -> None:
        self.reached = Reached(done, total, text)
