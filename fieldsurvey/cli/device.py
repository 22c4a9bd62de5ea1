"""`fieldsurvey device`: this laptop in its project: joining, the people who share it, checking what it holds."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, command, passphrase, result
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.enrolment import write_card
from fieldsurvey.fieldwork.laptop import VAULT, check_person, slot_params
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.words import check_strength, generate_passphrase, normalise_passphrase
from fieldsurvey.vault import VerifyReport, open_locked, verify_log, verify_vault
from fieldsurvey.vault.errors import NoVaultError, SlotsFullError
from sync.stick import Stick

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="This laptop in its project: join, the people who share it, verify. State lives under FIELDSURVEY_HOME.",
)
people = typer.Typer(no_args_is_help=True, help="Who can unlock this laptop: up to eight people, a passphrase each.")
app.add_typer(people, name="people")


class NotConfirmedError(RefusedError):
    """The steward's words were not confirmed."""

    code = "refused.not_confirmed"
    template = "The project was not joined: its words were not confirmed."
    hint = "Nothing was changed. Compare the words with the steward, by voice or in person, and join again."


class NotTypedBackError(InputError):
    """The new passphrase was not typed back."""

    code = "input.not_typed_back"
    template = "The passphrase was not typed back as shown."
    hint = "Nothing was changed. Write the six words down, and try again."


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
    card: Annotated[Path | None, typer.Option("--card", help="Where to write the card for the steward.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The project's words have been compared already.")] = False,
    json_: Json = False,
) -> None:
    """Join a project, or take a newer version of the one joined.

    Makes this laptop's keys and a passphrase of six words, which is shown once. Writes a card to hand to the steward,
    who enrols it; interviewing may begin at once. With a newer file of the same project only that file is replaced.

    Example: fieldsurvey device join /media/STICK --person E01
    """
    data = _read(Stick(project_file).project if project_file.is_dir() else project_file)
    home = paths.home()
    if _joined(home):
        project = Laptop.open(home, SystemClock()).update(data)
        text = _("{name} is now at version {version}. Drafts and sealed records are as they were.")
        model = project.model
        result(
            json_,
            {"project": model.id, "version": model.version, "updated": True},
            text.format(name=model.name, version=model.version),
        )
        return
    project = read_project(data)
    who = person or _only_person(project)
    check_person(project, who)
    _confirm(project, yes=yes)
    words = _new_passphrase("DEVICE", who, project.model.policy.passphrase_bits)
    laptop = Laptop.join(
        home, data, device_name=name or _("Laptop of {person}").format(person=who), person=who, passphrase=words,
        clock=SystemClock(),
    )  # fmt: skip
    written = write_card(laptop, card or Path())
    status = laptop.status()
    text = _("Joined {project} as {device} for {person}.\nHand this card to the steward: {card}\nStart: fieldsurvey")
    result(
        json_,
        {"project": project.model.id, "device": status.device, "name": status.name, "person": who, "card": str(written),
         "updated": False},
        text.format(project=project.model.name, device=status.name, person=who, card=written),
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
    written = write_card(laptop, out or Path())
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
        faults = "\n".join(f"  {found.part} {found.where}: {found.reason}" for found in report.findings)
        raise DamageFoundError(count=len(report.findings), faults=faults)
    result(json_, _report(report), _verified(report))


@people.command("list")
@command
def people_list(json_: Json = False) -> None:
    """Who can unlock this laptop, and how many unfinished drafts only they can open. Asks for your passphrase."""
    with open_locked(paths.home() / VAULT).unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
        listed = vault.people.listed()
    line = _("{slot}  {person}  {drafts} drafts")
    result(
        json_,
        {"people": [{"slot": one.slot, "person": one.person, "drafts": one.drafts} for one in listed]},
        "\n".join(line.format(slot=one.slot, person=one.person, drafts=one.drafts) for one in listed),
    )


@people.command("add")
@command
def people_add(
    person: Annotated[str, typer.Argument(metavar="CODE", help="The enumerator's code, as the project lists it.")],
    json_: Json = False,
) -> None:
    """Add a person, with a passphrase of their own. Asks for yours first; the new one is shown once."""
    laptop = Laptop.open(paths.home(), SystemClock())
    project = laptop.project
    check_person(project, person)
    with laptop.locked.unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
        allowed = project.model.policy.people_per_device
        if len(vault.people.listed()) >= allowed:
            raise SlotsFullError(count=allowed)
        words = _new_passphrase("PERSON", person, project.model.policy.passphrase_bits)
        added = vault.people.add(person, words, slot_params(project))
    result(
        json_, {"slot": added.slot, "person": person}, _("{person} can unlock this laptop now.").format(person=person)
    )


@people.command("remove")
@command
def people_remove(
    person: Annotated[str, typer.Argument(metavar="CODE", help="The enumerator's code.")],
    forget: Annotated[bool, typer.Option("--forget-drafts", help="Their unfinished drafts are lost for good.")] = False,
    json_: Json = False,
) -> None:
    """Remove a person who has left. What they sealed stays; only they could open their unfinished drafts."""
    with open_locked(paths.home() / VAULT).unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
        removed = vault.people.remove(person, forget_drafts=forget)
    result(
        json_,
        {"person": person, "drafts_forgotten": removed.drafts},
        _("{person} can no longer unlock this laptop.").format(person=person),
    )


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


def _only_person(project: SignedProject) -> str:
    known = [listed.code for listed in project.model.people]
    if len(known) == 1:
        return known[0]
    if sys.stdin.isatty():
        return str(typer.prompt(_("The enumerator's code")))
    return "1" if not known else ""


def _confirm(project: SignedProject, *, yes: bool) -> None:
    _tell(_("Project: {name}, version {version}").format(name=project.model.name, version=project.model.version))
    _tell(_("Its words: {words}").format(words=project.words))
    if yes or not sys.stdin.isatty():
        return
    if not typer.confirm(_("Are these the words the steward gave you?")):
        raise NotConfirmedError


def _tell(text: str) -> None:
    """To the person, beside the one JSON object or text that goes to standard output."""
    typer.echo(text, err=True)


def _new_passphrase(role: str, person: str, minimum_bits: int) -> str:
    """A new passphrase, shown once and typed back; or the one in the role's test file."""
    if os.environ.get(f"FIELDSURVEY_PASSPHRASE_FILE_{role}") or not sys.stdin.isatty():
        given = passphrase(role, "")
        check_strength(given, minimum_bits)
        return given
    made = generate_passphrase()
    _tell(_("The passphrase of {person}. Write it down and keep it away from this laptop:").format(person=person))
    _tell(f"\n    {made}\n")
    for _attempt in range(3):
        if normalise_passphrase(getpass.getpass(_("Type it back: "))) == made:
            return made
        _tell(_("Not the same. The words are above."))
    raise NotTypedBackError


def _report(report: VerifyReport) -> dict[str, int | bool]:
    return {
        "whole": report.whole,
        "entries": report.entries,
        "records": report.records,
        "purged": report.purged,
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
    if report.unchecked:
        text += "\n" + _("Not checked: {count} drafts that only other people can open.").format(count=report.unchecked)
    return text
