"""Notes of backups: central's signed word, given when a backup was made and looked through, on what it holds of a log.

A note is an FSB1 of kind `backup` without frames, signed with central's role key. It lies in central's database and
never travels: from it central gives its "backed up" receipts, which it signs anew. It does not say where the file is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import Signer, open_container, write_container
from fieldsurvey.records.errors import ContainerError, SignatureError
from fieldsurvey.records.receipt import MAX_ABSENT, Seq, Stretch, stretches_fit
from fieldsurvey.records.signing import VerifyKey
from fieldsurvey.records.wire import Hash, Id, Instant, Wire

MAX_BYTES: Final = 64 << 10


class BackupNote(Wire):
    """The backup whose file has this SHA-256, made at `at` (central's clock), holds `device`'s log up to `up_to`.

    `head` is the log's there. `absent`: stretches of entries, in order, whose records it does not hold because the
    device was said to have erased them.
    """

    what: ClassVar[str] = "backup note"
    max_bytes: ClassVar[int] = MAX_BYTES

    format: Literal["fieldsurvey central backup"] = "fieldsurvey central backup"
    format_version: Literal[1] = 1
    project: Id
    device: Id
    up_to: Seq
    head: Hash
    absent: Annotated[tuple[Stretch, ...], Field(strict=False, max_length=MAX_ABSENT)] = ()
    at: Instant
    sha256: Hash

    @model_validator(mode="after")
    def _in_order(self) -> BackupNote:
        if not stretches_fit(self.absent, self.up_to):
            raise ValueError("absent")
        return self


def write_note(note: BackupNote, key: Signer) -> bytes:
    """The note, signed with central's role key."""
    return b"".join(write_container("backup", note.content(), (), key))


def read_note(data: bytes, keys: Iterable[VerifyKey]) -> BackupNote:
    """A note that one of these keys signed.

    Raises ContainerError, NotCanonicalError, FieldError, or SignatureError for an unsigned or foreign one.
    """
    container = open_container(data, "backup", max_bytes=MAX_BYTES)
    if container.table or len(container.signatures) != 1:  # any more would be bytes that nobody verified
        raise ContainerError(kind="backup", reason="frames" if container.table else "signatures")
    container.read_all()
    note = BackupNote.from_bytes(canonical(container.manifest))
    for key in keys:
        if key.id in container.signatures:
            container.verify(key)
            return note
    raise SignatureError(what="backup note")
