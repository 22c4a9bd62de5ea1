"""The next version of a project, not yet signed: every change that a steward may make, as plain functions on values.

It writes nothing and signs nothing: see `steward`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from fieldsurvey.project.errors import (
    AlreadyEnrolledError,
    BadValueError,
    ForeignCardError,
    NameTakenError,
    PlanError,
    SensitiveMediaError,
)
from fieldsurvey.project.formfile import FormFile
from fieldsurvey.project.model import Device, Media, Person, Project, ProjectForm
from fieldsurvey.project.policy import Plan, Policy
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.wire import Wire

W = TypeVar("W", bound=Wire)


class Draft:
    """A project's content on its way to the next signature. Methods return the draft itself."""

    def __init__(self, model: Project, frames: Mapping[str, bytes]) -> None:
        self.model = model
        self.frames = dict(frames)

    def add_form(self, form: FormFile, *, about_people: bool = True, allow: Iterable[str] = ()) -> Self:
        """Add a form, or its next version; the version before stays for its drafts and records.

        Raises SensitiveMediaError for a form about people that asks for more than it may, unless each type is in
        `allow`, which the signed project then says.
        """
        allowed = tuple(sorted(set(allow)))
        refused = sorted({kind for kind, _ in form.sensitive} - set(allowed)) if about_people else []
        if refused:
            what = ", ".join(f"{kind} ({ref})" for kind, ref in form.sensitive if kind in refused)
            raise SensitiveMediaError(form=form.id, what=what)
        entry = checked(
            ProjectForm,
            id=form.id,
            version=form.version,
            title=form.title,
            hash=self._frame(form.xform),
            about_people=about_people,
            allowed=allowed,
            media=tuple(Media(name=name, hash=self._frame(form.media[name])) for name in sorted(form.media)),
        )
        kept = tuple(
            f.model_copy(update={"status": "earlier"}) if f.id == entry.id else f
            for f in self.model.forms
            if f.hash != entry.hash
        )
        return self._with(forms=(*kept, entry))

    def set_indicators(self, csv: bytes) -> Self:
        """The table that drives the HMU's tables."""
        return self._with(indicators=self._frame(csv))

    def set_plan(self, plan: Plan) -> Self:
        """The rounds."""
        return self._with(plan=plan)

    def set_policy(self, **changes: Any) -> Self:
        """Change the policy's fields named. Raises BadValueError when a value is out of bounds."""
        return self._with(policy=checked(Policy, **{**dict(self.model.policy), **changes}))

    def enrol(self, card: DeviceCard, *, name: str | None = None) -> Self:
        """Trust a device from its first entry on. Raises ForeignCardError, AlreadyEnrolledError."""
        if card.project != self.model.id:
            raise ForeignCardError(name=card.name)
        if (known := self.model.device(card.device)) is not None:
            raise AlreadyEnrolledError(name=known.name, status=known.status)
        device = checked(Device, id=card.device, name=name or card.name, card=card)
        return self._with(devices=(*self.model.devices, device))

    def add_person(self, code: str, label: str) -> Self:
        """Name an enumerator. Raises NameTakenError for a code in use, or one that is not a code."""
        if (known := self.model.person(code)) is not None:
            raise NameTakenError(value=code, reason=known.label)
        try:
            person = Person(code=code, label=label or code)
        except ValidationError as error:
            raise NameTakenError(value=code, reason=error.errors()[0]["type"]) from None
        return self._with(people=(*self.model.people, person))

    def prune(self) -> Self:
        """Drop frames that nothing names any more."""
        model = self.model
        named = {form.hash for form in model.forms} | {item.hash for form in model.forms for item in form.media}
        self.frames = {key: data for key, data in self.frames.items() if key in named or key == model.indicators}
        return self

    def _frame(self, data: bytes) -> str:
        address = hashlib.sha256(data).hexdigest()
        self.frames[address] = data
        return address

    def _with(self, **changes: Any) -> Self:
        self.model = checked(Project, **{**dict(self.model), **changes})
        return self


def checked(kind: type[W], **fields: Any) -> W:
    """A `kind` of these fields. Raises BadValueError, which names the field and not its value."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or kind.__name__
        raise BadValueError(field=field, reason=first["msg"]) from None


def read_plan(data: bytes, place: str = "plan") -> Plan:
    """A plan from JSON written by people: any white space and order. Raises PlanError."""
    try:
        return Plan.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanError(place=place, reason=f"{where}: {first['msg']}" if where else first["msg"]) from None
