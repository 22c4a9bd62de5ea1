"""`fieldsurvey sync`: sticks between laptops, supervisors and central. Thin: the work is done in the `sync` room."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, StorageError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled
from fieldsurvey.cli import sync_http, sync_log, sync_relay
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.cli.sync_words import (
    export_data,
    export_lines,
    import_data,
    import_lines,
    receipts_data,
    received_lines,
    record_lines,
    status_data,
    status_lines,
)
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.backup_places import stale_backups
from fieldsurvey.fieldwork.clocks import clock_warning
from fieldsurvey.fieldwork.standing import sealed_cards
from fieldsurvey.fieldwork.withdrawals import overdue_at
from fieldsurvey.project.keys import CENTRAL, read_role_key
from fieldsurvey.project.steward import read_steward
from fieldsurvey.tui.withdrawing import overdue_lines, stale_lines
from sync.drives import removable_drives
from sync.folder import ReceiptsReport, collect, export_batches
from sync.journal import Journal
from sync.stick import Stick, there

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Carry sealed records on a stick, without a network.

    On a laptop: `fieldsurvey sync export STICK`. At central: `fieldsurvey sync import STICK`; it puts receipts on the
    same stick. Back at the laptop: `fieldsurvey sync import STICK` takes them. In between, nothing on the stick can be
    read by anybody but the HMU, and no step loses anything when it is interrupted or repeated.

    A supervisor who carries for many laptops: `fieldsurvey sync import STICK --relay` takes what is on their sticks,
    `fieldsurvey sync export STICK --relay` hands it on. `fieldsurvey sync log` says what came and went.""",
)

StickArgument = Annotated[
    Path | None,
    typer.Argument(metavar="STICK", help="The stick's folder. Left out, the only stick plugged in is taken."),
]

RelayOption = Annotated[
    bool, typer.Option("--relay", help="On a supervisor's laptop: what is carried for other people's.")
]
RECORDS = 200
"""Shown by `sync status --records`."""


class WhichStickError(InputError):
    """No stick was named, and there is none or more than one."""

    code = "input.which_stick"
    template = "Which stick? {found}"
    hint = "Nothing was changed. Plug one in, or name its folder: fieldsurvey sync export /media/STICK"


@app.command("export")
@command
def export(
    stick: StickArgument = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="From the first record on, also what central has confirmed.")
    ] = False,
    relay: RelayOption = False,
    json_: Json = False,
) -> None:
    """Copy what is sealed on this laptop and not yet confirmed by central to a stick. Needs no passphrase.

    Takes receipts and a newer project from the stick first. The free space is looked at before. Each batch is written
    whole, read back and compared before it counts as copied; if the stick is full or is pulled out, nothing is lost: do
    it again. The records stay here too.

    With --relay, on a supervisor's laptop: hand on everything that is carried for others, with receipts, returned work
    and withdrawals. It stays here until central's receipt comes back.

    Example: fieldsurvey sync export /media/STICK

    On a supervisor's laptop: fieldsurvey sync export /media/STICK --relay
    """
    if relay:
        sync_relay.hand_on_to(lambda: _stick(stick), json_=json_)
        return
    place = there(_stick(stick))
    laptop = Laptop.open(paths.home(), SystemClock())
    received = collect(laptop, place) if Stick(place).root.is_dir() else ReceiptsReport()
    with progress_bar(_("Copying"), quiet=json_) as progress:
        report = export_batches(laptop.locked, place, progress=progress, everything=everything)
    doubt = clock_warning(laptop.project, laptop.locked.signed_time(), laptop.clock.now())
    data = {**export_data(report), "received": receipts_data(received), "clock_warning": doubt}
    result(json_, data, "\n".join([*received_lines(received), *export_lines(report), *([doubt] if doubt else [])]))


@app.command("import")
@command
def import_(
    stick: StickArgument = None,
    *,
    relay: RelayOption = False,
    key: Annotated[
        Path | None, typer.Option("--key", help="With --relay: a new supervisor.key, when it is not on the stick.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --relay: the project's words have been compared already.")
    ] = False,
    json_: Json = False,
) -> None:
    """At central: merge every batch on a stick. On a laptop: take receipts, returned work, and a newer project.

    Central is where the steward's folder in FIELDSURVEY_HOME has a central.key. There each batch is verified whole; one
    that is truncated or altered is refused by name and leaves central as it was, the others merge. Importing twice
    changes nothing. Receipts, returned work and the project go back on the stick. Exit 1 if a file was refused.

    With --relay, on a supervisor's laptop: take the batches of other people's laptops, each whole or not at all, put
    signed `received` receipts on the same stick, and forget what central's receipts say it has. The first time, the
    stick on which the steward has put the key makes this laptop a supervisor's.

    Example: fieldsurvey sync import /media/STICK

    On a supervisor's laptop: fieldsurvey sync import /media/STICK --relay
    """
    place = _stick(stick)
    if relay:
        sync_relay.take_from(place, key, yes=yes, json_=json_)
    elif (paths.steward_dir() / CENTRAL).exists():
        _import_at_central(place, json_=json_)
    else:
        report = collect(Laptop.open(paths.home(), SystemClock()), place)
        lines = received_lines(report) or [filled(_("Nothing new for this laptop on {place}."), place=place)]
        result(json_, {"role": "laptop", "place": str(place), **receipts_data(report)}, "\n".join(lines))
        if report.project_problem or report.refused:
            raise typer.Exit(1)


@app.command("status")
@command
def status(
    *,
    records: Annotated[
        bool, typer.Option("--records", help="Record by record, the newest first, with where its copies lie.")
    ] = False,
    json_: Json = False,
) -> None:
    """What of this laptop's work is sealed, copied, received and acknowledged, since when not, and where copies lie.

    On a supervisor's laptop also what is carried for others.

    Example: fieldsurvey sync status --records
    """
    home, drives = paths.home(), removable_drives()
    carried = sync_relay.carried(home)
    if carried is not None and not paths.vault_path().exists():
        result(json_, {"relay": carried.data}, "\n".join(carried.lines))
        return
    laptop = Laptop.open(home, SystemClock())
    found = laptop.status()
    waiting = found.former_waiting + found.sealed - max(found.received, found.acknowledged)
    pushed = _last_push(home, found.device)
    lines = status_lines(found, drives, waiting, pushed)
    data = status_data(found, drives, waiting, pushed)
    if records:
        cards = sealed_cards(laptop.locked, RECORDS)
        lines += record_lines(cards)
        data["records"] = [asdict(card) for card in cards]
    if carried is not None:
        lines += carried.lines
        data["relay"] = carried.data
    today = laptop.clock.now().date()
    late, stale = overdue_at(laptop.locked, laptop.project.model, today), stale_backups(laptop.locked, today)
    data |= {"overdue": [asdict(one) for one in late], "stale_backups": [asdict(one) for one in stale]}
    result(json_, data, "\n".join([*lines, *overdue_lines(late), *stale_lines(stale)]))


def _last_push(home: Path, device: str) -> tuple[str, str] | None:
    """To which server this laptop sent something last, and when, as far as the sync log still knows."""
    found = None
    try:
        for line in Journal(home).lines():
            if line.what == "push" and line.role == "laptop" and line.device == device and line.counts.get("sent"):
                found = line.place, line.at
    except StorageError:  # a log that cannot be read must not hide how the work stands
        return None
    return found


def _import_at_central(place: Path, *, json_: bool) -> None:
    # start-up: central's store loads sqlite-utils, which a laptop's export does not need
    from sync.importing import import_folder
    from sync.place import open_central

    home, folder = paths.home(), paths.steward_dir()
    key = read_role_key(folder / CENTRAL).key
    with open_central(home) as central, progress_bar(_("Merging"), quiet=json_) as progress:
        report = import_folder(central, place, read_steward(folder), key, progress, home=home)
    result(json_, import_data(report), "\n".join(import_lines(report)))
    if report.refused:
        raise typer.Exit(1)


def _stick(given: Path | None) -> Path:
    if given is not None:
        return given.absolute()
    drives = removable_drives()
    if len(drives) == 1:
        return drives[0].path
    found = ", ".join(str(drive.path) for drive in drives) or _("none is plugged in")
    raise WhichStickError(found=found)


sync_log.register(app)  # last: in `--help` they stand after what is used every day
sync_http.register(app)
