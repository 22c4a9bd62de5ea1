"""Long work beside the screen: how far, stop, what came of it, faults."""

from __future__ import annotations

import threading

import pytest

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.tui.central.job import Job, Reached, Stop, Told


def test_it_tells_how_far_it_is_and_what_came_of_it() -> None:
    """Progress is there to be read while it runs, the outcome after."""
    go, there = threading.Event(), threading.Event()

    def work(told: Told, _stop: Stop) -> str:
        told(3, 12, "synthetic")
        there.set()
        go.wait(10)
        return "done"

    job = Job("import", "stick", work)
    job.start()
    assert there.wait(10)
    running = job.running
    assert running
    assert job.reached == Reached(3, 12, "synthetic")
    assert job.reached.share == 0.25
    go.set()
    job.wait(10)
    assert not job.running
    assert job.outcome() == "done"


def test_it_stops_when_it_is_asked_to() -> None:
    """The wish reaches the work."""
    job = Job("import", "stick", lambda _told, stop: [None for _ in iter(stop, True)] and "stopped")
    job.start()
    job.stop()
    job.wait(10)
    assert job.stopping
    assert not job.running


def test_what_was_foreseen_is_a_value_and_what_was_not_is_raised() -> None:
    """An expected failure is shown in words; a fault of the program's shows as one."""

    def refuse(_told: Told, _stop: Stop) -> None:
        raise RefusedError

    def fail(_told: Told, _stop: Stop) -> None:
        raise ZeroDivisionError

    refused, failed = Job("import", "", refuse), Job("import", "", fail)
    for job in (refused, failed):
        job.start()
        job.wait(10)
    assert isinstance(refused.outcome(), RefusedError)
    with pytest.raises(ZeroDivisionError):
        failed.outcome()


def test_nothing_to_do_is_no_share() -> None:
    """A total of 0 divides nothing."""
    assert Reached(0, 0, "").share == 0.0
    assert Reached(9, 3, "").share == 1.0
