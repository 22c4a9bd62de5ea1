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
from fieldsurvey.records.wire import Hash, Id, Instant, Wire

MAX_BYTES: Final = 64 << 10


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


class Receipt(Wire):
    """`by` holds `device`'s log up to `up_to`, where its head is `head`. `issued` is the issuer's clock."""

    what: ClassVar[str] = "receipt"
    max_bytes: ClassVar[int] = MAX_BYTES

    format: Literal["fieldsurvey receipt"] = "fieldsurvey receipt"
    format_version: Literal[1] = 1
    project: Id
    device: Id
    up_to: Annotated[int, Field(ge=1, le=2**53 - 1)]
    head: Hash
    level: Annotated[Level, Field(strict=False)]
    by: Annotated[Role, Field(strict=False)]
    issued: Instant

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
