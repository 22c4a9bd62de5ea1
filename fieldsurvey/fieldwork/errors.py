"""What fieldwork refuses, apart from what the vault, the project and the engine refuse below it.

RefusedError
├── NoSuchFormError      the project has no such form
├── FormGoneError        a draft's form version is no longer on this laptop
├── ProjectGoneError     there is a vault but no project file
├── OtherProjectError    another project of the same root
├── UnknownPersonError   a code that the project does not list
├── NotAcknowledgedError retiring a laptop that holds what nobody else has
├── NotConfirmedRetireError  its name was not typed
├── TooLongError         an interview over what a record holds
└── ClosedError          the work or session was closed
"""

from __future__ import annotations

from fieldsurvey.base.errors import RefusedError


class NoSuchFormError(RefusedError):
    """The project has no such form."""

    code = "fieldwork.no_form"
    template = "This project has no form {form}."
    hint = "Nothing was changed. The forms of this project: {known}."


class FormGoneError(RefusedError):
    """A draft's form version is no longer on this laptop."""

    code = "fieldwork.form_gone"
    template = "This draft was begun with {form}, version {version}, which is not on this laptop any more."
    hint = "The draft is safe. Join again with the project file that holds that version, then open the draft."


class ProjectGoneError(RefusedError):
    """There is a vault but no project file."""

    code = "fieldwork.project_gone"
    template = "The project's file is missing from this laptop ({place})."
    hint = "Drafts and sealed records are safe. Join again with the project's file: fieldsurvey device join PROJECT.fsp"


class OtherProjectError(RefusedError):
    """Another project of the same root."""

    code = "fieldwork.other_project"
    template = "This file is of another project ({name}) than the one this laptop joined."
    hint = "Nothing was changed. A laptop works for one project: use another folder (FIELDSURVEY_HOME) for the other."


class UnknownPersonError(RefusedError):
    """A code that the project does not list."""

    code = "fieldwork.unknown_person"
    template = "The project does not list an enumerator {person}."
    hint = "Nothing was changed. Use the code the steward gave, or ask to be added. Listed: {known}."


class NotAcknowledgedError(RefusedError):
    """Retiring a laptop that holds what nobody else has."""

    code = "fieldwork.not_acknowledged"
    template = (
        "Retiring this laptop would lose what nobody else has: records not acknowledged by central: {records};"
        " unfinished drafts: {drafts}."
    )
    hint = (
        "Nothing was changed. Export to a stick, bring the receipts back, finish or discard the drafts; then retire it."
        " To lose them all the same: --force"
    )


class NotConfirmedRetireError(RefusedError):
    """The laptop's name was not typed."""

    code = "fieldwork.retire_not_confirmed"
    template = "The laptop was not retired: its name was not typed as it is ({name})."
    hint = "Nothing was changed."


class TooLongError(RefusedError):
    """An interview over what a record holds."""

    code = "fieldwork.too_long"
    template = "This interview is too long to be sealed as one record ({size} MiB; {limit} at most)."
    hint = "Nothing is lost: the draft stays. Shorten the longest text, then finalise again."


class ClosedError(RefusedError):
    """The work or session was closed."""

    code = "fieldwork.closed"
    template = "This interview is closed."
    hint = "Nothing is lost: open it again from the list of drafts."
