"""What reading and stewarding a project can refuse.

UntrustedError
├── ProjectFormatError    not a whole project, or one that contradicts itself
├── LedgerBrokenError     a ledger whose lines do not hold together
└── KeyFileError          a key file of the steward's folder that is not one
RefusedError
├── ForeignRootError      signed by another root than the one pinned
├── OlderProjectError     older than the one already trusted
├── StewardExistsError    there is a project in this folder already
├── SensitiveMediaError   a form about people asks for pictures, voices or places
├── FewRecipientsError    fewer than two recipients
├── ForeignCardError      a device card made for another project
├── AlreadyEnrolledError  the device is in the project
├── NotEnrolledError      a device that the project does not know
├── AlreadyRevokedError   the device is revoked already
├── TooEarlyError         keys of a round that must still be kept
├── NoRoundKeysError      a round without keys of its own, or whose keys are destroyed
└── LastPersonError       nobody would be left to do what this person does
InputError
├── NoProjectError        no project in this folder
├── FormFileError         not a compiled XForm
├── PlanError             a plan that cannot be read
├── NameTakenError        a code that is taken, or not a code
├── BadValueError         a value out of its bounds
├── MissingExtraError     a package of the HMU's installation is missing
├── NoSuchPersonError     a code that names nobody in the project
├── NoSuchRoundError      a round that the plan does not have
├── FewPeopleError        fewer passphrases than the policy asks for
└── SharesError           SLIP-39 sheets that do not give the secret
    ├── FewSheetsError      one sheet, or one twice
    ├── SheetWordError      a word that is on no sheet
    ├── SheetChecksumError  a mistyped, missing or misplaced word
    ├── OtherSheetsError    sheets of different sets
    ├── ForeignSheetsError  sheets that give a key which is none of this project
    └── WrongSheetsError    sheets of another key of this project than the one wanted
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError, UntrustedError


class ProjectFormatError(UntrustedError):
    """Not a whole project, or one that contradicts itself."""

    code = "untrusted.project"
    template = "This is not a whole project file ({reason})."
    hint = "It was refused whole and the project you have stands. Ask the steward for a fresh copy."


class ForeignRootError(RefusedError):
    """Signed by another root than the one pinned."""

    code = "refused.foreign_root"
    template = (
        "This project is not signed by the root this laptop trusts.\n"
        "  trusted: {pinned_words}\n           {pinned}\n"
        "  this one: {found_words}\n            {found}"
    )
    hint = (
        "Nothing was changed. Do not use the file before the steward has compared these words with you, "
        "by voice or in person."
    )


class OlderProjectError(RefusedError):
    """Older than the one already trusted."""

    code = "refused.older_project"
    template = "This project is version {found}; version {have} is already here."
    hint = "Nothing was changed: the newer one stays. An old file may name people and keys that have been taken out."


class StewardExistsError(RefusedError):
    """There is a project in this folder already."""

    code = "refused.steward_exists"
    template = "There is already a project in {place}."
    hint = "Nothing was changed. Choose another folder, or use the project that is there."


class SensitiveMediaError(RefusedError):
    """A form about people asks for pictures, voices, signatures, barcodes or exact places."""

    code = "refused.sensitive_media"
    template = "The form {form} is about people and asks for: {what}."
    hint = (
        "Nothing was added. Take these questions out. If an ethics approval allows them, add the form with "
        "--allow TYPE for each; the signed project then says so to everybody."
    )


class FewRecipientsError(RefusedError):
    """Fewer than two recipients."""

    code = "refused.few_recipients"
    template = "This project has {count} recipient(s): if that key is lost, every record is lost with it."
    hint = "Nothing was published. Make the project with an escrow recipient, or ask for this by name: --one-recipient."


class ForeignCardError(RefusedError):
    """A device card made for another project."""

    code = "refused.foreign_card"
    template = "The card of {name} was made for another project."
    hint = "Nothing was changed. Let the laptop join this project, and enrol the card it then makes."


class AlreadyEnrolledError(RefusedError):
    """The device is enrolled, or was revoked."""

    code = "refused.enrolled"
    template = "{name} is already in the project ({status})."
    hint = "Nothing was changed. A revoked laptop starts anew with `fieldsurvey device new-vault`."


class UnprovenCardError(RefusedError):
    """A card that names another laptop's log as its own, without that laptop's signature."""

    code = "refused.unproven_card"
    template = "The card of {name} says that it goes on from the log of {former}, and does not prove it."
    hint = (
        "Nothing was changed. Only that laptop or its backup can prove it: ask who made this card. One made by an older"
        " fieldsurvey has no proof; `fieldsurvey device new-vault` makes another."
    )


class NoProjectError(InputError):
    """No project in this folder."""

    code = "input.no_project"
    template = "There is no project in {place}."
    hint = "Make one with `fieldsurvey project new`, or name its folder with --folder."


class FormFileError(InputError):
    """Not a compiled XForm."""

    code = "input.form_file"
    template = "{place} is not a form ({reason})."
    hint = "Nothing was added. Give a workbook, a folder of CSV sheets, an XForm .xml, or the name of a built-in form."


class PlanError(InputError):
    """A plan that cannot be read."""

    code = "input.plan"
    template = "The plan {place} cannot be used: {reason}."
    hint = "Nothing was changed. `fieldsurvey project plan --help` shows what a plan looks like."


class NameTakenError(InputError):
    """A code that names somebody or something else already, or is not a code."""

    code = "input.code"
    template = "{value} cannot be used as a code: {reason}."
    hint = "Nothing was changed. Codes are short, without spaces, and one for each person."


class BadValueError(InputError):
    """A value that is out of its bounds: a name too long, a number too large."""

    code = "input.value"
    template = "{field} cannot be this ({reason})."
    hint = "Nothing was changed. `fieldsurvey project --help` and docs/format.md give the bounds."


class MissingExtraError(InputError):
    """A package of the HMU's installation is missing."""

    code = "input.missing_extra"
    template = "This needs the package {package}, which is not installed here."
    hint = "Nothing was changed. Install fieldsurvey with the extra that has it: `fieldsurvey[{extra}]`."


class SharesError(InputError):
    """SLIP-39 sheets that do not give the secret."""

    code = "input.shares"
    template = "These sheets do not give the key back."
    hint = "Nothing was changed. Any two of the three sheets of the same key are needed; check each word."


class KeyFileError(UntrustedError):
    """A key file of the steward's folder that is not one."""

    code = "untrusted.key_file"
    template = "{place} is not a key file of this kind."
    hint = "Nothing was changed. Restore the steward's folder from its backup."


class LedgerBrokenError(UntrustedError):
    """A ledger whose chain or signatures do not hold."""

    code = "untrusted.key_ledger"
    template = "The project's ledger {place} does not hold from line {line} on."
    hint = "Nothing was changed. Restore the file from the folder's backup, and find out who altered it."


class NotEnrolledError(RefusedError):
    """A device that the project does not know."""

    code = "refused.not_enrolled"
    template = "No laptop of this project is called {name}."
    hint = "Nothing was changed. `fieldsurvey project show` lists the laptops; give a name or the start of an id."


class AlreadyRevokedError(RefusedError):
    """A device that is revoked from an earlier entry already."""

    code = "refused.revoked"
    template = "{name} is revoked already, from entry {number} on."
    hint = "Nothing was changed. A revocation can be moved to an earlier entry, never to a later one."


class TooEarlyError(RefusedError):
    """Keys of a round that must still be kept."""

    code = "refused.too_early"
    template = "The keys of round {round} are to be kept until {day}."
    hint = (
        "Nothing was destroyed. Wait for that day, or say --force if this is what you want: "
        "what is destroyed can never be opened again."
    )


class NoRoundKeysError(RefusedError):
    """A round without keys of its own, or whose keys are destroyed."""

    code = "refused.no_round_keys"
    template = "Round {round} has no keys of its own that could be destroyed."
    hint = "Nothing was changed. `fieldsurvey project show` says which rounds have keys, and which were destroyed."


class LastPersonError(RefusedError):
    """Nobody would be left to do what this person does."""

    code = "refused.last_person"
    template = "Nobody would be left to do what {name} does ({role})."
    hint = "Nothing was changed. Name who takes over: --to CODE=NAME."


class NoSuchPersonError(InputError):
    """A code that names nobody in the project."""

    code = "input.no_person"
    template = "There is nobody with the code {value} in the project, or they have left."
    hint = "Nothing was changed. `fieldsurvey project show` lists the people."


class NoSuchRoundError(InputError):
    """A round that the plan does not have."""

    code = "input.no_round"
    template = "The plan has no round {round}."
    hint = "Nothing was changed. `fieldsurvey project plan` sets the rounds; `project show` lists them."


class FewPeopleError(InputError):
    """Fewer passphrases than the policy asks for."""

    code = "input.few_people"
    template = "The HMU's key opens with the passphrases of {needed} of its people; {given} fitted."
    hint = "Nothing was opened. Two different people give their own passphrase, one after the other."


class FewSheetsError(SharesError):
    """One sheet, or one sheet twice."""

    code = "input.shares_few"
    template = "{needed} different sheets of one key are needed."
    hint = "Nothing was changed. One sheet alone, or the same one twice, gives nothing back: that is what they are for."


class SheetWordError(SharesError):
    """A word that is on no sheet."""

    code = "input.shares_word"
    template = "Sheet {sheet}: word {word} is not a word that key sheets use."
    hint = "Nothing was changed. Compare that word with the paper, letter by letter."


class SheetChecksumError(SharesError):
    """A mistyped, missing or misplaced word."""

    code = "input.shares_checksum"
    template = "Sheet {sheet}: its words do not fit together; one is mistyped, missing or out of its place."
    hint = "Nothing was changed. A sheet has 33 words; compare each with the paper, in its order."


class OtherSheetsError(SharesError):
    """Sheets of different sets."""

    code = "input.shares_other"
    template = "These sheets do not belong together: they are of different keys, or of sets made at different times."
    hint = "Nothing was changed. Sheets of one set say the same key id; their first two words are the same."


class ForeignSheetsError(SharesError):
    """Sheets that give a key which is none of this project."""

    code = "input.shares_foreign"
    template = "These sheets give a key back, but it is no key of this project."
    hint = "Nothing was changed. Look for the sheets that say this project's name and root fingerprint."


class WrongSheetsError(SharesError):
    """Sheets of another key of this project than the one asked for."""

    code = "input.shares_kind"
    template = "These sheets do not give {wanted}: they give {found}."
    hint = "Nothing was changed. Take the sheets of the key you need; each sheet says which it is."
