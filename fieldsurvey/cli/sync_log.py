"""`fieldsurvey sync log`: what came, went and was refused here. Registered by `fieldsurvey.cli.sync`."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli.common import Json, command, result
from sync.journal import Journal, Line

SHOWN = 40
_WHAT = {
    "import": n_("import"),
    "export": n_("export"),
    "push": n_("push"),
    "receipt": n_("receipt"),
    "refusal": n_("REFUSED"),
    "erasure": n_("erasure"),
    "withdrawal": n_("withdrawal"),
    "return": n_("returned work"),
    "backup": n_("backup"),
    "project": n_("project"),
}


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
        found = list(deque(journal.lines(), maxlen=last))
        lines = [_line(line) for line in found] or [_("Nothing has come or gone here yet.")]
        result(json_, {"lines": [line.as_dict() for line in found]}, "\n".join(lines))


def _line(line: Line) -> str:
    counts = " ".join(f"{name}={count}" for name, count in line.counts.items() if count)
    parts = [line.at[:16].replace("T", " "), _(_WHAT[line.what]), line.device[:8], line.place, counts, line.code]
    return "  ".join(visible(part) for part in parts if part)
