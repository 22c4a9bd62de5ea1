"""What reading and stewarding a project can refuse.

UntrustedError
├── ProjectFormatError    not a whole project, or one that contradicts itself
└── KeyFileError          a key file of the steward's folder that is not one
RefusedError
├── ForeignRootError      signed by another root than the one pinned
├── OlderProjectError     older than the one already trusted
├── StewardExistsError    there is a project in this folder already
├── SensitiveMediaError   a form about people asks for pictures, voices or places
├── FewRecipientsError    fewer than two recipients
├── ForeignCardError      a device card made for another project
└── AlreadyEnrolledError  the device is in the project
InputError
├── NoProjectError        no project in this folder
├── FormFileError         not a compiled XForm
├── PlanError             a plan that cannot be read
├── NameTakenError        a code that is taken, or not a code
├── BadValueError         a value out of its bounds
├── MissingExtraError     a package of the HMU's installation is missing
└── SharesError           SLIP-39 sheets that do not give the secret
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
