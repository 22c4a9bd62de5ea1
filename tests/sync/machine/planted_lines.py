"""Faults on a line that somebody could make one day; the machine must find each of them. See planted.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest
from starlette.requests import ClientDisconnect, Request

from sync.http import relaying
from sync.http.line import Line
from sync.http.sending import PushReport
from sync.http.wire import Heads, HeadsAsked
from sync.relay import Relay

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]


def a_part_of_a_body_is_taken(patch: Patch) -> None:
    """A line that breaks ends a body like any other end; its length and hash are not looked at."""

    async def read(_web: Any, request: Request, _said: object) -> AsyncIterator[bytes]:
        try:
            async for data in request.stream():
                yield data
        except ClientDisconnect:
            return

    patch.setattr("sync.http.web._Web._read", read)


def a_request_may_come_again(patch: Patch) -> None:
    """Which requests were taken is not remembered."""
    patch.setattr("sync.http.nonces.Nonces.use", lambda *_args: True)


def a_broken_push_begins_anew(patch: Patch) -> None:
    """What the server has of a batch is not looked at: all of it goes over the line once more."""
    rightly = Line.heads

    def heads(self: Line, asked: HeadsAsked) -> Heads:
        return rightly(self, asked).model_copy(update={"packs": ()})

    patch.setattr(Line, "heads", heads)


def a_line_carries_no_withdrawals(patch: Patch) -> None:
    """They wait for a stick."""
    patch.setattr("sync.http.exchange.Exchange.agree", lambda *_args: 0)


def a_relay_forgets_what_it_sent(patch: Patch) -> None:
    """Whether it arrived or not."""
    rightly = relaying._try

    def once(relay: Relay, *rest: Any) -> PushReport:
        try:
            return rightly(relay, *rest)
        finally:
            for held in relay.holding.batches():
                relay.holding.remove(held)

    patch.setattr(relaying, "_try", once)


LINE_FAULTS: Final[tuple[Fault, ...]] = (
    a_part_of_a_body_is_taken,
    a_request_may_come_again,
    a_broken_push_begins_anew,
    a_line_carries_no_withdrawals,
    a_relay_forgets_what_it_sent,
)
