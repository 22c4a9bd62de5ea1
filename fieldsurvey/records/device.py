"""The device card: what a laptop shows to be enrolled, signed by itself.

It certifies the carrier key, a second Ed25519 pair that a locked laptop may use: it signs batch manifests and
requests, never log entries. It does not say that the device is trusted: the signed project does.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from fieldsurvey.base.canonical import canonical, parse_canonical
from fieldsurvey.records.errors import FieldError, KeyFormatError
from fieldsurvey.records.labels import DEVICE_ID, SIGN_DEVICE_CARD, hash_of
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.signing import ED25519, SigningKey, VerifyKey
from fieldsurvey.records.wire import Hash, Id, Instant, Label, Wire, field_error

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
    format_version: Literal[1] = 1
    project: Id
    device: Id
    name: Label
    created: Instant
    sign: HexKey
    carrier: HexKey
    hpke: HexKey
    parent: LogParent | None = None


class DeviceCard(_CardBody):
    """Public keys of one device, self-signed. `device` follows from the signing key: nobody can claim another's id.

    `name` is what people call the laptop, `created` the laptop's own clock.
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
    ) -> DeviceCard:
        """A card signed by `key`. `created` is an ISO 8601 instant. Raises FieldError for an empty or long name."""
        try:
            body = _CardBody(
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

    @property
    def recipient(self) -> RecipientPublic:
        """To whom returned work is sealed."""
        return RecipientPublic(bytes.fromhex(self.hpke))


def device_id(key: VerifyKey) -> str:
    """32 hexadecimal digits that follow from the device's signing key."""
    return hash_of(DEVICE_ID, key.bytes)[:16].hex()


def _unsigned(card: DeviceCard) -> bytes:
    body: dict[str, Any] = parse_canonical(card.to_bytes())
    del body["signature"]
    return canonical(body)
