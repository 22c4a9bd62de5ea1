"""What the engine refuses.

InputError
├── FormError            a form cannot be loaded; `problems` lists each with sheet, row, column, remedy
└── NoSuchRefError       a reference that is not there, or not relevant
RefusedError
├── NotAnswerableError   read-only or irrelevant
└── NotReadyError        finalise with blocking problems
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin, Violation


@dataclass(frozen=True, slots=True)
class FormProblem:
    """One reason why a form cannot be used, and what to change. `code` is stable (`xpath.syntax`, `cycle`, …)."""

    code: str
    message: str
    remedy: str = ""
    origin: Origin | None = None

    def __str__(self) -> str:
        where = ""
        if self.origin is not None:
            line = _("{sheet}, row {row}, column {column}: ") if self.origin.column else _("{sheet}, row {row}: ")
            where = line.format(sheet=self.origin.sheet, row=self.origin.row, column=self.origin.column)
        return f"{where}{self.message}" + (f" {self.remedy}" if self.remedy else "")


class FormError(InputError):
    """A form cannot be loaded."""

    code = "form"
    template = "This form cannot be used:\n{summary}"
    hint = "Nothing was changed. Mend the workbook where it says, and check it again with `fieldsurvey forms check`."

    def __init__(self, problems: Sequence[FormProblem], **details: Any) -> None:
        super().__init__(summary=[line for problem in problems for line in str(problem).splitlines()], **details)
        self.problems = tuple(problems)


class NoSuchRefError(InputError):
    """A reference that is not in the form, has no such repeat instance, or is not relevant."""

    code = "form.ref"
    template = "There is no {ref} here."
    hint = "Nothing was changed. `fieldsurvey forms show FORM` lists the references."


class NotAnswerableError(RefusedError):
    """An answer to a read-only or irrelevant question."""

    code = "form.not_answerable"
    template = "{ref} cannot be answered now: {reason}."
    hint = "Nothing was changed."


class NotReadyError(RefusedError):
    """Finalising with problems that block."""

    code = "form.not_ready"
    template = "{count} answers still need attention."
    hint = "Nothing is lost. The review lists them; mend each, then finalise again."

    def __init__(self, problems: Sequence[Violation]) -> None:
        super().__init__(count=len(problems))
        self.problems = tuple(problems)
