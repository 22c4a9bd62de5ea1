"""Returned work: a record that the HMU sends back to the laptop that made it, with comments beside its questions.

A file is an FSB1 of kind `return`, signed by the HMU's role key: a clear manifest that says whose it is, and one frame,
sealed to that laptop's own recipient key: what the record said, and the comments.

    frame: wrap 1168 | body        bound to the manifest, so that no other manifest can be put before it

It does not decide whether the laptop takes it: see `fieldwork.returns`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from pydantic import Field, model_validator

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import Signer, open_container, write_container
from fieldsurvey.records.envelope import MAX_REVISION, body_length
from fieldsurvey.records.errors import AlteredError, ContainerError, FieldError, RecordFormatError, SignatureError
from fieldsurvey.records.labels import RETURN_BODY, RETURN_WRAP, bind
from fieldsurvey.records.padding import pad, unpad
from fieldsurvey.records.payload import Payload, Ref
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import SECRET_BYTES, WRAP_BYTES, RecipientPrivate, RecipientPublic
from fieldsurvey.records.signing import VerifyKey
from fieldsurvey.records.wire import Hash, Id, Instant, Wire

SUFFIX: Final = ".fsc"
"""Of its files; names are for people only."""
MAX_BODY: Final = 9 << 20
"""A record's payload, and the comments."""
MAX_BYTES: Final = 10 << 20
"""Of a file."""
MAX_COMMENTS: Final = 200
MAX_COMMENT: Final = 1_000
MAX_GENERAL: Final = 4_000


class ReturnManifest(Wire):
    """What a return shows without any key: revision `revision` of `case`, which `device` made as `record`.

    `withdrawal` is the case's tag: whoever carries a return can drop it when the case is withdrawn.
    """

    what: ClassVar[str] = "return"
    max_bytes: ClassVar[int] = 4096

    format: Literal["fieldsurvey return"] = "fieldsurvey return"
    format_version: Literal[1] = 1
    project: Id
    device: Id
    case: Id
    revision: Annotated[int, Field(ge=1, lt=MAX_REVISION)]
    record: Hash
    withdrawal: Hash | None = None


class Comment(Wire):
    """What the HMU says to one question, by its reference."""

    ref: Ref
    text: Annotated[str, Field(min_length=1, max_length=MAX_COMMENT)]


class ReturnedWork(Wire):
    """What only the laptop reads. `record`: the record's payload, without its paradata; `issued`: the HMU's clock.

    At most one comment a question; a comment or `general` is there.
    """

    what: ClassVar[str] = "returned work"
    max_bytes: ClassVar[int] = MAX_BODY

    format: Literal["fieldsurvey returned work"] = "fieldsurvey returned work"
    format_version: Literal[1] = 1
    issued: Instant
    record: Payload
    comments: Annotated[tuple[Comment, ...], Field(strict=False, max_length=MAX_COMMENTS)] = ()
    general: Annotated[str, Field(max_length=MAX_GENERAL)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> ReturnedWork:
        if len({comment.ref for comment in self.comments}) != len(self.comments):
            raise ValueError("a question twice")
        if not self.comments and not self.general.strip():
            raise ValueError("no comment")
        if self.record.paradata or self.record.mode == "practice":
            raise ValueError("record")
        return self

    def __repr__(self) -> str:
        return f"ReturnedWork({len(self.comments)} comments)"  # it holds answers


@dataclass(frozen=True, slots=True)
class SealedReturn:
    """A return that the HMU signed; nothing is opened. `digest`: SHA-256 of the manifest's bytes, its identity."""

    manifest: ReturnManifest
    digest: bytes
    data: bytes = field(repr=False)
    frame: bytes = field(repr=False)


def write_return(manifest: ReturnManifest, work: ReturnedWork, recipient: RecipientPublic, key: Signer) -> bytes:
    """The file. `recipient`: the device's; `key`: the HMU's role key. Raises FieldError for more than 9 MiB."""
    payload = work.to_bytes()
    if len(payload) > MAX_BODY:
        raise FieldError(what=work.what, field="*", reason="too long")
    content = manifest.content()
    digest = _digest(content)
    secret = secrets.token_bytes(SECRET_BYTES)
    wrap = recipient.wrap(secret, _info(digest, recipient))
    encryptor = Cobblestone256Encryptor(secret, _context(content, wrap))
    frame = b"".join((wrap, encryptor.update(pad(payload)), encryptor.finalize()))
    return b"".join(write_container("return", content, [frame], key))


def read_return(data: bytes, keys: Iterable[tuple[Role, VerifyKey]]) -> SealedReturn:
    """A return that an HMU role key of the project signed; `keys` as `Project.role_keys` gives them.

    Raises ContainerError, NotCanonicalError, FieldError, or SignatureError for an unsigned or foreign one.
    """
    container = open_container(data, "return", max_bytes=MAX_BYTES)
    if len(container.signatures) != 1:
        raise ContainerError(kind="return", reason="signatures")
    if len(container.table) != 1 or not _may_be_frame(container.table[0][1]):
        raise ContainerError(kind="return", reason="frames")
    manifest = ReturnManifest.from_bytes(canonical(container.manifest))
    for role, key in keys:
        if role is Role.HMU and key.id in container.signatures:
            container.verify(key)
            ((_address, frame),) = container.frames()
            return SealedReturn(manifest, hashlib.sha256(container.manifest_bytes).digest(), data, frame)
    raise SignatureError(what="return")


def open_return(sealed: SealedReturn, private: RecipientPrivate) -> ReturnedWork:
    """What the HMU says. Raises AlteredError when it is not sealed to this key, RecordFormatError, FieldError."""
    content = sealed.manifest.content()
    wrap = sealed.frame[:WRAP_BYTES]
    secret = private.unwrap(wrap, _info(_digest(content), private.public))
    decryptor = Cobblestone256Decryptor(secret, _context(content, wrap))
    try:
        # As in `envelope.open_record`: nothing is looked at until finalize() has passed.
        padded = decryptor.update(sealed.frame[WRAP_BYTES:]) + decryptor.finalize()
    except InvalidTag:
        raise AlteredError from None
    payload = unpad(padded)
    if payload is None:
        raise RecordFormatError(reason="padding")
    return ReturnedWork.from_bytes(payload)


def _may_be_frame(size: int) -> bool:
    return WRAP_BYTES + body_length(0) <= size <= WRAP_BYTES + body_length(MAX_BODY)


def _digest(content: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(content)).digest()


def _info(digest: bytes, recipient: RecipientPublic) -> bytes:
    return bind(RETURN_WRAP, digest, recipient.id)


def _context(content: dict[str, Any], wrap: bytes) -> bytes:
    return bind(RETURN_BODY, hashlib.sha256(canonical(content) + wrap).digest())
