"""Attachments: a file as parts, each a sealed record of kind `attachment` whose payload is that part's bytes.

The record of the interview names the parts by record hash, in their order, with the whole size: what is missing,
exchanged, repeated or another case's is seen before a byte of it is used. One part is in memory at a time. It does not
remove what a file says of its maker: that has to happen before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from fieldsurvey.records.envelope import Header, open_record, record_hash, seal
from fieldsurvey.records.errors import AttachmentError
from fieldsurvey.records.payload import Attachment
from fieldsurvey.records.recipients import RecipientPrivate, RecipientPublic

PART_BYTES: Final = 2 << 20
"""How much of a file our parts hold."""
MAX_PART: Final = 4 << 20
"""How much a part may hold."""
MAX_PARTS: Final = 4096


def seal_parts(header: Header, content: Iterable[bytes], recipients: Sequence[RecipientPublic]) -> Iterator[bytes]:
    """The parts of `content` (bytes in any pieces, each at most a few MiB) as sealed records, one after the other.

    `header` is of kind `attachment` and of the interview's case. Raises NoRecipientError, AttachmentError for a file
    of more than 4,096 parts; an empty file has none.
    """
    for number, part in enumerate(cut(content, PART_BYTES), 1):
        if number > MAX_PARTS:
            raise AttachmentError(reason="parts")
        yield seal(header, part, recipients)


def open_parts(
    attachment: Attachment, header: Header, load: Callable[[bytes], bytes | None], *privates: RecipientPrivate
) -> Iterator[bytes]:
    """The file's bytes, part by part, each verified before it is given out; nothing may be kept unless the end came.

    `attachment` is what the payload of the record with `header` says; `load(record hash)` gives a part's record, None
    where there is none. Raises AttachmentError, and what `envelope.open_record` raises.
    """
    if len(set(attachment.parts)) != len(attachment.parts):
        raise AttachmentError(reason="a part twice")
    left = attachment.size
    for name in attachment.parts:
        wanted = bytes.fromhex(name)
        blob = load(wanted)
        if blob is None:
            raise AttachmentError(reason="a part is missing")
        if record_hash(blob) != wanted:
            raise AttachmentError(reason="another part")
        opened = open_record(blob, *privates)
        found = opened.header
        if found.kind != "attachment" or (found.project, found.case) != (header.project, header.case):
            raise AttachmentError(reason="a part of something else")
        left -= len(opened.payload)
        if not 1 <= len(opened.payload) <= MAX_PART or left < 0:
            raise AttachmentError(reason="length")
        yield opened.payload
    if left:
        raise AttachmentError(reason="length")


def unnamed(attachments: Iterable[Attachment], held: Iterable[bytes]) -> list[bytes]:
    """Which of the attachment records `held` (record hashes) of a case belong to no file of its records."""
    named = {bytes.fromhex(part) for attachment in attachments for part in attachment.parts}
    return [address for address in held if address not in named]


def cut(content: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of `size`, the last one shorter; never an empty one."""
    held = bytearray()
    for piece in content:
        held += piece
        while len(held) >= size:
            yield bytes(memoryview(held)[:size])
            del held[:size]
    if held:
        yield bytes(held)
