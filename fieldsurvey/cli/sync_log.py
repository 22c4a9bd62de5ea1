"""`fieldsurvey sync log`: what came, went and was refused here. Registered by `fieldsurvey.cli.sync`."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.fieldwork import Laptop
from sync.journal import Journal

SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add `log` to the group."""

    @app.command("log")
    @command
    def log(
        *,
        table: Annotated[Path | None, typer.Option("--csv", help="Write all of it to this file, as a table.")] = None,
        last: Annotated[int, typer.Option("--last", min=1, help="How many lines to show.")] = SHOWN,
        json_: Json = False,
    ) -> None:
        """Every import, export, push, receipt, refusal, erasure and backup at this place: when, where, whose, how many.

        It names sticks, laptops and counts; never a person or an answer. The oldest lines go when it has grown long.

        Example: fieldsurvey sync log --csv log.csv
        """
        journal = Journal(paths.home())
        if table is not None:
            text = journal.as_csv()
            write_atomic(table, text.encode("utf-8", "replace"))
            count = len(list(journal.lines()))
            said = ngettext("{count} line written to {path}.", "{count} lines written to {path}.", count)
            result(json_, {"lines": count, "path": str(table)}, filled(said, count=count, path=table))
            return
        from fieldsurvey.tui.central.journal import log_cells  # start-up: see `_names`

        found = list(deque(journal.lines(), maxlen=last))
        names = {} if json_ or not found else _names(paths.home())
        lines = ["  ".join(log_cells(line, names, place=None)) for line in found]
        lines = lines or [_("Nothing has come or gone here yet.")]
        result(json_, {"lines": [line.as_dict() for line in found]}, "\n".join(lines))


def _names(home: Path) -> dict[str, str]:
    """Laptop -> its name in the project that is trusted here; what cannot be read must not hide the log."""
    from fieldsurvey.tui.central.desk import Desk  # start-up: central's store, which a laptop's export does not need

    desk = Desk(home, SystemClock())
    try:
        if desk.begun or desk.relaying:
            return desk.names()
        laptop = Laptop.open(home, SystemClock())
        card = laptop.locked.device_card()
        return {**{device.id: device.name for device in laptop.project.model.devices}, card.device: card.name}
    except FieldsurveyError:
        return {}
