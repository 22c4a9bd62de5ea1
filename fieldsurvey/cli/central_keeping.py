"""`fieldsurvey central backup`, `restore`, `move`. Registered by `fieldsurvey.cli.central`; the work is in `sync`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.overdue import central_key, settle_here
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.project.steward import PROJECT_FILE, read_steward
from fieldsurvey.tui.standing import local_day, moment
from sync.backups import BackupReport, RestoreReport, back_up, restore, signed_beside
from sync.central import Central
from sync.covering import Backing
from sync.importing import is_unbacked
from sync.moving import MoveReport, move_central
from sync.place import Place, central_exists, open_central


class NoCentralError(InputError):
    """Nothing was ever imported here."""

    code = "input.no_central"
    template = "There is no central in {place} yet."
    hint = "It is made by the first import: fieldsurvey sync import STICK"


class WordsError(RefusedError):
    """A project that nobody has compared with what the steward says."""

    code = "refused.project_words"
    template = "The project “{name}”, version {version}, is signed by a root with these words: {words}"
    hint = (
        "Nothing was changed. Compare them with the steward, by voice or in person, or with a laptop that joined. Are"
        " they the same? Then do it again with --words and the words in quotes."
    )


def opened_central() -> Central:
    """Central of this home, where there is one."""
    home = paths.home()
    if not central_exists(home):
        raise NoCentralError(place=str(home))
    return open_central(home)


def backup_lines(backed: Backing) -> list[str]:
    """When central was last backed up; a warning where that is too long ago, or does not count."""
    if backed.at is not None and not is_unbacked(backed, SystemClock().now()):
        return [_("Last backed up: {when}").format(when=moment(backed.at))]
    day = local_day(backed.at) if backed.at is not None else ""  # with its year: it is long ago, or to come
    if backed.at is None:
        text = _("NEVER BACKED UP: if this machine breaks, only what is still on the laptops is left.")
    elif backed.ahead:
        text = _("THE LAST BACKUP IS DATED {when}, which is to come: a clock was wrong, and it does not count.")
    elif backed.counts is False:
        text = _("THE BACKUP OF {when} DOES NOT COUNT: it was not signed with the key that central has now.")
    else:
        text = _("NOT BACKED UP SINCE {when}: newer records would be lost with this machine.")
    return [
        text.format(when=day),
        _("  Laptops keep their own copies until a backup has them: fieldsurvey central backup FOLDER"),
    ]


def register(app: typer.Typer) -> None:
    """Add the three to the group."""
    app.command("backup")(command(backup))
    app.command("restore")(command(restore_))
    app.command("move")(command(move))


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="On another disk than central.")],
    json_: Json = False,
) -> None:
    """Copy all of central into one file, checked from the bytes up and read back. Needs no passphrase.

    Imports may go on meanwhile. Only when a copy holds does it count: central's key signs what it holds, from then on
    the receipts that central gives say "backed up", and laptops may let go of their own copies after a week. Where
    central.key is not at hand it is a backup all the same, but laptops let go of nothing. Backups older than ten days
    are removed from FOLDER, so that what people withdrew is gone from them too: keep no other copies longer.

    Example: fieldsurvey central backup /media/BACKUP
    """
    signed = read_steward(paths.steward_dir()) if (paths.steward_dir() / PROJECT_FILE).exists() else None
    key = central_key(signed.model) if signed is not None else None
    with opened_central() as central, progress_bar(_("Backing up"), quiet=json_) as progress:
        if signed is not None:
            central.learn(signed.model)
        report = back_up(central, paths.home(), folder.absolute(), key=key, project=signed, progress=progress)
    result(json_, asdict(report), "\n".join(_backup_lines(report)))


def restore_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `central backup` wrote.")],
    *,
    project: Annotated[
        Path | None, typer.Option("--project", metavar="FILE", help="The signed project, from a stick or the steward.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--words", metavar="WORDS", help="The words of the project's root, in quotes.")
    ] = None,
    json_: Json = False,
) -> None:
    """Bring a backup back, into an empty central or one that has lost something. Needs no key.

    The backup is checked from the bytes up first; a damaged one is refused and nothing is changed. Nothing that is
    in central goes away. Every withdrawal that is known here is applied again.

    Whom central trusts is never taken from the backup itself: the project is the one in the steward's folder here; or,
    where central has none yet, the signed one beside the backup or named with --project, if its root has the words
    that you give.

    What was sealed after the backup comes from the laptops: there, fieldsurvey sync export --all STICK

    Example: fieldsurvey central restore /media/BACKUP/central-….db
    """
    signed = _trusted(file.absolute(), project, words)
    model = signed.model if signed is not None else None
    with progress_bar(_("Restoring"), quiet=json_) as progress:
        report = restore(file.absolute(), paths.home(), project=model, progress=progress)
    with opened_central() as central:
        settle_here(central)  # what is withdrawn is reported, and nothing of it is passed on again
    result(json_, asdict(report), "\n".join(_restore_lines(report, signed)))


def _trusted(file: Path, named: Path | None, words: str | None) -> SignedProject | None:
    """The project that a restore believes; None: the one that central here has already. Raises WordsError."""
    if (paths.steward_dir() / PROJECT_FILE).exists() and named is None:
        return read_steward(paths.steward_dir())
    there = central_exists(paths.home()) and words is None
    if named is None and (there or not signed_beside(file).exists()):
        return None
    found = read_project(named or signed_beside(file))
    if " ".join((words or "").casefold().split()) != found.words.casefold():
        raise WordsError(name=found.model.name, version=found.model.version, words=found.words)
    return found


def move(
    to: Annotated[str, typer.Option("--to", metavar="URL|PATH", help="A PostgreSQL database, or a file for SQLite.")],
    json_: Json = False,
) -> None:
    """Move all of central to PostgreSQL, when many sites write; or to a file of SQLite; either way. Needs no key.

    Imports may go on while most is copied, and wait at the end while both sides are compared byte for byte. Only
    when they are equal is the old place closed and the new one used. Interrupted, do the same again.

    A database is named without its password: libpq finds that in ~/.pgpass, or in a service file. It must be empty
    and of PostgreSQL 15 or newer. Back up the new central afterwards, then delete the old one.

    Where nothing was ever imported, the place is used from now on as it is: so further sites share one database.

    Example: fieldsurvey central move --to postgresql://central@db.example/survey
    """
    with progress_bar(_("Moving"), quiet=json_) as progress:
        report = move_central(paths.home(), Place.named(to), progress=progress)
    result(json_, asdict(report), "\n".join(_move_lines(report)))


def _backup_lines(report: BackupReport) -> list[str]:
    text = _("{path}: {records} records, {size} KB, checked and read back.")
    lines = [filled(text, path=report.path, records=report.counts.bodies, size=report.size + 1023 >> 10)]
    if not report.signed:
        lines.append(_("NOT SIGNED: central.key and the project are not here. Laptops let go of nothing after it."))
        lines.append("  " + _("Back up again where they are: in the folder steward of FIELDSURVEY_HOME."))
    if report.removed:
        many = ngettext(
            "{count} backup that was too old was removed.",
            "{count} backups that were too old were removed.",
            len(report.removed),
        )
        lines.append(many.format(count=len(report.removed)))
    if report.problem:
        lines.append(filled(_("A backup that is too old could not be removed: {problem}"), problem=report.problem))
    return lines


def _restore_lines(report: RestoreReport, project: SignedProject | None) -> list[str]:
    lines = [
        filled(
            _("{place}: {records} records, {devices} laptops; {added} rows were not here before."),
            place=report.place,
            records=report.counts.bodies,
            devices=report.counts.devices,
            added=report.added,
        ),
        _("Withdrawals applied again: {count}; records erased for them: {erased}").format(
            count=report.withdrawals, erased=report.erased
        ),
    ]
    if project is not None:
        model = project.model
        lines.append(filled(_("Project: {name}, version {version}"), name=model.name, version=model.version))
    lines += [
        _("  {device}: whole up to {seq}").format(device=device[:8], seq=seq) for device, seq in report.logs.items()
    ]
    lines.append(
        _("What was sealed later is still on the laptops. On each of them: fieldsurvey sync export --all STICK")
    )
    lines.append(_("Then back central up again: fieldsurvey central backup FOLDER"))
    return lines


def _move_lines(report: MoveReport) -> list[str]:
    if not report.old:
        text = _("Central is at {new} from now on: {records} records of {devices} laptops are there.")
        return [filled(text, new=report.new, records=report.counts.bodies, devices=report.counts.devices)]
    text = _("Central is at {new} now: {records} records of {devices} laptops, compared byte for byte.")
    return [
        filled(text, new=report.new, records=report.counts.bodies, devices=report.counts.devices),
        filled(
            _("{old} takes nothing any more, and what is withdrawn from now on is not erased in it."), old=report.old
        ),
        _("Back central up (fieldsurvey central backup FOLDER), then delete it."),
    ]
