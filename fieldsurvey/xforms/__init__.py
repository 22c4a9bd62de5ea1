"""A form engine for XLSForm and XForms: pure and headless. It knows no screen, no storage and no crypto.

`contract` holds what callers see, `errors` what is refused.
"""

from __future__ import annotations

from fieldsurvey.xforms.contract import (
    Change,
    ChangeKind,
    Choice,
    Draft,
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
from fieldsurvey.xforms.form import load_form

__all__ = [
    "Change",
    "ChangeKind",
    "Choice",
    "Draft",
    "End",
    "Form",
    "FormError",
    "FormProblem",
    "Group",
    "Instance",
    "Interview",
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
    "load_form",
]
