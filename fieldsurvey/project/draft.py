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
    AlreadyRevokedError,
    BadValueError,
    ForeignCardError,
    NameTakenError,
    NoSuchPersonError,
    NotEnrolledError,
    PlanError,
    SensitiveMediaError,
    UnprovenCardError,
)
from fieldsurvey.project.formfile import FormFile
from fieldsurvey.project.model import (
    Device,
    Media,
    Person,
    PersonRole,
    Project,
    ProjectForm,
    Recipient,
    RecipientLabel,
    RevocationReason,
    RoleKey,
    Server,
)
from fieldsurvey.project.policy import Plan, Policy
from fieldsurvey.project.succession import Succession
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import VerifyKey
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
        """Trust a device from its first entry on. Raises ForeignCardError, AlreadyEnrolledError, UnprovenCardError.

        Where the log that a card goes on from is not in the project, its proof counts from when that is.
        """
        if card.project != self.model.id:
            raise ForeignCardError(name=card.name)
        if (known := self.model.device(card.device)) is not None:
            raise AlreadyEnrolledError(name=known.name, status=known.status)
        if card.parent is not None:
            former = self.model.device(card.parent.device)
            if card.proof is None or (former is not None and not card.goes_on_from(former.card)):
                raise UnprovenCardError(name=card.name, former=former.name if former else card.parent.device[:8])
        device = checked(Device, id=card.device, name=name or card.name, card=card)
        return self._with(devices=(*self.model.devices, device))

    def renew(self, expires: str) -> Self:
        """Move the day of expiry; raises BadValueError for what is no instant, or lies before `issued`."""
        if expires < self.model.issued:
            raise BadValueError(field="expires", reason=expires)
        return self._with(expires=expires)

    def revoke(self, device_id: str, from_seq: int, reason: RevocationReason) -> Self:
        """Stop trusting a device's log from entry `from_seq` on; a revocation can be moved to an earlier entry only.

        Raises NotEnrolledError, AlreadyRevokedError, BadValueError.
        """
        known = self.model.device(device_id)
        if known is None:
            raise NotEnrolledError(name=device_id)
        if known.revoked_from is not None and known.revoked_from <= from_seq:
            raise AlreadyRevokedError(name=known.name, number=known.revoked_from)
        changes = {"status": "revoked", "revoked_from": from_seq, "revoked_reason": reason}
        revoked = checked(Device, **{**dict(known), **changes})
        return self._with(devices=tuple(revoked if d.id == device_id else d for d in self.model.devices))

    def follow(self, step: Succession, root: VerifyKey) -> Self:
        """Hand the project over to `root`, for which the root before it signed in `step`."""
        return self._with(root=root.bytes.hex(), successions=(*self.model.successions, step))

    def add_recipient(self, recipient: Recipient) -> Self:
        """Seal to this key too, from the next interview on."""
        return self._with(recipients=(*self.model.recipients, recipient))

    def retire_recipients(self, at: str, *, round_id: str | None, label: RecipientLabel | None = None) -> Self:
        """Seal no more to the keys of a round (or of none) with that label, or any."""
        return self._with(
            recipients=tuple(
                r.model_copy(update={"retired": at})
                if r.active and r.round == round_id and label in {None, r.label}
                else r
                for r in self.model.recipients
            )
        )

    def set_role_key(self, role: Role, label: str, public: VerifyKey, at: str, person: str | None = None) -> Self:
        """Make this the role's only key; what the one before signs from now on is not taken."""
        kept = [
            r.model_copy(update={"retired": at}) if r.role is role and r.retired is None else r
            for r in self.model.roles
        ]
        entry = RoleKey(role=role, label=label, public=public.bytes.hex(), person=person)
        return self._with(roles=(*kept, entry))

    def set_person(self, code: str, label: str, role: PersonRole) -> Self:
        """Name somebody, or change what somebody is called and does. Raises BadValueError."""
        person = checked(Person, code=code, label=label or code, role=role)
        return self._with(people=(*(p for p in self.model.people if p.code != code), person))

    def leave(self, code: str, day: str) -> Self:
        """Somebody has left; the code stays, so that their records still say who asked. Raises NoSuchPersonError."""
        known = self.model.person(code)
        if known is None or known.left is not None:
            raise NoSuchPersonError(value=code)
        gone = checked(Person, **{**dict(known), "left": day})
        return self._with(people=tuple(gone if p.code == code else p for p in self.model.people))

    def add_person(self, code: str, label: str) -> Self:
        """Name an enumerator. Raises NameTakenError for a code in use, or one that is not a code."""
        if (known := self.model.person(code)) is not None:
            raise NameTakenError(value=code, reason=known.label)
        try:
            person = Person(code=code, label=label or code)
        except ValidationError as error:
            raise NameTakenError(value=code, reason=error.errors()[0]["type"]) from None
        return self._with(people=(*self.model.people, person))

    def set_servers(self, servers: Iterable[tuple[str, Iterable[str]]]) -> Self:
        """Where laptops send over HTTPS: (address, its two pins) each; none: by stick only. Raises BadValueError."""
        return self._with(servers=tuple(checked(Server, url=url, pins=tuple(pins)) for url, pins in servers))

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
