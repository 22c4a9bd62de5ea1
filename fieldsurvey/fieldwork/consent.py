"""Consent, per purpose and version of its words, as it is stored with the record. Which questions ask for it is said by
the form, with `fs:consent` on their binds; no form is known here.

A refusal is one count and nothing else: without consent to the form's first purpose, or to one that the policy asks
for, nothing of the conversation but the form's own (emptied) answers goes into the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.records.payload import Consent

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Form, Interview
    from fieldsurvey.xforms.form import LoadedForm

PURPOSE: Final = "fs:consent"
"""On the bind of a question outside repeats: the purpose (a code) to which its answer consents."""
VERSION: Final = "fs:consentVersion"
"""On the same bind: the version of the words that were read out; without it, the form's version."""
GIVEN: Final = "yes"
"""The one answer that consents; any other is a refusal."""

Said = tuple[str, str, str]
"""The answer ("" for none), when it was given (ISO 8601), and the language of the words then."""


class ConsentNotAskedError(RefusedError):
    """A form about people that does not ask for a consent which the policy demands."""

    code = "fieldwork.consent_not_asked"
    template = "The form {form} does not ask for a consent that this project demands ({purposes})."
    hint = "Nothing was changed, and nothing may be asked with this form. Tell the project's steward."


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that asks for consent to one purpose."""

    ref: str
    purpose: str
    version: str


def asked_by(form: Form) -> tuple[Asked, ...]:
    """The form's questions of consent, in its order."""
    nodes = cast("LoadedForm", form).nodes
    return tuple(
        Asked(node.path, purpose, node.bind.extra.get(VERSION, "").strip() or form.version)
        for node in nodes
        if node.bind is not None and (purpose := node.bind.extra.get(PURPOSE, "").strip())
    )


def check_asked(form: Form, about_people: bool, required: Iterable[str]) -> None:
    """Raises ConsentNotAskedError."""
    missing = set(required) - {asked.purpose for asked in asked_by(form)}
    if about_people and missing:
        raise ConsentNotAskedError(form=form.id, purposes=", ".join(sorted(missing)))


def heard(asked: Iterable[Asked], interview: Interview, before: Mapping[str, Said], now: str) -> dict[str, Said]:
    """What was said since `before`, by reference. An answer that did not change keeps its time and language."""
    found = {}
    for one in asked:
        value = interview.question(one.ref).value or ""
        if value != before.get(one.ref, ("",))[0]:
            found[one.ref] = (value, now, interview.language)
    return found


def consents(asked: Sequence[Asked], interview: Interview, said: Mapping[str, Said]) -> tuple[Consent, ...]:
    """For the record: what stands at the end. A question that was not reached, or does not apply, is left out."""
    found = []
    for one in asked:
        question = interview.question(one.ref)
        if question.relevant and question.value and one.ref in said:
            _, at, language = said[one.ref]
            given = question.value == GIVEN
            found.append(Consent(purpose=one.purpose, version=one.version, language=language, given=given, at=at))
    return tuple(found)


def is_kept(asked: Sequence[Asked], consented: Iterable[Consent], required: Collection[str]) -> bool:
    """Whether more than the count may be kept: the first purpose, and each that is required, was consented to."""
    given = {consent.purpose for consent in consented if consent.given}
    purposes = [one.purpose for one in asked]
    return {*purposes[:1], *(set(required) & set(purposes))} <= given
