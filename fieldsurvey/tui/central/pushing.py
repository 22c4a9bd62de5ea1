"""What a supervisor's laptop carries, sent to central's server over the line; and what came of it in words."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.job import Stop, Told
from fieldsurvey.tui.central.sticks import Purpose, Sentence, stopping
from sync.errors import StoppedError
from sync.holding import Held
from sync.stick import Progress
from sync.waiting import erased_batches

if TYPE_CHECKING:
    from fieldsurvey.project.model import Server
    from sync.http.relaying import RelayPushReport

TRIES: Final = 5
_STEP: Final = 0.1
"""Seconds after which somebody who waits for the line looks whether he is to stop."""


class PushStoppedError(StoppedError):
    """Stopped, also while it waited for an answer."""

    code = "refused.push_stopped"
    template = "Sending was stopped before it was finished."
    hint = "What arrived stays there and is not sent again; everything that is not confirmed is still carried here."


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was sent. `sent`: entries; `forgotten`, `left`, `erased`: batches; `receipts`: central's, for laptops."""

    server: str
    sent: int
    forgotten: int
    left: int
    receipts: int
    erased: int = 0

    @classmethod
    def of(cls, done: RelayPushReport) -> Pushed:
        """What sending reported."""
        return cls(done.pushed.server, done.pushed.sent, done.forgotten, done.left, len(done.receipts), done.erased)


def relay_push(desk: Desk, _place: Path, told: Told, stop: Stop) -> Pushed:
    """Send it all. Raises what `push_relay` raises, PushStoppedError."""
    from sync.http.pushing import Patience  # httpx: 0.1 s that nothing else on these screens needs
    from sync.http.relaying import push_relay

    relay = desk.relay()
    tell = stopping(told, stop, PushStoppedError)
    tell(0, 1, _("calling {server} …").format(server=_server(relay.project.model.servers)))
    progress = whole(relay.holding.batches(), tell)
    patience = Patience(TRIES, lambda seconds: _wait(seconds, tell))

    def check() -> None:
        if stop():
            raise PushStoppedError

    return Pushed.of(push_relay(relay, progress=progress, patience=patience, check=check))


def whole(held: Sequence[Held], told: Told) -> Progress:
    """From bytes of the batch under way to bytes of all: what is told of each batch begins where the last one ended."""
    total = sum(one.size for one in held)
    before, here, name = 0, 0, ""

    def tell(done: int, _total: int, text: str) -> None:
        nonlocal before, here, name
        if text != name:
            before, here, name = before + here, 0, text
        here = max(here, done)
        told(min(before + here, total), total, text)

    return tell


def _wait(seconds: float, tell: Told) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        tell(0, 1, _("no line; the next try in {seconds} s").format(seconds=int(left) + 1))
        time.sleep(min(left, _STEP))


def _server(servers: Sequence[Server]) -> str:
    return visible(servers[0].url) if servers else ""


def push_words(done: Pushed) -> list[Sentence]:
    """What arrived, what is safe, what is still carried."""
    text = ngettext("{count} record handed on to {server}.", "{count} records handed on to {server}.", done.sent)
    lines = [Sentence(True, text.format(count=done.sent, server=visible(done.server)))]
    if done.forgotten:
        text = ngettext(
            "{count} batch is safe at central and was let go of here.",
            "{count} batches are safe at central and were let go of here.",
            done.forgotten,
        )
        lines.append(Sentence(True, text.format(count=done.forgotten)))
    if done.erased:
        lines.append(Sentence(True, erased_batches(done.erased)))
    if done.receipts:
        lines.append(Sentence(True, _("new receipts of central's: {count}.").format(count=done.receipts)))
    if done.left:
        text = ngettext("{count} batch is still held here.", "{count} batches are still held here.", done.left)
        advice = _("Central has not confirmed it whole: send again later, or hand on to a stick.")
        lines.append(Sentence(False, text.format(count=done.left), advice))
    return lines


PUSH_PURPOSES: Mapping[str, Purpose] = {
    "relay_push": Purpose(
        "relay_push",
        n_("Send to central"),
        n_("Sending to"),
        n_("Everything that is carried, to the server that the project names. It stays here until central has it."),
        n_("To where?"),
        relay_push,
        stopping=n_("stopping; what arrived stays there …"),
        by_line=True,
    )
}
