"""What the commands of `device` ask a person: the project's words, new passphrases, codes and names."""

from __future__ import annotations

import getpass
import os
import sys

from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import agreed, ask, passphrase, tell
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.words import check_strength, generate_passphrase, normalise_passphrase


class NotConfirmedError(RefusedError):
    """The steward's words were not confirmed."""

    code = "refused.words_not_confirmed"
    template = "The project was not joined: its words were not confirmed."
    hint = "Nothing was changed. Compare the words with the steward, by voice or in person, and join again."


class NotTypedBackError(InputError):
    """The new passphrase was not typed back."""

    code = "input.not_typed_back"
    template = "The passphrase was not typed back as shown."
    hint = "Nothing was changed. Write the words down, and try again."


def only_person(project: SignedProject) -> str:
    """The code of whoever it is about, where none was given."""
    known = [listed.code for listed in project.model.people]
    if len(known) == 1:
        return known[0]
    if sys.stdin.isatty():
        return ask(_("The enumerator's code"))
    return "1" if not known else ""


def confirm_words(project: SignedProject, *, yes: bool) -> None:
    """Show the project's words and ask whether they are the steward's. Raises NotConfirmedError."""
    tell(filled(_("Project: {name}, version {version}"), name=project.model.name, version=project.model.version))
    tell(_("Its words: {words}").format(words=project.words))
    if yes or not sys.stdin.isatty():
        return
    if not agreed(_("Are these the words the steward gave you?")):
        raise NotConfirmedError


def new_passphrase(role: str, person: str, minimum_bits: int, *, own: bool = False) -> str:
    """A new passphrase, shown once and typed back; or, with `own`, one that the person thinks of; or the one in the
    role's test file. As strong as the policy asks for: WeakPassphraseError, NotTypedBackError.
    """
    if own or os.environ.get(f"FIELDSURVEY_PASSPHRASE_FILE_{role}") or not sys.stdin.isatty():
        given = passphrase(role, _("The new passphrase of {person}").format(person=person), confirm=True)
        check_strength(given, minimum_bits)
        return given
    made = generate_passphrase(minimum_bits)
    tell(_("The passphrase of {person}. Write it down and keep it away from this laptop:").format(person=person))
    tell(f"\n    {made}\n")
    for _attempt in range(3):
        if normalise_passphrase(getpass.getpass(_("Type it back: "))) == made:
            return made
        tell(_("Not the same. The words are above."))
    raise NotTypedBackError
