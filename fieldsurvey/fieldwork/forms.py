"""Loaded forms, by the hash of their compiled XForm: the project's current ones, and earlier ones that drafts need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fieldsurvey.fieldwork.errors import FormGoneError, NoSuchFormError
from fieldsurvey.fieldwork.saved import FormKey
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Form

_CODE: Final = re.compile(r"\(([^()]+)\)\s*$")


def offered_languages(form: Form, policy: Policy) -> tuple[str, ...]:
    """The form's languages that the policy names (`Español (es)` by its code), in the form's order.

    The form's default language when there is none of them: a form can always be asked.
    """
    allowed = {code.casefold() for code in policy.languages}
    found = tuple(name for name in form.languages if _code(name) in allowed or name.casefold() in allowed)
    return found or (form.default_language,)


def _code(language: str) -> str:
    match = _CODE.search(language)
    return (match[1] if match else language).strip().casefold()


class FormShelf:
    """Each form is loaded once."""

    def __init__(self, project: SignedProject) -> None:
        self._project = project
        self._loaded: dict[str, Form] = {}

    def current(self, form_id: str) -> tuple[FormKey, Form]:
        """The version that new interviews take. Raises NoSuchFormError, FormError."""
        form = self._project.model.form(form_id)
        if form is None:
            known = ", ".join(form.id for form in self._project.model.current_forms) or "-"
            raise NoSuchFormError(form=form_id, known=known)
        key = FormKey(form.id, form.version, form.hash)
        return key, self.exactly(key)

    def exactly(self, key: FormKey) -> Form:
        """The form a draft was begun with. Raises FormGoneError when the project does not hold it any more."""
        if key.hash not in self._loaded:
            xform = self._project.form_bytes_of(key.hash)
            if xform is None:
                raise FormGoneError(form=key.id, version=key.version)
            from fieldsurvey.xforms import load_form  # start-up: the engine loads while the passphrase is typed

            self._loaded[key.hash] = load_form(xform, self._project.media_of(key.hash))
        return self._loaded[key.hash]
