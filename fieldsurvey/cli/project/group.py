"""What the commands of `fieldsurvey project` share: the group, its options, its passphrases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import agreed, passphrase, say
from fieldsurvey.project.keys import people_needed
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.words import generate_passphrase

app = typer.Typer(
    help="Make and sign a project: who may open records, which forms, which laptops. Keep its folder safe.",
    no_args_is_help=True,
    add_completion=False,
)

Folder = Annotated[
    Path | None, typer.Option("--folder", help="The steward's folder. Default: steward/ under FIELDSURVEY_HOME.")
]
People = Annotated[
    list[str] | None, typer.Option("--person", help="An enumerator, CODE=NAME. Repeat for each, e.g. --person E01=Uno.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before doing it.")]


class PersonWordsError(InputError):
    """--person without an equals sign."""

    code = "input.person"
    template = "{value} does not name a person."
    hint = "Nothing was changed. Write --person CODE=NAME, for example --person E01=Uno."


class NotConfirmedError(RefusedError):
    """Somebody did not say yes, or nobody could be asked."""

    code = "refused.not_confirmed"
    template = "This was not confirmed."
    hint = "Nothing was changed. Say yes when asked, or give --yes where nobody can be asked."


def place_of(folder: Path | None) -> Path:
    """The steward's folder."""
    return folder or paths.steward_dir()


def confirm(yes: bool, question: str) -> None:
    """Ask, unless `yes`. Raises NotConfirmedError."""
    if yes:
        return
    if not sys.stdin.isatty() or not agreed(question):
        raise NotConfirmedError


def named_people(given: list[str] | None) -> dict[str, str]:
    """CODE=NAME, as a dictionary. Raises PersonWordsError."""
    people = {}
    for words in given or []:
        code, equals, label = words.partition("=")
        if not equals:
            raise PersonWordsError(value=words)
        people[code.strip()] = label.strip()
    return people


def root_passphrase() -> str:
    """Asks for the passphrase that signs."""
    return passphrase("ROOT", _("Root passphrase"))


def hmu_passphrases(folder: Path) -> list[str]:
    """Asks for what opens hmu.key: one passphrase, or those of two people."""
    given = [passphrase("HMU", _("Passphrase of the HMU"))]
    if people_needed(folder) > 1:
        given.append(passphrase("HMU2", _("Passphrase of the second person of the HMU")))
    return given


def new_passphrase(role: str, prompt: str, policy: Policy) -> str:
    """Asks twice; empty makes six words, or as many as the policy asks for, and shows them once."""
    given = passphrase(role, prompt, confirm=True)
    if given:
        return given
    made = generate_passphrase(policy.passphrase_bits)
    say(_("Write these words down now; they are not shown again:"))
    say(f"\n    {made}\n")
    return made


def summary(signed: SignedProject) -> dict[str, Any]:
    """What `--json` says of a project."""
    model = signed.model
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "issued": model.issued,
        "expires": model.expires,
        "expired": signed.is_expired(SystemClock().now()),
        "root_fingerprint": signed.root_fingerprint,
        "words": signed.words,
        "days_left": signed.days_left(SystemClock().now()),
        "successions": [s.root_key.fingerprint for s in model.successions],
        "recipients": [
            {"id": r.id, "label": r.label, "round": r.round, "created": r.created, "retired": r.retired}
            for r in model.recipients
        ],
        "roles": [
            {"role": r.role.value, "label": r.label, "key": r.key.fingerprint, "person": r.person, "retired": r.retired}
            for r in model.roles
        ],
        "devices": [
            {
                "id": d.id,
                "name": d.name,
                "status": d.status,
                "revoked_from": d.revoked_from,
                "revoked_reason": d.revoked_reason,
            }
            for d in model.devices
        ],
        "people": [p.content() for p in model.people],
        "forms": [f.model_dump(mode="json") for f in model.forms],
        "servers": [server.content() for server in model.servers],
        "indicators": model.indicators,
        "plan": model.plan.model_dump(mode="json"),
        "policy": model.policy.model_dump(mode="json"),
    }
