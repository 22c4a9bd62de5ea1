"""The project: whom a laptop trusts, to whom it seals, what it asks, by which rules. The manifest of an .fsp file.

Keys and people that are done with stay listed, with the day: old records, logs and ledgers name them.

Whether it is signed, and by whom, is `signed`'s business; how it is made and widened, `steward`'s.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from fieldsurvey.project.policy import Plan, Policy
from fieldsurvey.project.succession import Succession, check_chain
from fieldsurvey.records.device import DeviceCard, HexKey
from fieldsurvey.records.envelope import MAX_RECIPIENTS
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.signing import ED25519_MLDSA65, VerifyKey
from fieldsurvey.records.wire import Code, Day, Hash, Id, Instant, Label, Since, Wire

MAX_DEVICES: Final = 1000
MAX_LISTED: Final = 200
MAX_SUCCESSIONS: Final = 16
MAX_SERVERS: Final = 4
WARN_DAYS: Final = 30
"""Before a project expires, people are reminded for so many days."""
RecipientLabel = Literal["operational", "escrow"]
PersonRole = Literal["enumerator", "supervisor", "hmu", "steward"]
RevocationReason = Literal["lost", "stolen", "left", "broken"]
# Checking a recipient key costs as much as sealing to it: the same few keys are asked for with every record.
_recipient_key = lru_cache(maxsize=64)(lambda public: RecipientPublic(bytes.fromhex(public)))
_verify_key = lru_cache(maxsize=256)(lambda public: VerifyKey(bytes.fromhex(public)))

FormId = Annotated[str, Field(min_length=1, max_length=200)]


class Recipient(Wire):
    """To whom records are sealed: those of `round`, or of days that no round's key covers. `id` follows from `public`.

    `created` and `retired` are the steward's clock; to a retired one nothing is sealed any more.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    label: RecipientLabel
    public: HexKey
    round: Code | None = None
    created: Instant | None = None
    retired: Instant | None = None

    @model_validator(mode="after")
    def _id_fits(self) -> Recipient:
        if self.key.id.hex() != self.id:
            raise ValueError("recipient id")
        return self

    @classmethod
    def of(
        cls, label: RecipientLabel, key: RecipientPublic, *, round_id: str | None = None, created: str | None = None
    ) -> Recipient:
        """The entry for a key."""
        return cls(id=key.id.hex(), label=label, public=key.bytes.hex(), round=round_id, created=created)

    @property
    def active(self) -> bool:
        """Whether records are sealed to it."""
        return self.retired is None

    @property
    def key(self) -> RecipientPublic:
        """The key itself."""
        return _recipient_key(self.public)


class RoleKey(Wire):
    """Who may sign receipts and returned work. What a retired one signs is no longer taken."""

    role: Annotated[Role, Field(strict=False)]
    label: Label
    public: HexKey
    person: Code | None = None
    retired: Instant | None = None

    @model_validator(mode="after")
    def _is_key(self) -> RoleKey:
        _ = self.key
        return self

    @property
    def key(self) -> VerifyKey:
        """The key itself."""
        return _verify_key(self.public)


class Device(Wire):
    """An enrolled laptop. From entry `revoked_from` on, its log is quarantined."""

    id: Id
    name: Label
    card: DeviceCard
    status: Literal["enrolled", "revoked"] = "enrolled"
    revoked_from: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    revoked_reason: RevocationReason | None = None

    @model_validator(mode="after")
    def _fits(self) -> Device:
        if self.revoked_reason is not None and self.status != "revoked":
            raise ValueError("revoked_reason")
        if self.card.device != self.id:
            raise ValueError("device id")
        if (self.status == "revoked") != (self.revoked_from is not None):
            raise ValueError("revoked_from")
        return self


class Person(Wire):
    """Somebody of the project: `code` is what records carry, `label` what colleagues call them."""

    code: Code
    label: Label
    role: PersonRole = "enumerator"
    left: Day | None = None


class Media(Wire):
    """A file that a form uses (a list of choices, a picture card); a name to look it up by, never a path."""

    name: Label
    hash: Hash


class ProjectForm(Wire):
    """A compiled form; `hash` is the SHA-256 of its XForm and the address of its frame.

    Earlier versions stay, so that their drafts and records can still be read. `allowed` names the sensitive question
    types that a form about people may use all the same.
    """

    id: FormId
    version: Annotated[str, Field(max_length=200)]
    title: Label
    hash: Hash
    status: Literal["current", "earlier"] = "current"
    about_people: bool = True
    allowed: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    media: Annotated[tuple[Media, ...], Field(strict=False)] = ()


class Server(Wire):
    """Where laptops send over HTTPS. `pins`: SHA-256 of the server's two TLS public keys (SPKI), in use and spare.

    Its certificate's name, dates and issuer say nothing: only who holds one of these two keys is the server.
    """

    url: Annotated[str, Field(pattern=r"^https://([0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?$")]
    pins: Annotated[tuple[Hash, Hash], Field(strict=False)]

    @model_validator(mode="after")
    def _two_keys(self) -> Server:
        if self.pins[0] == self.pins[1]:
            raise ValueError("pin twice")
        return self


class Project(Wire):
    """The whole. `version` only ever grows; `issued` and `expires` are the steward's clock.

    `servers`: the same central at one address or more, in the order in which laptops try them.
    """

    what: ClassVar[str] = "project"

    format: Literal["fieldsurvey project"] = "fieldsurvey project"
    format_version: Literal[1, 2] = 2
    id: Id
    name: Label
    version: Annotated[int, Field(ge=1, le=2**31)]
    issued: Instant
    expires: Instant
    root: HexKey
    successions: Annotated[tuple[Succession, ...], Field(strict=False, max_length=MAX_SUCCESSIONS)] = ()
    recipients: Annotated[tuple[Recipient, ...], Field(strict=False, min_length=1, max_length=MAX_LISTED)]
    roles: Annotated[tuple[RoleKey, ...], Field(strict=False, max_length=MAX_LISTED)]
    devices: Annotated[tuple[Device, ...], Field(strict=False, max_length=MAX_DEVICES)] = ()
    people: Annotated[tuple[Person, ...], Field(strict=False, max_length=10_000)] = ()
    forms: Annotated[tuple[ProjectForm, ...], Field(strict=False, max_length=1000)] = ()
    indicators: Hash | None = None
    plan: Plan = Plan()
    policy: Policy = Policy()
    servers: Annotated[tuple[Server, ...], Since(2), Field(strict=False, max_length=MAX_SERVERS)] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Project:
        if self.root_key.algorithm != ED25519_MLDSA65:
            raise ValueError("root algorithm")
        current = [form.id for form in self.forms if form.status == "current"]
        for name, values in (
            ("recipient", [r.id for r in self.recipients]),
            ("role key", [r.public for r in self.roles]),
            ("device", [d.id for d in self.devices]),
            ("person", [p.code for p in self.people]),
            ("form hash", [f.hash for f in self.forms]),
            ("current form", current),
            ("server", [server.url for server in self.servers]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} twice")
        if {form.id for form in self.forms} != set(current):
            raise ValueError("form without current version")
        if any(device.card.project != self.id for device in self.devices):
            raise ValueError("device of another project")
        rounds = {r.id for r in self.plan.rounds}
        if any(r.round is not None and r.round not in rounds for r in self.recipients):
            raise ValueError("recipient of an unknown round")
        for code in {r.round for r in self.recipients}:
            if len(self._active(code)) > MAX_RECIPIENTS:
                raise ValueError("too many recipients at a time")
        check_chain(self.id, self.version, self.successions, self.root_key)
        return self

    @property
    def root_key(self) -> VerifyKey:
        """Verifies this project."""
        return _verify_key(self.root)

    @property
    def root_fingerprints(self) -> tuple[str, ...]:
        """Of every root that this project ever had, the present one last: each signed for the one after it."""
        return (*(s.root_key.fingerprint for s in self.successions), self.root_key.fingerprint)

    @property
    def recipient_keys(self) -> tuple[RecipientPublic, ...]:
        """To whom what belongs to no round is sealed."""
        return tuple(recipient.key for recipient in self._active(None))

    def recipients_on(self, day: str) -> tuple[Recipient, ...]:
        """To whom an interview whose fieldwork date is `day` (YYYY-MM-DD) is sealed.

        Those of the round that holds the day; else of the latest round begun by then; else those of no round. Keys
        retired, and sets without an operational key, do not count. Empty when nobody at the HMU could open it: then
        nothing may be sealed.
        """
        begun = sorted((r for r in self.plan.rounds if r.start <= day), key=lambda r: r.start, reverse=True)
        for code in (*(r.id for r in begun), None):
            found = self._active(code)
            if any(recipient.label == "operational" for recipient in found):
                return found
        return ()

    @property
    def sealing_sets(self) -> dict[str | None, tuple[Recipient, ...]]:
        """Round (None: of no round) -> its recipients that are not retired, where there are any."""
        return {code: self._active(code) for code in {r.round for r in self.recipients if r.active}}

    def _active(self, round_id: str | None) -> tuple[Recipient, ...]:
        return tuple(r for r in self.recipients if r.active and r.round == round_id)

    @property
    def role_keys(self) -> tuple[tuple[Role, VerifyKey], ...]:
        """What `read_receipt` takes: the keys that are not retired."""
        return tuple((role.role, role.key) for role in self.roles if role.retired is None)

    @property
    def retired_role_keys(self) -> tuple[tuple[Role, VerifyKey], ...]:
        """Those that signed once: a receipt of theirs is not taken, but nobody forged it."""
        return tuple((role.role, role.key) for role in self.roles if role.retired is not None)

    @property
    def current_forms(self) -> tuple[ProjectForm, ...]:
        """What laptops offer."""
        return tuple(form for form in self.forms if form.status == "current")

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative once it has."""
        return (datetime.fromisoformat(self.expires) - now).days

    def device(self, device_id: str) -> Device | None:
        """The enrolled or revoked device of that id."""
        return next((device for device in self.devices if device.id == device_id), None)

    def before(self, device: Device) -> Device | None:
        """The device whose log this one's goes on from, if it is in the project and its key proves it.

        A card of version 1 has no proof: the steward judged it when it was enrolled. None is enrolled any more.
        """
        card = device.card
        former = self.device(card.parent.device) if card.parent else None
        if former is None or not (card.proof is None or card.goes_on_from(former.card)):
            return None
        return former

    def person(self, code: str) -> Person | None:
        """The enumerator of that code."""
        return next((person for person in self.people if person.code == code), None)

    def form(self, form_id: str) -> ProjectForm | None:
        """The current version of a form."""
        return next((form for form in self.current_forms if form.id == form_id), None)

    def form_of_hash(self, form_hash: str) -> ProjectForm | None:
        """A form exactly, earlier versions included."""
        return next((form for form in self.forms if form.hash == form_hash), None)
