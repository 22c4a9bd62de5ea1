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
from fieldsurvey.xforms.form import LoadedForm, load_form
from fieldsurvey.xforms.xpath import evaluate

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
