"""Lets a key through only if it was pressed while the present page was already on the screen.

A key pressed during a change was meant for the page before. Enter and PgDn must also come a moment after the paint:
a bouncing or held key, or a nervous double press, would otherwise pass a question that nobody has seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic, perf_counter

DWELL = 0.15  # seconds; people read longer, and a double press is faster
# Textual stamps its events with these (textual/_time.py); they are compared with the time of painting.
EVENT_CLOCK: Callable[[], float] = perf_counter if sys.platform == "win32" else monotonic
_GOING = frozenset({"enter", "pagedown", "pageup", "ctrl+b"})


class Turnstile:
    """Closed while a page is being changed."""

    def __init__(self, clock: Callable[[], float] = EVENT_CLOCK, dwell: float = DWELL) -> None:
        self._clock = clock
        self._dwell = dwell
        self._opened: float | None = None

    @property
    def closed(self) -> bool:
        """Whether a page is being changed now."""
        return self._opened is None

    def close(self) -> None:
        """A change begins."""
        self._opened = None

    def open(self) -> None:
        """The page is painted."""
        self._opened = self._clock()

    def passes(self, at: float, key: str) -> bool:
        """Whether a key pressed at `at` (the same clock) was meant for this page."""
        if self._opened is None:
            return False
        return at >= self._opened + (self._dwell if key in _GOING else 0.0)
