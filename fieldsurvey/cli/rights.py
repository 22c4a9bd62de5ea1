"""`fieldsurvey rights`: somebody comes with the code of a slip, to know what is held, or to have it erased."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.codes import read_code
from fieldsurvey.fieldwork.withdrawals import Withdrawals, access, withdraw
from fieldsurvey.project.signed import read_project
from fieldsurvey.project.steward import PROJECT_FILE
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.withdrawing import access_lines, erased_lines
from sync.central import Central
from sync.withdrawals import export_withdrawals

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
_ACTIONS = ("access", "erase")


class WhichRightError(InputError):
    """Neither access nor erase was asked for."""

    code = "input.which_right"
    template = "Say what the person asks for, after the code: access or erase."
    hint = "Nothing was changed. For example: fieldsurvey rights 0ABC-DEFG-HJKM-NPQR-S erase"


class NoPlaceError(InputError):
    """Neither a laptop nor a project is here."""

    code = "input.no_place"
    template = "There is neither a laptop's vault nor a project in {place}."
    hint = "Nothing was changed. Name the project's file: --project PROJECT.fsp"


class OnlyOnLaptopError(InputError):
    """Access where no laptop is."""

    code = "input.access_on_laptop"
    template = "There is no laptop's vault in {place} in which to look."
    hint = "Nothing was changed. `erase` works everywhere: it enters the withdrawal, and sticks carry it."


class NotConfirmedErasureError(RefusedError):
    """The question before erasing was not answered with yes."""

    code = "refused.erasure_not_confirmed"
    template = "Nothing was erased: it was not confirmed."
    hint = "Nothing was changed."


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
    """What is held here about a code (access), or withdraw it and erase what is here (erase). Needs no passphrase.

    Whoever brings the code may use it. `access` never shows an answer: it says which records there are, how far they
    got and where copies went. `erase` excludes the case at once, erases its records here, and enters a withdrawal that
    travels with every copy to a stick, so that other places erase it too. Without the code on the command line it is
    asked for, and stays out of the shell's history.

    Examples:

    fieldsurvey rights access

    fieldsurvey rights 0ABC-DEFG-HJKM-NPQR-S erase

    fieldsurvey rights erase --to /media/STICK
    """
    *typed, asked = words
    if asked.casefold() not in _ACTIONS:
        raise WhichRightError
    code = read_code(" ".join(typed) if typed else _ask())
    if asked.casefold() == "access":
        _access(code, json_=json_)
    else:
        _erase(code, project, to, yes=yes, json_=json_)


def _access(code: WithdrawalCode, *, json_: bool) -> None:
    if not paths.vault_path().exists():
        raise OnlyOnLaptopError(place=str(paths.home()))
    found = access(Laptop.open(paths.home(), SystemClock()).locked, code)
    data = {"requested": found.requested, "held": [asdict(held) for held in found.held]}
    result(json_, data, "\n".join(access_lines(found)))


def _erase(code: WithdrawalCode, project: Path | None, to: Path | None, *, yes: bool, json_: bool) -> None:
    home, today = paths.home(), SystemClock().now().date()
    laptop = Laptop.open(home, SystemClock()) if paths.vault_path().exists() else None
    project_id = laptop.locked.device_card().project if laptop else _project_id(project)
    if not yes and sys.stdin.isatty() and not typer.confirm(_("Erase this case for good, here and everywhere?")):
        raise NotConfirmedErasureError
    if laptop is not None:
        done = withdraw(laptop.locked, code, today)
        bodies, new, requested, lines = done.bodies, done.new, done.tombstone.requested, erased_lines(done)
    else:
        bodies, new, requested, lines = 0, *_enter(home, project_id, code, today)
    written = export_withdrawals(home, to) if to is not None else 0
    if to is not None:
        text = ngettext(
            "{count} withdrawal was written to {place}.", "{count} withdrawals were written to {place}.", written
        )
        lines.append(text.format(count=written, place=to))
    data = {"new": new, "requested": requested, "records_erased": bodies, "written": written}
    result(json_, data, "\n".join(lines))


def _enter(home: Path, project: str, code: WithdrawalCode, today: date) -> tuple[bool, str, list[str]]:
    """Where there is no laptop: kept, to be carried."""
    kept = Withdrawals(home)
    new = kept.enter(Tombstone(project=project, code=code.raw, requested=today.isoformat()))
    found = kept.find(code.tag(project))
    if found is not None and paths.central_path().exists():
        with Central.open(paths.central_path()) as central:  # excluded at once; what is opened next leaves it out
            central.withdraw(found)
    requested = found.requested if found is not None else today.isoformat()
    text = _("The withdrawal is entered as of {day}. Put it on the sticks that go out: --to STICK")
    return new, requested, [text.format(day=requested)]


def _project_id(project: Path | None) -> str:
    for path in (project, paths.steward_dir() / PROJECT_FILE, paths.pinned_project_path()):
        if path is not None and (path is project or path.exists()):
            return read_project(path).model.id
    raise NoPlaceError(place=str(paths.home()))


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return getpass.getpass(_("The code on the slip, or its seven words (not shown): "))
