"""The device card: what a laptop shows to be enrolled, signed by itself.

It certifies the carrier key, a second Ed25519 pair that a locked laptop may use: it signs batch manifests and
requests, never log entries. It does not say that the device is trusted: the signed project does.

A card whose log goes on from another's (a new vault, a restored backup) is of version 2 and carries the proof: the
former carrier key's signature, which only the former laptop or its backup can make.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from fieldsurvey.base.canonical import canonical, parse_canonical
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.errors import FieldError, KeyFormatError
from fieldsurvey.records.labels import DEVICE_ID, SIGN_DEVICE_CARD, SIGN_NEW_LOG, hash_of, sequence
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.signing import ED25519, SigningKey, VerifyKey
from fieldsurvey.records.wire import Hash, Id, Instant, Label, Since, Wire, field_error

HexKey = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=4096)]


class LogParent(Wire):
    """The log that this device's log goes on from, after a new vault or a restored backup."""

    device: Id
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]
    head: Hash


class _CardBody(Wire):
    what: ClassVar[str] = "device card"
    max_bytes: ClassVar[int] = 16 << 10

    format: Literal["fieldsurvey device card"] = "fieldsurvey device card"
    format_version: Literal[1, 2] = 1
    project: Id
    device: Id
    name: Label
    created: Instant
    sign: HexKey
    carrier: HexKey
    hpke: HexKey
    parent: LogParent | None = None
    proof: Annotated[str | None, Field(pattern=r"^[0-9a-f]{130}$"), Since(2)] = None


class DeviceCard(_CardBody):
    """Public keys of one device, self-signed. `device` follows from the signing key: nobody can claim another's id.

    `name` is what people call the laptop, `created` the laptop's own clock. `proof`: see `goes_on_from`.
    """

    signature: HexKey

    @model_validator(mode="after")
    def _holds(self) -> DeviceCard:
        if self.sign_key.algorithm != ED25519 or self.carrier_key.algorithm != ED25519:
            raise KeyFormatError(reason="algorithm")
        if self.carrier_key == self.sign_key:
            raise KeyFormatError(reason="one key for two purposes")
        if self.device != device_id(self.sign_key):
            raise FieldError(what=self.what, field="device", reason="not of this key")
        if (self.format_version > 1) is not (self.parent is not None and self.proof is not None):
            raise FieldError(what=self.what, field="proof", reason="not of this version")
        _ = self.recipient
        self.sign_key.verify(SIGN_DEVICE_CARD, _unsigned(self), bytes.fromhex(self.signature), self.what)
        return self

    @classmethod
    def make(
        cls,
        key: SigningKey,
        *,
        project: str,
        name: str,
        carrier: VerifyKey,
        recipient: RecipientPublic,
        created: str,
        parent: LogParent | None = None,
        former: SigningKey | None = None,
    ) -> DeviceCard:
        """A card signed by `key`. `created` is an ISO 8601 instant. Raises FieldError for an empty or long name.

        `parent` with `former`, the carrier key of its device, gives a card of version 2; without, one that only claims.
        """
        proof = None
        if parent is not None and former is not None:
            proof = former.sign(SIGN_NEW_LOG, _new_log(project, device_id(key.public), parent)).hex()
        try:
            body = _CardBody(
                format_version=1 if proof is None else 2,
                proof=proof,
                project=project,
                device=device_id(key.public),
                name=name,
                created=created,
                sign=key.public.bytes.hex(),
                carrier=carrier.bytes.hex(),
                hpke=recipient.bytes.hex(),
                parent=parent,
            )
        except ValidationError as error:
            raise field_error(cls.what, error) from None
        signature = key.sign(SIGN_DEVICE_CARD, body.to_bytes())
        return cls.model_validate({**dict(body), "signature": signature.hex()})

    @property
    def sign_key(self) -> VerifyKey:
        """Verifies log entries."""
        return VerifyKey(bytes.fromhex(self.sign))

    @property
    def carrier_key(self) -> VerifyKey:
        """Verifies batch manifests and requests."""
        return VerifyKey(bytes.fromhex(self.carrier))

    def goes_on_from(self, former: DeviceCard) -> bool:
        """Whether its log goes on from `former`'s: it says so, and `former`'s carrier key has signed it.

        Never for a card of version 1, which only says so.
        """
        if self.parent is None or self.proof is None:
            return False
        if self.parent.device != former.device or self.project != former.project:
            return False
        signed = _new_log(self.project, self.device, self.parent)
        try:
            former.carrier_key.verify(SIGN_NEW_LOG, signed, bytes.fromhex(self.proof), self.what)
        except UntrustedError:
            return False
        return True

    @property
    def recipient(self) -> RecipientPublic:
        """To whom returned work is sealed."""
        return RecipientPublic(bytes.fromhex(self.hpke))


def device_id(key: VerifyKey) -> str:
    """32 hexadecimal digits that follow from the device's signing key."""
    return hash_of(DEVICE_ID, key.bytes)[:16].hex()


def _new_log(project: str, device: str, parent: LogParent) -> bytes:
    """Project, device, the device before, its last entry, the head there: 16, 16, 16, 8 and 32 bytes."""
    ids = (bytes.fromhex(one) for one in (project, device, parent.device))
    return b"".join((*ids, sequence(parent.seq), bytes.fromhex(parent.head)))


def _unsigned(card: DeviceCard) -> bytes:
    body: dict[str, Any] = parse_canonical(card.to_bytes())
    del body["signature"]
    return canonical(body)
