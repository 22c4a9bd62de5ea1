"""`fieldsurvey device people`: who can unlock this laptop."""

from __future__ import annotations

from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, command, passphrase, result
from fieldsurvey.cli.device_words import new_passphrase
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.laptop import VAULT, check_person, recovery_key, slot_params
from fieldsurvey.vault import open_locked
from fieldsurvey.vault.errors import SlotsFullError

people = typer.Typer(no_args_is_help=True, help="Who can unlock this laptop: up to eight people, a passphrase each.")


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
    *,
    own: Annotated[bool, typer.Option("--own", help="Think of a passphrase instead of taking six words.")] = False,
    json_: Json = False,
) -> None:
    """Add a person, with a passphrase of their own. Asks for yours first; the new one is shown once."""
    laptop = Laptop.open(paths.home(), SystemClock())
    project = laptop.project
    check_person(project, person)
    with laptop.locked.unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
        allowed = project.model.policy.people_per_device
        if len(vault.people.require_new(person)) >= allowed:
            raise SlotsFullError(count=allowed)
        words = new_passphrase("PERSON", person, project.model.policy.passphrase_bits, own=own)
        added = vault.people.add(person, words, slot_params(project), recovery_key(project))
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


@people.command("passwd")
@command
def people_passwd(
    own: Annotated[bool, typer.Option("--own", help="Think of a passphrase instead of taking six words.")] = False,
    json_: Json = False,
) -> None:
    """Change your own passphrase. Drafts and records are not touched: only the lock is new.

    A backup made before still opens with the old words: make a new one.
    """
    laptop = Laptop.open(paths.home(), SystemClock())
    project = laptop.project
    with laptop.locked.unlock(passphrase("DEVICE", _("Your passphrase"))) as vault:
        words = new_passphrase("NEW", vault.person, project.model.policy.passphrase_bits, own=own)
        vault.people.change_passphrase(words, slot_params(project))
        person = vault.person
    result(json_, {"person": person}, _("{person} has a new passphrase.").format(person=person))
