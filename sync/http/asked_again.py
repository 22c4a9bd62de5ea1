"""What a server asks for again though central's receipts confirm it: a central that lost its disk needs it once more.

A server that only says so must not keep a laptop sending for ever. In one push each entry goes again once at most. Of
what goes by itself, with nobody looking on, each log has an allowance, twice what is confirmed of it; used up, it is
there again after a while that doubles each time. HOME/push/again.json remembers that; it is lost without harm.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import storage_error, write_atomic
from sync.http.errors import AskedTooOftenError, LostAtCentralError
from sync.http.exchange import FOLDER
from sync.http.sending import PushReport
from sync.stretches import Stretch, joined, size, stretches

NAME: Final = "again.json"
REST: Final = timedelta(days=1)
MOST: Final = 32
"""Times REST: longer than that it never waits."""
CALM: Final = 4 * MOST * REST
"""Without any asking for so long, the next time counts as the first."""
_NAMED: Final = 10
_ENTRY: Final = 512
"""Bytes of an entry in a manifest, about: what has no record costs a line, too."""


@dataclass(frozen=True, slots=True)
class _Spent:
    since: datetime
    turns: int
    bytes: int


class Allowance:
    """Of one home. `by_hand`: somebody is looking on and asked for it, so there is none to be kept to."""

    def __init__(self, home: Path, now: datetime, *, by_hand: bool) -> None:
        self._path = home / FOLDER / NAME
        self._now = now.astimezone(UTC)
        self._by_hand = by_hand
        self._spent = self._read()

    def has(self, device: str, whole: int) -> bool:
        """Whether another batch may go again; `whole`: what the allowance of that log is, see `allowance`."""
        return self._by_hand or self._now_spent(device).bytes < whole

    def spend(self, device: str, sent: int) -> None:
        """So many bytes went out, whatever became of them. Raises StorageError."""
        if not self._by_hand and sent:
            spent = self._now_spent(device)
            self._spent[device] = _Spent(spent.since, spent.turns, spent.bytes + sent)
            self._keep()

    def _keep(self) -> None:
        rows = {device: [one.since.isoformat(), one.turns, one.bytes] for device, one in self._spent.items()}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self._path) from error
        write_atomic(self._path, json.dumps(rows).encode("ascii"), private=True)

    def _now_spent(self, device: str) -> _Spent:
        known = self._spent.get(device)
        if known is None or self._now - known.since >= CALM:
            return _Spent(self._now, 1, 0)
        if self._now < known.since:  # the clock was wrong then, or is now: from now on, and no more for it
            self._spent[device] = _Spent(self._now, known.turns, known.bytes)
            self._keep()
            return self._spent[device]
        if self._now - known.since >= REST * min(2 ** (known.turns - 1), MOST):
            return _Spent(self._now, min(known.turns + 1, MOST), 0)
        return known

    def _read(self) -> dict[str, _Spent]:
        try:
            rows = json.loads(self._path.read_bytes())
            return {str(device): _known(*row) for device, row in rows.items()}
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return {}


def _known(since: str, turns: int, cost: int) -> _Spent:
    return _Spent(datetime.fromisoformat(since).astimezone(UTC), min(max(1, int(turns)), MOST), max(0, int(cost)))


def allowance(stored: int, confirmed: int) -> int:
    """Bytes for a log with `stored` bytes of records here up to the entry that is confirmed: a bad line costs some."""
    return 2 * (stored + _ENTRY * confirmed)


@dataclass
class Asked:
    """One log in one push, over all its tries. `sent`: entries that went again; `resting`: that may not go now."""

    sent: set[int] = field(default_factory=set)
    resting: set[int] = field(default_factory=set)
    lost: list[Stretch] = field(default_factory=list)

    def wanted(self, lacks: list[Stretch], confirmed: int) -> list[Stretch]:
        """What is to go now of what central lacks up to `confirmed`."""
        self.resting.clear()
        self.lost = joined((first, min(last, confirmed)) for first, last in lacks)
        return self._without(self.sent)

    def went(self) -> None:
        """What was wanted and is here went, or rests: the rest of it is lost."""
        self.lost = self._without(self.sent | self.resting)

    def _without(self, positions: set[int]) -> list[Stretch]:
        if not positions:
            return self.lost
        return stretches(seq for first, last in self.lost for seq in range(first, last + 1) if seq not in positions)

    @property
    def whole(self) -> bool:
        """Whether central has by now what it confirmed, as far as can be known here."""
        return not self.lost and not self.resting


def trouble(report: PushReport) -> FieldsurveyError | None:
    """What somebody has to see to after a push that went well otherwise."""
    lost = [f"{first}-{last}" if first < last else str(first) for log in report.logs for first, last in log.lost]
    if lost:
        count = sum(size(log.lost) for log in report.logs)
        named = ", ".join([*lost[:_NAMED], "…"] if len(lost) > _NAMED else lost)
        return LostAtCentralError(server=report.server, count=count, entries=named)
    resting = sum(log.resting for log in report.logs)
    return AskedTooOftenError(server=report.server, count=resting) if resting else None
