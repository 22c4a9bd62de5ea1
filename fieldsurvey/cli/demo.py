"""`fieldsurvey demo`: a whole survey on this machine, simulated, through the public rooms only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.showcase import MARKER, Showcase, Summary

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class DemoFolderError(RefusedError):
    """The folder holds something that is not an earlier demo."""

    code = "demo.folder"
    template = "{place} is not empty and is not an earlier demo."
    hint = "Nothing was touched. Name another folder: fieldsurvey demo FOLDER"


@app.command()
@command
def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to put it; an earlier demo there is replaced.")
    ] = (Path("fieldsurvey-demo")),
    *,
    headless: Annotated[bool, typer.Option("--headless", help="Do not open the app at the end.")] = False,
    records: Annotated[int, typer.Option("--records", min=30, max=5000, help="How many interviews.")] = 300,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same answers.")] = 7,
    json_: Json = False,
) -> None:
    """See all of it in a minute: a throw-away project, three laptops, interviews, a stick, central, tables, the report.

    Everybody in it is simulated, from the forms' own constraints and choices and from weights that say so in their
    file. The passphrases are written beside the demo, which no real project would do. At the end the app opens on an
    empty interview.

    Example: fieldsurvey demo /tmp/demo --records 120 --headless
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise DemoFolderError(place=str(folder))
    summary = Showcase(folder.resolve(), records=records, seed=seed, quiet=json_).run()
    result(json_, summary.as_dict(), _text(summary))
    if not headless and not json_ and sys.stdin.isatty():
        _open_app(summary)


def _text(summary: Summary) -> str:
    lines = (
        "",
        _("{sealed} interviews were sealed on {laptops} laptops, carried on a stick, merged and opened.").format(
            sealed=summary.sealed, laptops=summary.laptops
        ),
        _("{refused} of the people asked declined or could not take part; of them only a count was kept.").format(
            refused=summary.declined
        ),
        "",
        _("The report (open it in a browser):"),
        f"  {summary.report}",
        _("The workbook of tables:"),
        f"  {summary.workbook}",
        "",
        _("The app on the demo's first laptop (its passphrase is in {file}):").format(file=summary.passphrase_file),
        f"  FIELDSURVEY_HOME={summary.home} fieldsurvey",
    )
    return "\n".join(lines)


def _open_app(summary: Summary) -> None:
    from fieldsurvey.cli import app as front  # start-up: the screen loads only when it is to be shown

    os.environ["FIELDSURVEY_HOME"] = str(summary.home)
    os.environ["FIELDSURVEY_PASSPHRASE_FILE_DEVICE"] = str(summary.passphrase_file)
    raise typer.Exit(front.run(plain=False, start="needs"))
