"""Receipts: central's signed word (or a relay's weaker one) that it holds a device's log up to an entry.

Only central's "backed up" ever allows a purge. A receipt file is an FSB1 of kind `receipt` without frames. It does
not decide what a device does with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import Signer, open_container, write_container
from fieldsurvey.records.errors import SignatureError
from fieldsurvey.records.signing import VerifyKey
from fieldsurvey.records.wire import Hash, Id, Instant, Since, Wire

MAX_BYTES: Final = 64 << 10
MAX_ABSENT: Final = 1_000
"""Stretches in one receipt."""


class Role(StrEnum):
    """Who signs for a project, apart from its root."""

    HMU = "hmu"
    CENTRAL = "central"
    SUPERVISOR = "supervisor"


class Level(StrEnum):
    """How safely the log is held, weakest first."""

    RECEIVED = "received"
    COMMITTED = "committed"
    BACKED_UP = "backed_up"


Seq = Annotated[int, Field(ge=1, le=2**53 - 1)]
Stretch = Annotated[tuple[Seq, Seq], Field(strict=False)]
"""First and last entry."""


def stretches_fit(stretches: Iterable[tuple[int, int]], up_to: int) -> bool:
    """Whether they come in order, apart, within a log that ends at `up_to`."""
    before = -1
    for first, last in stretches:
        if not before + 1 < first <= last <= up_to:
            return False
        before = last
    return True


class Receipt(Wire):
    """`by` holds `device`'s log up to `up_to`, where its head is `head`. `issued` is the issuer's clock.

    `absent`: stretches of entries, in order, whose records `by` does not hold because the device is said to have erased
    them. Only the device knows whether it did: it takes no receipt that names another. Version 2 has them, version 1
    has none.
    """

    what: ClassVar[str] = "receipt"
    max_bytes: ClassVar[int] = MAX_BYTES

    format: Literal["fieldsurvey receipt"] = "fieldsurvey receipt"
    format_version: Literal[1, 2] = 1
    project: Id
    device: Id
    up_to: Seq
    head: Hash
    level: Annotated[Level, Field(strict=False)]
    by: Annotated[Role, Field(strict=False)]
    issued: Instant
    absent: Annotated[tuple[Stretch, ...], Field(strict=False, max_length=MAX_ABSENT), Since(2)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Receipt:
        if (self.format_version == 2) != bool(self.absent):  # one receipt has one encoding
            raise ValueError("version")
        if not stretches_fit(self.absent, self.up_to):
            raise ValueError("absent")
        return self

    @model_validator(mode="after")
    def _role_may(self) -> Receipt:
        if self.level is not Level.RECEIVED and self.by is Role.SUPERVISOR:
            raise ValueError("level")
        return self


def write_receipt(receipt: Receipt, key: Signer) -> bytes:
    """The receipt as a file, signed by the key of the role `receipt.by`."""
    return b"".join(write_container("receipt", receipt.content(), (), key))


def read_receipt(data: bytes, keys: Iterable[tuple[Role, VerifyKey]]) -> Receipt:
    """A receipt that one of the project's role keys signed, in the role it claims.

    Raises ContainerError, NotCanonicalError, FieldError, or SignatureError for an unsigned or foreign one.
    """
    container = open_container(data, "receipt", max_bytes=MAX_BYTES)
    container.read_all()
    receipt = Receipt.from_bytes(canonical(container.manifest))
    for role, key in keys:
        if role == receipt.by and key.id in container.signatures:
            container.verify(key)
            return receipt
    raise SignatureError(what="receipt")
