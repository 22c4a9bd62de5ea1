"""Files in sealed parts: they come back whole, and nothing missing, exchanged, repeated or foreign is taken."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.records import attachments
from fieldsurvey.records.attachments import PART_BYTES, cut, open_parts, seal_parts, unnamed
from fieldsurvey.records.envelope import record_hash, seal
from fieldsurvey.records.errors import AttachmentError
from fieldsurvey.records.payload import Attachment
from tests.records.conftest import Actors

CONTENT = random.Random(1).randbytes(5_000_000)  # three parts


def _sealed(actors: Actors, content: bytes = CONTENT, **header: object) -> tuple[Attachment, dict[bytes, bytes]]:
    made = seal_parts(actors.header(kind="attachment", **header), [content], [actors.operational.public])
    held = {record_hash(blob): blob for blob in made}
    parts = tuple(address.hex() for address in held)
    return Attachment(name="0a.jpg", media_type="image/jpeg", size=len(content), parts=parts), held


def _opened(actors: Actors, attachment: Attachment, held: dict[bytes, bytes]) -> bytes:
    return b"".join(open_parts(attachment, actors.header(), held.get, actors.operational, actors.escrow))


def _other(attachment: Attachment, **changes: object) -> Attachment:
    return Attachment.model_validate({**attachment.model_dump(), **changes})


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, len(CONTENT)])
def test_a_file_comes_back_from_its_parts(actors: Actors, size: int) -> None:
    """Of every length around a part's; no part is longer than the format allows, none is empty."""
    attachment, held = _sealed(actors, CONTENT[:size])
    assert _opened(actors, attachment, held) == CONTENT[:size]
    assert len(held) == -(-size // PART_BYTES)


def test_missing_exchanged_repeated_and_extra_parts_are_seen(actors: Actors) -> None:
    """Each is told for what it is, before the file is whole."""
    attachment, held = _sealed(actors)
    first, second, third = attachment.parts
    lacking = {address: blob for address, blob in held.items() if address.hex() != second}
    with pytest.raises(AttachmentError, match="a part is missing"):
        _opened(actors, attachment, lacking)
    with pytest.raises(AttachmentError, match="a part twice"):
        _opened(actors, _other(attachment, parts=(first, second, second)), held)
    with pytest.raises(AttachmentError, match="length"):
        _opened(actors, _other(attachment, parts=(first, second)), held)
    with pytest.raises(AttachmentError, match="length"):
        _opened(actors, _other(attachment, size=attachment.size - 1), held)
    exchanged = {bytes.fromhex(first): held[bytes.fromhex(second)], bytes.fromhex(second): held[bytes.fromhex(first)]}
    with pytest.raises(AttachmentError, match="another part"):
        _opened(actors, attachment, {**held, **exchanged})
    assert _opened(actors, _other(attachment, parts=(second, first, third)), held) != CONTENT  # the list is the order
    extra = b"\x01" * 32
    assert unnamed([attachment], [*held, extra]) == [extra]


def test_a_part_of_another_case_kind_or_project_is_refused(actors: Actors) -> None:
    """Sealed by the same device to the same keys, but not for this interview."""
    for header in ({"case": "3b" * 16}, {"project": "1e" * 16}):
        attachment, held = _sealed(actors, b"some bytes", **header)
        with pytest.raises(AttachmentError, match="something else"):
            _opened(actors, attachment, held)
    record = seal(actors.header(), b"some bytes", [actors.operational.public])
    attachment, _ = _sealed(actors, b"some bytes")
    named = _other(attachment, parts=(record_hash(record).hex(),))
    with pytest.raises(AttachmentError, match="something else"):
        _opened(actors, named, {record_hash(record): record})


@pytest.mark.parametrize("size", [0, (4 << 20) + 1])
def test_an_empty_or_too_long_part_is_refused(actors: Actors, size: int) -> None:
    """A part has 1 byte to 4 MiB; control: 4 MiB is taken."""
    for length, taken in ((size, False), (4 << 20, True)):
        blob = seal(actors.header(kind="attachment"), bytes(length), [actors.operational.public])
        named = Attachment(name="a", media_type="b", size=length, parts=(record_hash(blob).hex(),))
        if taken:
            assert len(_opened(actors, named, {record_hash(blob): blob})) == length
        else:
            with pytest.raises(AttachmentError, match="length"):
                _opened(actors, named, {record_hash(blob): blob})


def test_no_flipped_byte_of_a_part_is_used(actors: Actors) -> None:
    """An altered part is not the one that is named, also where its hash is named anew."""
    attachment, held = _sealed(actors, b"some bytes")
    (blob,) = held.values()
    for at in range(0, len(blob), 7):
        altered = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(AttachmentError):
            _opened(actors, attachment, dict.fromkeys(held, altered))
        with pytest.raises(FieldsurveyError):
            _opened(actors, _other(attachment, parts=(sha256(altered).hexdigest(),)), {record_hash(altered): altered})


def test_a_file_of_too_many_parts_is_refused(actors: Actors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before more are sealed than a record can name."""
    monkeypatch.setattr(attachments, "MAX_PARTS", 2)
    with pytest.raises(AttachmentError, match="parts"):
        _sealed(actors)


def test_fifty_megabytes_take_the_memory_of_a_part(actors: Actors) -> None:
    """Sealed and opened again in a stream: a few parts at most, never the file; control: the file itself is seen."""
    size = 50_000_000
    piece = bytes(100_000)

    def content() -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    def peak_of_stream() -> tuple[int, int]:
        length = 0
        tracemalloc.start()
        for blob in seal_parts(actors.header(kind="attachment"), content(), [actors.operational.public]):
            part = min(PART_BYTES, size - length)
            named = Attachment(name="a", media_type="b", size=part, parts=(record_hash(blob).hex(),))
            held = {record_hash(blob): blob}
            length += sum(map(len, open_parts(named, actors.header(), held.get, actors.operational)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return length, peak

    length, peak = peak_of_stream()
    assert length == size
    assert peak < 10 * PART_BYTES
    tracemalloc.start()
    whole = b"".join(content())
    assert tracemalloc.get_traced_memory()[1] >= len(whole) == size
    tracemalloc.stop()


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 17))
@settings(max_examples=100, deadline=None)
def test_cutting_keeps_every_byte(pieces: list[bytes], size: int) -> None:
    """However the bytes arrive, the pieces are whole and in order."""
    found = list(cut(pieces, size))
    assert b"".join(found) == b"".join(pieces)
    assert all(len(part) == size for part in found[:-1])
    assert all(found)
