"""What `fieldsurvey rights` refuses.

InputError
├── WhichRightError            neither access nor erase was asked for
└── NoPlaceError               nothing of a project is here
RefusedError
└── NotConfirmedErasureError   the question before erasing was not answered with yes
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError


class WhichRightError(InputError):
    """Neither access nor erase was asked for."""

    code = "input.which_right"
    template = "Say what the person asks for, after the code: access or erase."
    hint = "Nothing was changed. For example: fieldsurvey rights 0ABC-DEFG-HJKM-NPQR-S erase"


class NoPlaceError(InputError):
    """Neither a laptop nor a project is here."""

    code = "input.no_place"
    template = "There is neither a laptop's vault nor a project in {place}."
    hint = "Nothing was changed. Name the project's file: --project PROJECT.fsp"


class NotConfirmedErasureError(RefusedError):
    """The question before erasing was not answered with yes."""

    code = "refused.erasure_not_confirmed"
    template = "Nothing was erased: it was not confirmed."
    hint = "Nothing was changed."
