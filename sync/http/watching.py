"""Sending by itself while the app is open: a process that pushes whenever there is something and a line, and waits in
between. It needs no passphrase, shares nothing with the app but files, and ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import FieldsurveyError, StorageError
from fieldsurvey.fieldwork.laptop import Laptop
from sync.folder import at_central
from sync.http.asked_again import trouble
from sync.http.errors import PushUnderWayError
from sync.http.line import Backoff, Line
from sync.http.pushing import Connect, Patience, push
from sync.http.state import PushState, Stage, write_state

_Pause = Callable[[float], None]
EVERY: Final = 900.0
"""Seconds after which it asks again though nothing was sealed: receipts, returned work and a newer project may wait."""
LOOK: Final = 15.0
AGAIN: Final = 1800.0
"""Seconds before it tries again what somebody has to look at."""


class Ended(Exception):  # noqa: N818  not a fault: the app was left
    """The app has ended."""


def watch(
    home: Path,
    clock: Clock,
    ended: threading.Event,
    *,
    connect: Connect = Line,
    every: float = EVERY,
    look: float = LOOK,
) -> None:
    """Push until `ended`, or until the project names no server any more. Raises what opening the laptop raises."""
    backoff = Backoff(first=15.0, most=900.0)

    def pause(seconds: float) -> None:
        if ended.wait(seconds):
            raise Ended

    try:
        while not ended.is_set():
            laptop = Laptop.open(home, clock)
            try:
                if not laptop.project.model.servers:
                    return
                seconds = _once(laptop, backoff, pause, connect)
                _wait(laptop, every if seconds is None else seconds, pause, look, sealed=seconds is None)
            finally:
                laptop.close()
    except Ended:
        return


def _once(laptop: Laptop, backoff: Backoff, pause: _Pause, connect: Connect) -> float | None:
    """One push; in how many seconds to try again, None when everything went."""
    try:
        _say(laptop, "sending")
        report = push(laptop, patience=Patience(tries=2, wait=pause), connect=connect, by_hand=False)
    except PushUnderWayError:  # somebody sends by hand: what they say stands
        return LOOK
    except FieldsurveyError as error:
        if isinstance(error, StorageError):
            _say(laptop, "waiting", error)
            return backoff.next(float(error.details.get("seconds", 0)))
        _say(laptop, "refused", error)
        return AGAIN
    backoff.reset()
    if left := trouble(report):
        _say(laptop, "refused", left)
        return AGAIN
    _say(laptop, "done", again=report.again)
    return None


def _wait(laptop: Laptop, seconds: float, pause: _Pause, look: float, *, sealed: bool) -> None:
    """Wait; `sealed`: no longer than until something new is sealed."""
    head = laptop.locked.head()
    left = seconds
    while left > 0:
        pause(min(look, left))
        left -= look
        if sealed and laptop.locked.head() != head:
            return


def _say(laptop: Laptop, stage: Stage, error: FieldsurveyError | None = None, *, again: int = 0) -> None:
    logs = laptop.locked.logs()
    servers = laptop.project.model.servers
    write_state(
        laptop.home,
        PushState(
            stage,
            laptop.clock.now().isoformat("T", "seconds"),
            servers[0].url if servers else "",
            sum(at_central(log) for log in logs),
            sum(log.head().seq for log in logs),
            error.code if error else "",
            error.message if error else "",
            again,
        ),
    )
