"""A server that makes a laptop send the same again and again: it is given up, and a line is not worn out. Synthetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import pytest

from fieldsurvey.fieldwork.laptop import Laptop
from sync.http.callers import Caller
from sync.http.errors import NotConfirmedError, ServerBusyError
from sync.http.pushing import Patience, push
from sync.http.service import Refusal, Service
from sync.http.wire import Heads, Offered
from tests.sync.http.conftest import RECORDS, SIZE
from tests.sync.http.test_lies import lying, untouched
from tests.sync.http.worlds import Place

Arrive = Callable[[Place], Laptop]
ALL = RECORDS * (SIZE + 4000)
"""Bytes of the whole log, rounded up."""


def test_stretches_that_are_asked_for_many_times_go_once(place: Place, arrive: Arrive) -> None:
    """It says that it lacks the same entries a hundred times, and confirms nothing: they are sent as often as the
    laptop itself would.
    """
    real, got = Service.heads, [0]

    def greedy(self: Service, caller: Caller, body: bytes) -> Heads:
        found = real(self, caller, body)
        logs = (log.model_copy(update={"lacks": ((1, RECORDS),) * 100, "receipts": ()}) for log in found.logs)
        return found.model_copy(update={"logs": tuple(logs)})

    def silent(self: Service, caller: Caller, body: BinaryIO) -> Offered:
        got[0] += len(body.read())
        return Offered()

    with lying(place, heads=greedy, whole=silent):
        laptop = arrive(place)
        with pytest.raises(NotConfirmedError):
            push(laptop, patience=Patience(tries=1))
        untouched(laptop)
    assert 0 < got[0] < 3 * ALL


def test_a_server_that_takes_everything_and_forgets_it_is_given_up(place: Place, arrive: Arrive) -> None:
    """Each try gets the same batch through, and then it is busy: that is no progress."""
    waits: list[float] = []
    told = [0]

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 20, "it goes on for ever"

    def forgetful(self: Service, caller: Caller, body: BinaryIO) -> Offered:
        told[0] += 1
        if told[0] % 2 == 0:
            raise Refusal(503, "busy", after=1)
        return Offered()

    with lying(place, whole=forgetful):
        laptop = arrive(place)
        with pytest.raises(ServerBusyError):
            push(laptop, patience=Patience(tries=3, wait=wait), max_entries=4)
        untouched(laptop)


def test_the_control_a_line_that_moves_is_not_given_up(place: Place, arrive: Arrive) -> None:
    """Every batch is taken and kept, and after each the server is busy once: more often than it would be tried."""
    real, told = Service.whole, [0]

    def slow(self: Service, caller: Caller, body: BinaryIO) -> Offered:
        told[0] += 1
        if told[0] % 2 == 0:
            raise Refusal(503, "busy", after=1)
        return real(self, caller, body)

    with lying(place, whole=slow):
        laptop = arrive(place)
        report = push(laptop, patience=Patience(tries=2, wait=lambda _seconds: None), max_entries=2)
    assert report.confirmed
    assert told[0] > 6
