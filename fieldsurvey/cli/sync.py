"""`fieldsurvey sync`: sticks between laptops and central. Thin: the work is done in the `sync` room."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, Rendered
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.clocks import clock_warning
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import CENTRAL, read_role_key
from fieldsurvey.project.steward import read_steward
from sync.drives import Drive, removable_drives
from sync.folder import ExportReport, ReceiptsReport, collect, export_batches
from sync.stick import Stick
from sync.withdrawals import export_withdrawals, keep_withdrawals

if TYPE_CHECKING:  # see _import_at_central
    from sync.importing import ImportReport

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Carry sealed records on a stick, without a network.

    On a laptop: `fieldsurvey sync export STICK`. At central: `fieldsurvey sync import STICK`; it puts receipts on the
    same stick. Back at the laptop: `fieldsurvey sync import STICK` takes them. In between, nothing on the stick can be
    read by anybody but the HMU, and no step loses anything when it is interrupted or repeated.""",
)

StickArgument = Annotated[
    Path | None,
    typer.Argument(metavar="STICK", help="The stick's folder. Left out, the only stick plugged in is taken."),
]


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
    json_: Json = False,
) -> None:
    """Copy what is sealed on this laptop and not yet confirmed to a stick. Needs no passphrase.

    Takes receipts and a newer project from the stick first. Each batch is written whole, read back and compared before
    it counts as copied; if the stick is full or is pulled out, nothing is lost: do it again. The records stay here too.

    Example: fieldsurvey sync export /media/STICK
    """
    place = _stick(stick)
    laptop = Laptop.open(paths.home(), SystemClock())
    received = collect(laptop, place) if Stick(place).root.is_dir() else ReceiptsReport()
    with progress_bar(_("Copying"), quiet=json_) as progress:
        report = export_batches(laptop.locked, place, progress=progress, everything=everything)
    doubt = clock_warning(laptop.project, laptop.locked.signed_time(), laptop.clock.now())
    data = {**_export_data(report), "received": _receipts_data(received), "clock_warning": doubt}
    result(json_, data, "\n".join([*_received_lines(received), *_export_lines(report), *([doubt] if doubt else [])]))


@app.command("import")
@command
def import_(stick: StickArgument = None, json_: Json = False) -> None:
    """At central: merge every batch on a stick. On a laptop: take receipts, and a newer project.

    Central is where the steward's folder in FIELDSURVEY_HOME has a central.key. There each batch is verified whole; one
    that is truncated or altered is refused by name and leaves central as it was, the others merge. Importing twice
    changes nothing. Receipts and the project go back on the stick. Exit 1 if a file was refused.

    Example: fieldsurvey sync import /media/STICK
    """
    place = _stick(stick)
    if (paths.steward_dir() / CENTRAL).exists():
        _import_at_central(place, json_=json_)
    else:
        report = collect(Laptop.open(paths.home(), SystemClock()), place)
        lines = _received_lines(report) or [_("Nothing new for this laptop on {place}.").format(place=place)]
        result(json_, {"role": "laptop", "place": str(place), **_receipts_data(report)}, "\n".join(lines))
        if report.project_problem:
            raise typer.Exit(1)


@app.command("status")
@command
def status(json_: Json = False) -> None:
    """What of this laptop's work is sealed, copied and confirmed, and which sticks are plugged in.

    Example: fieldsurvey sync status --json
    """
    found = Laptop.open(paths.home(), SystemClock()).status()
    drives = removable_drives()
    lines = [
        f"{found.name}, {found.project} ({_('version')} {found.project_version})",
        _("  {count} sealed on this laptop").format(count=found.sealed),
        _("  {count} copied{where}").format(count=found.copied, where=_where(found.last_copied)),
    ]
    if found.received > found.acknowledged:
        lines.append(_("  {count} received by a supervisor's laptop").format(count=found.received))
    when = _when(found.last_receipt)
    lines.append(_("  {count} acknowledged by central{when}").format(count=found.acknowledged, when=when))
    if found.removed:
        lines.append(_("  {count} of them acknowledged, body removed").format(count=found.removed))
    if found.former:
        text = _("  {count} from before this laptop's new vault or restore, {waiting} of them not acknowledged")
        lines.append(text.format(count=found.former, waiting=found.former_waiting))
    waiting = found.former_waiting + found.sealed - max(found.received, found.acknowledged)
    if waiting:
        lines.append(
            ngettext(
                "{count} record exists only on this laptop and on the sticks it was copied to.",
                "{count} records exist only on this laptop and on the sticks they were copied to.",
                waiting,
            ).format(count=waiting)
        )
    if found.enrolment == "unknown":
        lines.append(_("This laptop is not enrolled yet: central keeps what it sends aside until it is."))
    lines += [_drive_line(drive) for drive in drives]
    data = {**asdict(found), "not_confirmed": waiting, "drives": [_drive_data(drive) for drive in drives]}
    result(json_, data, "\n".join(lines))


def _import_at_central(place: Path, *, json_: bool) -> None:
    # start-up: central's store loads sqlite-utils, which a laptop's export does not need
    from sync.central import Central
    from sync.importing import import_folder

    folder = paths.steward_dir()
    key = read_role_key(folder / CENTRAL).key
    project = read_steward(folder)
    with Central.open(paths.central_path()) as central, progress_bar(_("Merging"), quiet=json_) as progress:
        report = import_folder(central, place, project, key, progress)
        keep_withdrawals(paths.home(), project.model.id, place)
        for tombstone in Withdrawals(paths.home()):
            if tombstone.project == project.model.id:
                central.withdraw(tombstone)
    if report.stick_problem is None:
        export_withdrawals(paths.home(), place)
    result(json_, _import_data(report), "\n".join(_import_lines(report)))
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


def _export_data(report: ExportReport) -> dict[str, Any]:
    return {**asdict(report), "written": report.written, "present": report.present}


def _export_lines(report: ExportReport) -> list[str]:
    if report.head == report.after and not report.files:
        if not report.head:
            return [_("Nothing is sealed on this laptop yet: there is nothing to copy.")]
        return [_("All {count} records are confirmed already: there is nothing to copy.").format(count=report.head)]
    lines = []
    if report.written:
        lines.append(
            ngettext(
                "{count} record copied to {place}, read back and compared.",
                "{count} records copied to {place}, read back and compared.",
                report.written,
            ).format(count=report.written, place=report.place)
        )
    if report.present:
        lines.append(
            ngettext(
                "{count} record was on it already, whole.", "{count} records were on it already, whole.", report.present
            ).format(count=report.present)
        )
    if report.left_out:
        entries = ", ".join(str(seq) for seq in report.left_out)
        lines.append(
            _("Not copied, damaged on this laptop: {entries}. Tell the project's steward.").format(entries=entries)
        )
    lines.append(_("They stay on this laptop until central says that it holds them. The stick can be taken out."))
    return lines


def _receipts_data(report: ReceiptsReport) -> dict[str, Any]:
    return {
        "receipts": [receipt.model_dump(mode="json") for receipt in report.taken],
        "ignored": [asdict(item) for item in report.ignored],
        "project_version": report.project.model.version if report.project else None,
        "project_problem": report.project_problem.as_dict() if report.project_problem else None,
    }


def _received_lines(report: ReceiptsReport) -> list[str]:
    lines = []
    words = {
        "received": _("A supervisor's laptop holds your records up to {up_to}."),
        "committed": _("Central holds your records up to {up_to}."),
        "backed_up": _("Central holds your records up to {up_to}, backed up."),
    }
    lines += [words[receipt.level.value].format(up_to=receipt.up_to) for receipt in report.taken]
    if report.project:
        model = report.project.model
        text = _("The project {name} is now at version {version}.")
        lines.append(text.format(name=model.name, version=model.version))
    lines += [f"{item.name}: {item.reason}" for item in report.warnings]
    if report.project_problem:
        lines.append(report.project_problem.as_text())
    return lines


def _import_data(report: ImportReport) -> dict[str, Any]:
    return {
        "role": "central",
        "place": report.place,
        "new": report.new,
        "refused": len(report.refused),
        "files": [asdict(file) for file in report.files],
        "aside": list(report.aside),
        "receipts": [receipt.model_dump(mode="json") for receipt in report.receipts],
        "project": report.project,
        "stick_problem": _problem(report.stick_problem),
    }


def _import_lines(report: ImportReport) -> list[str]:
    words = {
        "merged": _("{name}: {new} new of {device_name}, entries {first} to {last}"),
        "present": _("{name}: nothing new of {device_name}, entries {first} to {last}"),
        "refused": _("{name}: REFUSED. {reason} Central is as it was."),
        "ignored": _("{name}: left aside, {reason}"),
    }
    lines = [words[file.outcome].format(**asdict(file)) for file in report.files]
    total = ngettext("{count} new record merged.", "{count} new records merged.", report.new)
    lines.append(total.format(count=report.new))
    if report.refused:
        text = ngettext("{count} file was refused.", "{count} files were refused.", len(report.refused))
        lines.append(text.format(count=len(report.refused)))
    if report.aside:
        names = ", ".join(report.aside)
        lines.append(_("Kept aside until the steward enrols them: {names}.").format(names=names))
    if report.receipts:
        text = ngettext("{count} receipt is on the stick.", "{count} receipts are on the stick.", len(report.receipts))
        lines.append(text.format(count=len(report.receipts)))
    if report.project == "newer":
        lines.append(_("The stick carries a newer project than this one: it was left there."))
    if report.stick_problem:
        lines.append(_("What was merged is safe, but receipts could not be put on the stick:"))
        lines.append(report.stick_problem.as_text())
    return lines


def _problem(problem: Rendered | None) -> dict[str, str] | None:
    return problem.as_dict() if problem else None


def _where(copied: tuple[str, str] | None) -> str:
    return _(", last to {place} on {at}").format(place=copied[0], at=copied[1]) if copied else ""


def _when(issued: str | None) -> str:
    return _(", last on {at}").format(at=issued) if issued else ""


def _drive_line(drive: Drive) -> str:
    text = _("Stick {path}: {free} MB free of {total} MB")
    return text.format(path=drive.path, free=drive.free >> 20, total=drive.total >> 20)


def _drive_data(drive: Drive) -> dict[str, Any]:
    return {**asdict(drive), "path": str(drive.path)}
