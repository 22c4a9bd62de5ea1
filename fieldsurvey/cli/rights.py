"""`fieldsurvey rights`: somebody comes with the code of a slip, to know what is held, or to have it erased."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, agreed, command, result
from fieldsurvey.cli.rights_errors import NotConfirmedErasureError, WhichRightError
from fieldsurvey.cli.rights_here import Here
from fieldsurvey.fieldwork.codes import read_code
from sync.withdrawals import export_withdrawals

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
_ACTIONS = ("access", "erase")


@app.command()
@command
def rights(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[CODE] access|erase", help="The slip's code or its seven words; left out, it is asked."
        ),
    ],
    *,
    to: Annotated[Path | None, typer.Option("--to", help="A stick: put every withdrawal entered here on it.")] = None,
    project: Annotated[
        Path | None, typer.Option("--project", help="The project's file, where there is no laptop.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking once more.")] = False,
    json_: Json = False,
) -> None:
    """What is held here about a code (access), or withdraw it and erase what is here (erase).

    Whoever brings the code may use it, at any place: a laptop, a supervisor's relay, central, the HMU. `access` never
    shows an answer: it says which records there are, how far they got, where copies went, and once it is withdrawn,
    place by place, what was erased when and what is still to come. `erase` excludes the case at once, erases its
    records here, and enters a withdrawal that travels with every copy to a stick, so that other places erase it too,
    within the policy's days. It needs no passphrase, but for the rounds that are opened at the HMU: there it asks for
    it. Without the code on the command line it is asked for, and stays out of the shell's history.

    Examples:

    fieldsurvey rights access

    fieldsurvey rights 0ABC-DEFG-HJKM-NPQR-S erase

    fieldsurvey rights erase --to /media/STICK
    """
    *typed, asked = words
    if asked.casefold() not in _ACTIONS:
        raise WhichRightError
    code = read_code(" ".join(typed) if typed else _ask())
    here = Here(project)
    if asked.casefold() == "access":
        data, lines = here.access(code)
        result(json_, data, "\n".join(lines))
        return
    if not yes and sys.stdin.isatty() and not agreed(_("Erase this case for good, here and everywhere?")):
        raise NotConfirmedErasureError
    done = here.erase(code)
    written = export_withdrawals(here.home, to) if to is not None else 0
    if to is not None:
        text = ngettext(
            "{count} withdrawal was written to {place}.", "{count} withdrawals were written to {place}.", written
        )
        done.lines.append(text.format(count=written, place=to))
    result(json_, {**done.data(), "written": written}, "\n".join(done.lines))


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return getpass.getpass(_("The code on the slip, or its seven words (not shown): "))
