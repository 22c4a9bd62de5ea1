"""`fieldsurvey device`: this laptop in its project: joining, the people who share it, checking what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import RefusedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, command, passphrase, result
from fieldsurvey.cli.device_custody import custody_app
from fieldsurvey.cli.device_people import people
from fieldsurvey.cli.device_words import confirm_words, new_passphrase, only_person
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.enrolment import write_card, write_card_near
from fieldsurvey.fieldwork.laptop import VAULT, check_person
from fieldsurvey.project.signed import read_project
from fieldsurvey.vault import VerifyReport, open_locked, verify_log, verify_vault
from fieldsurvey.vault.errors import NoVaultError
from sync.stick import Stick

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="This laptop in its project: join, the people who share it, verify, backup and restore, its end. State lives"
    " under FIELDSURVEY_HOME.",
)
app.add_typer(people, name="people")
app.add_typer(custody_app)


class DamageFoundError(RefusedError):
    """`device verify` found something."""

    code = "refused.damage"
    template = "{count} faults found:\n{faults}"
    hint = "Nothing was changed. Export what is sealed, copy the whole folder, and show this to the project's steward."


@app.command()
@command
def join(
    project_file: Annotated[
        Path, typer.Argument(metavar="STICK", help="The steward's stick, or the project's file (.fsp) itself.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="What people call this laptop.")] = "",
    person: Annotated[str, typer.Option("--person", help="The enumerator's code, as the project lists it.")] = "",
    card: Annotated[
        Path | None,
        typer.Option("--card", metavar="FILE", help="Where to write the card for the steward [default: on the stick]."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The project's words have been compared already.")] = False,
    json_: Json = False,
) -> None:
    """Join a project, or take a newer version of the one joined.

    Makes this laptop's keys and a passphrase of six words, which is shown once. Writes a card (a file whose name ends
    in .fsd) to hand to the steward, who enrols it: on the stick, beside the project's file where that was named, or in
    this laptop's own folder where neither can be written. It says where. Interviewing may begin at once. With a newer
    file of the same project only that file is replaced.

    Example: fieldsurvey device join /media/STICK --person E01
    """
    stick = project_file if project_file.is_dir() else project_file.parent
    data = _read(Stick(project_file).project if project_file.is_dir() else project_file)
    home = paths.home()
    if _joined(home):
        project = Laptop.open(home, SystemClock()).update(data)
        text = _("{name} is now at version {version}. Drafts and sealed records are as they were.")
        model = project.model
        result(
            json_,
            {"project": model.id, "version": model.version, "updated": True},
            filled(text, name=model.name, version=model.version),
        )
        return
    project = read_project(data)
    who = person or only_person(project)
    check_person(project, who)
    confirm_words(project, yes=yes)
    words = new_passphrase("DEVICE", who, project.model.policy.passphrase_bits)
    laptop = Laptop.join(
        home, data, device_name=name or _("Laptop of {person}").format(person=who), person=who, passphrase=words,
        clock=SystemClock(),
    )  # fmt: skip
    written = (write_card(laptop, card) if card else write_card_near(laptop, stick)).absolute()
    status = laptop.status()
    text = _(
        "Joined {project} as {device} for {person}.\nHand this card to the steward; it is in {card}\nStart: fieldsurvey"
    )
    result(
        json_,
        {"project": project.model.id, "device": status.device, "name": status.name, "person": who, "card": str(written),
         "updated": False},
        filled(text, project=project.model.name, device=status.name, person=who, card=written),
    )  # fmt: skip


@app.command()
@command
def card(
    out: Annotated[
        Path | None, typer.Argument(help="Where to write it; by default here, named after the laptop.")
    ] = None,
    json_: Json = False,
) -> None:
    """Write this laptop's card again: its public keys, signed by itself, for the steward to enrol."""
    laptop = Laptop.open(paths.home(), SystemClock())
    written = write_card(laptop, out or Path()).absolute()
    device = laptop.locked.device_card().device
    result(json_, {"device": device, "card": str(written)}, _("The card is in {card}.").format(card=written))


@app.command()
@command
def verify(
    locked: Annotated[bool, typer.Option("--locked", help="Without a passphrase: the log and records only.")] = False,
    json_: Json = False,
) -> None:
    """Check everything this laptop holds: every hash and signature of the log, every record, every encrypted draft."""
    vault = open_locked(paths.home() / VAULT)
    if locked:
        report = verify_log(vault)
    else:
        with vault.unlock(passphrase("DEVICE", _("Your passphrase"))) as unlocked:
            report = verify_vault(unlocked)
    if not report.whole:
        faults = [f"  {found.part} {found.where}: {found.reason}" for found in report.findings]
        raise DamageFoundError(count=len(report.findings), faults=faults)
    result(json_, _report(report), _verified(report))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error(error, path) from error


def _joined(home: Path) -> bool:
    if not (home / VAULT).exists():
        return False
    try:
        open_locked(home / VAULT).close()
    except NoVaultError:  # a join that was cut off
        return False
    return True


def _report(report: VerifyReport) -> dict[str, int | bool]:
    return {
        "whole": report.whole,
        "entries": report.entries,
        "records": report.records,
        "purged": report.purged,
        "former_logs": report.former,
        "people": report.slots,
        "drafts": report.drafts,
        "changes": report.changes,
        "unchecked_drafts": report.unchecked,
    }


def _verified(report: VerifyReport) -> str:
    text = _(
        "Whole: {entries} log entries with their signatures, {records} sealed records, {drafts} drafts with {changes}"
        " changes."
    ).format(entries=report.entries, records=report.records, drafts=report.drafts, changes=report.changes)
    if report.former:
        text += "\n" + _("Former logs, which still export: {count}.").format(count=report.former)
    if report.purged:
        gone = _("Body removed, as central has it or the person withdrew: {count}; their entries are whole.")
        text += "\n" + gone.format(count=report.purged)
    if report.unchecked:
        text += "\n" + _("Not checked: {count} drafts that only other people can open.").format(count=report.unchecked)
    return text
