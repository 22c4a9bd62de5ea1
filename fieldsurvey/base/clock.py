"""Time is handed in, never taken: rooms receive a Clock, tests hand in a fixed one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for people, monotonic time for durations."""

    def now(self) -> datetime:
        """Aware, in UTC or the machine's zone."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's."""

    def now(self) -> datetime:
        """Wall time with the machine's zone."""
        return datetime.now(UTC).astimezone()

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


@dataclass
class FixedClock:
    """Stands still until told to move; for tests and simulations."""

    at: datetime
    elapsed: float = field(default=0.0)

    def now(self) -> datetime:
        """The set time."""
        return self.at

    def monotonic(self) -> float:
        """Seconds moved so far."""
        return self.elapsed

    def move(self, **delta: float) -> None:
        """Go on by `timedelta(**delta)`."""
        step = timedelta(**delta)
        self.at += step
        self.elapsed += step.total_seconds()


def instant(iso: str) -> datetime | None:
    """An ISO 8601 time; without a zone it is UTC. None for what is no time."""
    try:
        found = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
