"""Don't know, prefers not to say, not applicable: coded answers, never blank and never zero.

A select carries them among its own choices, under the policy's codes; any other question names a companion select
(`fs:missing`, Question.missing_ref), which keys F5 to F7 fill. Where a form offers none, the keys say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fieldsurvey.xforms.contract import Interview, Question


class Missing(StrEnum):
    """The policy's codes, the same in every form."""

    DONT_KNOW = "dont_know"
    PREFERS_NOT = "prefers_not"
    NOT_APPLICABLE = "not_applicable"


SELECTS = frozenset({"select", "selectMultiple"})


@dataclass(frozen=True, slots=True)
class MissingOption:
    """One missing code a question allows: answering `ref` with `code` records it; `label` is the form's own."""

    code: Missing
    ref: str
    label: str


def missing_options(question: Question, interview: Interview) -> dict[Missing, MissingOption]:
    """The missing codes that this question allows now."""
    if question.missing_ref is not None:
        ref, choices = question.missing_ref, interview.question(question.missing_ref).choices
    elif question.type in SELECTS:
        ref, choices = question.ref, question.choices
    else:
        return {}
    labels = {choice.value: choice.label for choice in choices}
    return {code: MissingOption(code, ref, labels[code.value]) for code in Missing if code.value in labels}


def missing_now(question: Question, interview: Interview) -> MissingOption | None:
    """The missing code recorded for this question, if one is."""
    for option in missing_options(question, interview).values():
        value = question.value if option.ref == question.ref else interview.question(option.ref).value
        if value == option.code.value:
            return option
    return None
