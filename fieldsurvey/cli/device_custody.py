"""`fieldsurvey device backup | restore | new-vault | recover | retire`: what becomes of a laptop and what it holds."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, ask, command, passphrase, result, tell
from fieldsurvey.cli.device_words import confirm_words, new_passphrase, only_person
from fieldsurvey.fieldwork import Laptop, custody
from fieldsurvey.fieldwork.enrolment import write_card_near
from fieldsurvey.fieldwork.laptop import check_person
from fieldsurvey.fieldwork.withdrawals import FOLDER as WITHDRAWALS
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.tui.standing import local_day

custody_app = typer.Typer()

CardOption = Annotated[Path | None, typer.Option("--card", help="Where to write the new card for the steward.")]
PersonOption = Annotated[str, typer.Option("--person", help="The enumerator's code, as the project lists it.")]


class DamagedBackupError(RefusedError):
    """A backup of a damaged vault was written beside the whole one."""

    code = "refused.damaged_backup"
    template = "This laptop's vault has {count} faults. What could be read is in {place}."
    hint = (
        "An earlier whole backup was not replaced. Export what is sealed, then run `fieldsurvey device verify` and show"
        " the project's steward what it says."
    )


class EscrowKeyError(InputError):
    """Neither the escrow key nor two sheets of it."""

    code = "input.escrow_key"
    template = "The escrow key is needed: its file, or two of its sheets."
    hint = "Nothing was changed. Give --escrow-key FILE, or --sheet FILE twice."


@custody_app.command("backup")
@command
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder on another disk or stick.")],
    json_: Json = False,
) -> None:
    """Copy this laptop's vault to a folder, read it back and compare. Needs no passphrase.

    It holds what the vault holds: sealed records, encrypted drafts, the log. Nobody reads it without a passphrase of
    this laptop, and it is no substitute for `sync export`: only central's receipts say that records are safe. A later
    backup to the same folder takes the place of the earlier one once it is whole.

    Example: fieldsurvey device backup /media/STICK/backups
    """
    laptop = Laptop.open(paths.home(), SystemClock())
    report = custody.backup(laptop, folder)
    if not report.verified.whole:
        raise DamagedBackupError(count=len(report.verified.findings), place=report.path)
    manifest = report.manifest
    text = _("Backed up to {place} ({size} KiB), read back and compared. Log entries: {records}; drafts: {drafts}.")
    drafts = laptop.locked.draft_count()
    result(
        json_,
        {"file": str(report.path), "device": manifest.device, "seq": manifest.seq, "drafts": drafts,
         "bytes": report.size, "made": manifest.made},
        filled(text, place=report.path, records=report.verified.entries, drafts=drafts, size=report.size >> 10),
    )  # fmt: skip


@custody_app.command("restore")
@command
def restore(
    place: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the backup, or the backup itself.")],
    *,
    into: Annotated[Path | None, typer.Option("--into", help="Restore into this folder, not FIELDSURVEY_HOME.")] = None,
    card: CardOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="The project's words have been compared already.")] = False,
    json_: Json = False,
) -> None:
    """Bring back a backed-up laptop, on this machine or another. Asks for the passphrase of one of its people.

    People, passphrases and drafts are as they were. The laptop counts as a new one: it gets new keys, begins a new log
    that names the end of the old one, and its new card goes to the steward. What was sealed and not acknowledged still
    exports with the signatures it has. The old laptop must not go on: if it was lost, have it revoked.

    Example: fieldsurvey device restore /media/STICK/backups
    """
    home = into or paths.home()
    with custody.Restoring(home, custody.find_backup(place), SystemClock()) as restoring:
        manifest = restoring.manifest
        tell(
            filled(
                _("Backup of {name}, made {made}, {seq} records"),
                name=manifest.name,
                made=local_day(manifest.made),
                seq=manifest.seq,
            )
        )
        expired = restoring.expired
        confirm_words(restoring.project, yes=yes)
        restored = restoring.finish(passphrase("DEVICE", _("Passphrase of one of its people")))
    written = write_card_near(restored.laptop, card or Path()).absolute()
    status = restored.laptop.status()
    lines = [
        _("Restored into {home} as a new device. Hand this card to the steward: {card}").format(
            home=home, card=written
        ),
        _("Records of the log before: {count}, all kept; not acknowledged yet, to be exported: {waiting}.").format(
            count=status.former, waiting=status.former_waiting
        ),
    ]
    if expired:
        lines.append(
            _("This backup is old. Before any work, take a stick from central in: it says what was withdrawn since.")
        )
    lines += [
        filled(_("Damaged in the backup: {part} {where}: {reason}"), part=f.part, where=f.where, reason=f.reason)
        for f in restored.verified.findings
    ]
    result(
        json_,
        {"home": str(home), "device": status.device, "card": str(written), "parent": restored.parent.model_dump(),
         "drafts": status.drafts, "former": status.former, "former_waiting": status.former_waiting,
         "expired": expired, "findings": [asdict(f) for f in restored.verified.findings]},
        "\n".join(lines),
    )  # fmt: skip


@custody_app.command("new-vault")
@command
def new_vault(
    *,
    person: PersonOption = "",
    own: Annotated[bool, typer.Option("--own", help="Think of a passphrase instead of taking six words.")] = False,
    found: Annotated[
        bool, typer.Option("--found-words", help="The old words were found: bring back the drafts that were left.")
    ] = False,
    card: CardOption = None,
    json_: Json = False,
) -> None:
    """Go on where nobody knows a passphrase any more: new keys, a new log at once.

    What is sealed stays and still exports with the signatures it has; only the unfinished drafts are out of reach. Set
    aside, they come back with --found-words if the old words turn up, until the policy's days for drafts are over. If
    a colleague can still unlock this laptop, `device people remove` and `add` are the better way.

    Example: fieldsurvey device new-vault --person E01
    """
    laptop = Laptop.open(paths.home(), SystemClock())
    if found:
        with laptop.locked.unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
            count = vault.take_over_drafts(passphrase("OLD", _("The words that were found")))
        result(json_, {"drafts": count}, _("Drafts that are back: {count}.").format(count=count))
        return
    project = laptop.project
    who = person or only_person(project)
    check_person(project, who)
    out_of_reach = laptop.locked.draft_count()
    tell(
        _("Unfinished drafts that will be out of reach: {drafts}. Everything sealed is kept.").format(
            drafts=out_of_reach
        )
    )
    custody.begin_again(laptop, who, new_passphrase("DEVICE", who, project.model.policy.passphrase_bits, own=own))
    written = write_card_near(laptop, card or Path())
    status = laptop.status()
    text = _("{person} can go on. This counts as a new device: hand this card to the steward: {card}")
    result(
        json_,
        {"device": status.device, "person": who, "card": str(written), "drafts_left": out_of_reach,
         "former": status.former, "former_waiting": status.former_waiting},
        text.format(person=who, card=written),
    )  # fmt: skip


@custody_app.command("recover")
@command
def recover(
    person: Annotated[str, typer.Argument(metavar="CODE", help="The enumerator whose words are forgotten.")],
    *,
    escrow_key: Annotated[Path | None, typer.Option("--escrow-key", help="The escrow key's file.")] = None,
    sheet: Annotated[list[Path] | None, typer.Option("--sheet", help="A sheet of the escrow key; give two.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Think of a passphrase instead of taking six words.")] = False,
    json_: Json = False,
) -> None:
    """Give a person new words with the escrow key, where the policy asks for recovery slots; drafts come back too.

    The escrow key opens every record of the project. Do this at the Human Mobility Unit, on a machine it trusts, and
    never in the field.

    Example: fieldsurvey device recover E01 --sheet sheet-1.txt --sheet sheet-3.txt
    """
    laptop = Laptop.open(paths.home(), SystemClock())
    project = laptop.project
    escrow = _escrow(escrow_key, sheet or [])
    words = new_passphrase("NEW", person, project.model.policy.passphrase_bits, own=own)
    custody.recover_person(laptop, escrow, person, words)
    result(json_, {"person": person}, _("{person} has a new passphrase; all drafts are there.").format(person=person))


@custody_app.command("retire")
@command
def retire(
    *,
    force: Annotated[bool, typer.Option("--force", help="Also where records or drafts will be lost.")] = False,
    confirm: Annotated[str, typer.Option("--confirm", metavar="NAME", help="The laptop's name, typed out.")] = "",
    json_: Json = False,
) -> None:
    """End this laptop's service: destroy its keys, then wipe what it holds. There is no way back.

    Refused while a record is not acknowledged by central or a draft is unfinished. Backups and sticks made before stay
    as they are: destroy those too. On flash storage old blocks may remain; they hold ciphertext whose keys are gone.

    Example: fieldsurvey device retire
    """
    laptop = Laptop.open(paths.home(), SystemClock())
    stake = custody.at_stake(laptop.locked)
    typed = confirm
    if stake.lost and force:
        tell(
            _("Lost for good: records not acknowledged by central: {records}; unfinished drafts: {drafts}.").format(
                records=stake.not_acknowledged, drafts=stake.drafts
            )
        )
    if not typed and sys.stdin.isatty() and (force or not stake.lost):
        typed = ask(filled(_("Type the name of this laptop ({name}) to retire it"), name=stake.name))
    custody.retire(laptop, force=force, typed_name=typed)
    lines = [filled(_("{name} is retired. Have the steward revoke it: {device}"), name=stake.name, device=stake.device)]
    if stake.not_backed_up:
        lines.append(_("Acknowledged by central but not yet in its backup: {count}.").format(count=stake.not_backed_up))
    if stake.withdrawals:
        folder = paths.home() / WITHDRAWALS
        lines.append(
            _("Withdrawals stay in {folder} ({count}): see that central has them.").format(
                count=stake.withdrawals, folder=folder
            )
        )
    result(json_, asdict(stake), "\n".join(lines))


def _escrow(key_file: Path | None, sheets: list[Path]) -> RecipientPrivate:
    from fieldsurvey.project.keys import unlock_escrow  # start-up: only here
    from fieldsurvey.project.shares import combine, words_of_sheet

    if key_file is not None:
        return unlock_escrow(key_file, passphrase("ESCROW", _("Passphrase of the escrow key")))
    if len(sheets) < 2:
        raise EscrowKeyError
    return RecipientPrivate(combine([words_of_sheet(_text(path)) for path in sheets]))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise storage_error(error, path) from error
