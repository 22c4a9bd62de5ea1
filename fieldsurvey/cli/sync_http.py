"""`fieldsurvey sync push|serve`: over a network. Registered by `fieldsurvey.cli.sync`; loads late what costs time."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.cli.sync_words import left_out_line, receipts_data, received_lines
from fieldsurvey.tui.standing import asked_again_line

if TYPE_CHECKING:
    from sync.http.relaying import RelayPushReport
    from sync.http.sending import PushReport

_GRACE = 3.0
PORT = 8443  # as in fieldsurvey.cli.sync_serve, which loads too much for a default


def register(app: typer.Typer) -> None:
    """Add `push` and `serve` to the group."""
    _register_push(app)
    _register_serve(app)


def _register_push(app: typer.Typer) -> None:
    @app.command("push")
    @command
    def push(
        *,
        watch: Annotated[
            bool, typer.Option("--watch", help="Stay, and send whenever something is sealed; ends with standard input.")
        ] = False,
        relay: Annotated[
            bool, typer.Option("--relay", help="On a supervisor's laptop: what is carried for other people's.")
        ] = False,
        tries: Annotated[int, typer.Option("--tries", min=1, max=100, help="How often to take up a broken line.")] = 5,
        json_: Json = False,
    ) -> None:
        """Send what central has not confirmed to the server that the project names. Needs no passphrase.

        The server is known by its key, which the project names: to any other not a byte is sent. Where the line breaks,
        the next try goes on; nothing that arrived is sent again. Records stay on this laptop until central's signed
        receipt says that it holds them. Receipts, a newer project, withdrawals and returned work come back with it.

        While the app is open, it does this by itself. Without a line, use a stick: fieldsurvey sync export STICK.

        Example: fieldsurvey sync push

        On a supervisor's laptop: fieldsurvey sync push --relay
        """
        # start-up: httpx costs 0.1 s, which no other command needs
        from sync.http.pushing import Patience
        from sync.http.pushing import push as send

        if watch:
            _watch()
            return
        patience = Patience(tries=tries)
        with progress_bar(_("Sending"), quiet=json_) as progress:
            if relay:
                # a laptop that sends its own work needs nothing of a relay, and the other way round
                from sync.http.relaying import push_relay
                from sync.relay import Relay

                handed = push_relay(Relay.open(paths.home()), progress=progress, patience=patience)
                result(json_, _relay_data(handed), "\n".join(_relay_lines(handed)))
                return
            from fieldsurvey.fieldwork import Laptop

            report = send(Laptop.open(paths.home(), SystemClock()), progress=progress, patience=patience)
        result(json_, _push_data(report), "\n".join(_push_lines(report)))


def _register_serve(app: typer.Typer) -> None:
    @app.command("serve")
    @command
    def serve(
        *,
        host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "0.0.0.0",  # noqa: S104  a server
        port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on.")] = PORT,
        spare: Annotated[
            bool, typer.Option("--spare", help="Use the spare key from now on, and make a new spare one.")
        ] = False,
        show: Annotated[bool, typer.Option("--pins", help="Only show the two pins, and start nothing.")] = False,
        json_: Json = False,
    ) -> None:
        """At central: take what laptops and relays push, over HTTPS, and answer with receipts. Ctrl+C ends it.

        The first start makes two TLS keys, one in use and a spare, in HOME/server; back that folder up. Laptops know
        the server by these keys alone. Name it in the project:

            fieldsurvey project server https://CENTRAL.EXAMPLE:8443 --pin FIRST --pin SPARE

        then publish the project; laptops that have it push by themselves. Only laptops that are enrolled, and
        supervisors' keys, are served. What they send cannot be read here. When the key in use was lost or stolen:
        `--spare`; laptops trust that one already.

        Example: fieldsurvey sync serve --port 8443
        """
        # start-up: these load what a server needs, which nothing that sends does
        from fieldsurvey.cli.sync_serve import become, keys_data, keys_lines
        from fieldsurvey.cli.sync_serve import command as words
        from sync.http.tls import server_keys
        from sync.place import open_central

        keys = server_keys(paths.home(), use_spare=spare)
        if show:
            result(json_, keys_data(keys), "\n".join(keys_lines(keys)))
            return
        open_central(
            paths.home()
        ).close()  # its tables are made here: the server's process stays without what makes them
        if status := become(words(host, port, json_=json_, made=keys.made)):
            raise typer.Exit(status)


def _watch() -> None:
    """Until standard input ends: the app that started this process holds the other end, and needs not say goodbye."""
    from sync.http.watching import watch  # start-up: httpx, see `push`

    ended = threading.Event()

    def listen() -> None:
        while os.read(0, 4096):
            continue
        ended.set()
        time.sleep(_GRACE)  # a request that hangs must not outlive the app; being cut off costs nothing
        os._exit(0)

    if hasattr(os, "nice"):
        os.nice(10)  # an interview goes first
    threading.Thread(target=listen, daemon=True).start()
    watch(paths.home(), SystemClock(), ended)


def _push_data(report: PushReport) -> dict[str, Any]:
    return {
        "server": report.server,
        "sent": report.sent,
        "new": report.new,
        "bytes": report.bytes,
        "confirmed": report.confirmed,
        "again": report.again,
        "logs": [asdict(log) for log in report.logs],
        "withdrawals_sent": report.withdrawals,
        "received": receipts_data(report.received),
    }


def _push_lines(report: PushReport) -> list[str]:
    from sync.http.asked_again import trouble  # start-up: httpx, see `push`

    lines = received_lines(report.received)
    left = [seq for log in report.logs for seq in log.left_out]
    if report.sent:
        text = ngettext("{count} record sent to {server}.", "{count} records sent to {server}.", report.sent)
        lines.insert(0, filled(text, count=report.sent, server=report.server))
    if report.again:
        lines.append(asked_again_line(report.again))
    if lost := trouble(report):
        lines += [lost.message, lost.advice]
    if left:
        lines.append(left_out_line(left))
    if report.confirmed and not left:
        lines.append(_("Everything that is sealed on this laptop is confirmed by central."))
    return lines


def _relay_data(report: RelayPushReport) -> dict[str, Any]:
    return {
        "role": "relay",
        "server": report.pushed.server,
        "sent": report.pushed.sent,
        "new": report.pushed.new,
        "bytes": report.pushed.bytes,
        "forgotten": report.forgotten,
        "left": report.left,
        "erased": report.erased,
        "receipts": [receipt.model_dump(mode="json") for receipt in report.receipts],
    }


def _relay_lines(report: RelayPushReport) -> list[str]:
    """As the relay's screen says it."""
    from fieldsurvey.tui.central.pushing import Pushed, push_words  # start-up: central's store, see `push`

    return [text for one in push_words(Pushed.of(report)) for text in (one.text, one.advice) if text]
