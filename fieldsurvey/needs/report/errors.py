"""What the report refuses.

RefusedError
└── UnprotectedError   a value that is not protected was handed in
InputError
└── NoWordsError       there is no report in that language
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError


class UnprotectedError(RefusedError):
    """The report takes protected values only. Names the table and the rule, never the value."""

    code = "report.unprotected"
    template = "The report was not made: in the table `{table}`, {rule}."
    hint = "Nothing was written. Only protected tables may be handed to the report; this is a fault of the program."


class NoWordsError(InputError):
    """A language the report has no words for."""

    code = "report.language"
    template = "There is no report in the language `{language}`. It is written in: {known}."
    hint = "Nothing was written. Choose one of these languages."
