"""`fieldsurvey central show`: central on the screen, or as text. Registered by `fieldsurvey.cli.central`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.cli.common import Json, command, result, say
from fieldsurvey.tui.central.desk import Desk

MODULE = "fieldsurvey.tui.central"


class NoScreenError(InputError):
    """There is no terminal to show it on."""

    code = "input.no_screen"
    template = "This needs a terminal."
    hint = "Nothing was changed. Run it in one, or have it as text: fieldsurvey central show --plain"


def register(app: typer.Typer) -> None:
    """Add `show` to the group."""

    @app.command("show")
    @command
    def show(
        *,
        plain: Annotated[bool, typer.Option("--plain", help="Print the same as text and end.")] = False,
        json_: Json = False,
    ) -> None:
        """Open central on the screen: laptops, gaps, forks, conflicts, returned work, sticks, receipts, the sync log.

        Imports a stick with progress and says of every file what became of it, puts receipts on sticks, and says
        loudly when nobody backed central up. Nothing on it can show an answer: central holds sealed records only.

        On a supervisor's laptop that is a relay: what it carries, from whom and for whom, since when.

        Example: fieldsurvey central show
        """
        desk = Desk.at(paths.home())
        if plain or json_:
            from fieldsurvey.tui.central.plain import shown  # reads every case

            data, lines = shown(desk)
            result(json_, data, "\n".join(lines))
            return
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise NoScreenError
        from fieldsurvey.cli.app import run  # only for the screen
        from fieldsurvey.tui.central.__main__ import KEPT

        status = run(plain=False, module=MODULE, kept=KEPT)
        _settle(desk)
        raise typer.Exit(status)


def _settle(desk: Desk) -> None:
    """However a relay's screen ended: what could be delivered until then, and was not, goes on its last day."""
    if not desk.relaying:
        return
    from sync.settling import settle  # only a supervisor's laptop has use for it
    from sync.waiting import erased_batches

    try:
        gone = settle(desk.relay())
    except RefusedError:  # a key that was replaced, as the screen has said
        return
    if gone:
        say(erased_batches(gone))
