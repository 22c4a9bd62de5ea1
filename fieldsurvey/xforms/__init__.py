"""A form engine for XLSForm and XForms: pure and headless. It knows no screen, no storage and no crypto.

`contract` holds what callers see, `errors` what is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.later import later
from fieldsurvey.xforms.contract import (
    Change,
    ChangeKind,
    Choice,
    Draft,
    Dropped,
    End,
    Form,
    Group,
    Instance,
    Interview,
    Media,
    Origin,
    OutlineItem,
    Place,
    Question,
    Repeat,
    Violation,
    ViolationKind,
)
from fieldsurvey.xforms.errors import FormError, FormProblem, NoSuchRefError, NotAnswerableError, NotReadyError

if TYPE_CHECKING:
    from fieldsurvey.xforms.form import LoadedForm, load_form
    from fieldsurvey.xforms.xpath import evaluate

__all__ = [
    "Change",
    "ChangeKind",
    "Choice",
    "Draft",
    "Dropped",
    "End",
    "Form",
    "FormError",
    "FormProblem",
    "Group",
    "Instance",
    "Interview",
    "LoadedForm",
    "Media",
    "NoSuchRefError",
    "NotAnswerableError",
    "NotReadyError",
    "Origin",
    "OutlineItem",
    "Place",
    "Question",
    "Repeat",
    "Violation",
    "ViolationKind",
    "evaluate",
    "load_form",
]

# The contract is imported by the app before the first screen is painted; the engine behind it (40 ms) only when used.
_LATER = {
    "LoadedForm": "fieldsurvey.xforms.form",
    "load_form": "fieldsurvey.xforms.form",
    "evaluate": "fieldsurvey.xforms.xpath",
}

__getattr__ = later(__name__, _LATER)
