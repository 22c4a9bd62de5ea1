"""Removes what a picture says besides the picture: place, time, camera, names, earlier versions, whatever follows it.

JPEG, PNG and WebP are rebuilt from an allow-list of the parts that draw the picture; everything else is left out, known
or not. Of a camera's own notes only the way up is kept. A file of another kind, or one that is damaged, is refused:
what cannot be cleaned is not attached. Files are streams: little of one is in memory at a time.
(JPEG: ITU-T T.81 B.1; PNG: W3C PNG 3rd edition, 5 and 11; WebP: RFC 9649, 2.)
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _

_PIECE: Final = 64 << 10


class CannotStripError(InputError):
    """A file whose metadata cannot be removed."""

    code = "input.attachment"
    template = "This file cannot be attached: {reason}."
    hint = "Nothing was kept of it, and nothing was changed. Take the picture as JPEG, PNG or WebP, and choose that."


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that can be cleaned."""

    media_type: str
    suffix: str
    strip: Callable[[BinaryIO], Iterator[bytes]]


def kind_of(stream: BinaryIO) -> Kind:
    """By its first bytes, never by its name; the stream is then at its beginning. Raises CannotStripError."""
    start = stream.read(16)
    stream.seek(0)
    if start.startswith(b"\xff\xd8\xff"):
        return Kind("image/jpeg", ".jpg", strip_jpeg)
    if start.startswith(_PNG):
        return Kind("image/png", ".png", strip_png)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Kind("image/webp", ".webp", strip_webp)
    raise CannotStripError(reason=_others(start))


def _others(start: bytes) -> str:
    if start[4:8] == b"ftyp":
        return _("from HEIC pictures and MP4 films place and time cannot be removed here")
    if not start:
        return _("it is empty")
    return _("it is not a picture in JPEG, PNG or WebP")


def _damaged() -> CannotStripError:
    return CannotStripError(reason=_("it is damaged, or cut off"))


def _take(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise _damaged()
    return data


# --- JPEG -----------------------------------------------------------------------------------------------------------

_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_DHT, _DAC, _EOI, _SOS, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_KEPT_SEGMENTS = _FRAMES | {_DHT, _DAC, _SOS, _DQT, _DNL, _DRI}
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def strip_jpeg(stream: BinaryIO) -> Iterator[bytes]:
    """Tables, frames and scans; JFIF without its thumbnail, Adobe's colour transform, and the way up."""
    _take(stream, 2)
    yield b"\xff\xd8"
    framed = turned = False
    marker = _marker(stream)
    while marker != _EOI:
        segment = _segment(stream)
        if marker == _APP1 and not turned and (way_up := _orientation(segment)) is not None:
            turned = True
            yield _written(_APP1, _only_orientation(way_up))
        elif (kept := _kept_segment(marker, segment)) is not None:
            framed = framed or marker in _FRAMES
            yield _written(marker, kept)
        if marker == _SOS:
            if not framed:
                raise _damaged()
            yield from _scan(stream)
        marker = _marker(stream)
    if not framed:
        raise _damaged()
    yield b"\xff\xd9"


def _kept_segment(marker: int, segment: bytes) -> bytes | None:
    """What is kept of a segment; None for nothing."""
    if marker in _KEPT_SEGMENTS:
        if not _has_shape(marker, segment):
            raise _damaged()
        return segment
    if marker == _APP0 and segment.startswith(b"JFIF\0") and len(segment) >= 14:
        return segment[:12] + b"\0\0"
    if marker == _APP14 and segment.startswith(b"Adobe") and len(segment) >= 12:
        return segment[:12]
    if 0xE0 <= marker <= 0xEF or marker == 0xFE:
        return None
    raise CannotStripError(reason=_("it is a JPEG of a kind that is not known here"))


def _has_shape(marker: int, segment: bytes) -> bool:
    """Whether its length is that of its content: no text hides in a table (T.81, B.2.2 to B.2.5)."""
    if marker in _FRAMES:
        return len(segment) >= 6 and len(segment) == 6 + 3 * segment[5]
    if marker == _SOS:
        return bool(segment) and len(segment) == 4 + 2 * segment[0]
    if marker in {_DRI, _DNL}:
        return len(segment) == 2
    if marker == _DAC:
        return len(segment) % 2 == 0
    at = 0
    while at < len(segment):
        at += 1 + (64 << (segment[at] >> 4 & 1)) if marker == _DQT else 17 + sum(segment[at + 1 : at + 17])
    return at == len(segment)


def _marker(stream: BinaryIO) -> int:
    if _take(stream, 1) != b"\xff":
        raise _damaged()
    found = 0xFF
    while found == 0xFF:  # any number of fill bytes
        found = _take(stream, 1)[0]
    return found


def _segment(stream: BinaryIO) -> bytes:
    length = int.from_bytes(_take(stream, 2), "big")
    if length < 2:
        raise _damaged()
    return _take(stream, length - 2)


def _written(marker: int, segment: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(segment) + 2).to_bytes(2, "big") + segment


def _scan(stream: BinaryIO) -> Iterator[bytes]:
    """Entropy-coded data up to the next marker, at which the stream then is."""
    held = b""
    while True:
        read = stream.read(_PIECE)
        data = held + read
        if found := _END_OF_SCAN.search(data):
            yield data[: found.start()]
            stream.seek(found.start() - len(data), 1)
            return
        if not read:
            raise _damaged()
        held = b"\xff" if data.endswith(b"\xff") else b""
        yield data[: len(data) - len(held)]


def _orientation(segment: bytes) -> int | None:
    """1 to 8 as Exif says it (tag 0x0112 of the first directory); None without it, or where it is not well formed."""
    if not segment.startswith(b"Exif\0\0"):
        return None
    tiff = segment[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return None
    at = struct.unpack_from(order + "I", tiff, 4)[0]
    if not 8 <= at <= len(tiff) - 2:
        return None
    count = struct.unpack_from(order + "H", tiff, at)[0]
    for place in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number, value = struct.unpack_from(order + "HHIH", tiff, place)
        if (tag, kind, number) == (0x0112, 3, 1) and 1 <= value <= 8:
            return int(value)
    return None


def _only_orientation(way_up: int) -> bytes:
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, way_up, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


# --- PNG ------------------------------------------------------------------------------------------------------------

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"})
_MAX_CHUNK: Final = 2**31 - 1


def strip_png(stream: BinaryIO) -> Iterator[bytes]:
    """The chunks that draw the picture, their check sums verified; texts, times, Exif and profiles are left out."""
    _take(stream, len(_PNG))
    yield _PNG
    number = 0
    while True:
        length, name = struct.unpack(">I4s", _take(stream, 8))
        if length > _MAX_CHUNK or not name.isalpha() or (number == 0) != (name == b"IHDR"):
            raise _damaged()
        kept = name in _KEPT_CHUNKS
        if not kept and name[:1].isupper():
            raise CannotStripError(reason=_("it is a PNG of a kind that is not known here"))
        if kept:
            yield struct.pack(">I4s", length, name)
        check = zlib.crc32(name)
        for piece in _pieces(stream, length):
            check = zlib.crc32(piece, check)
            if kept:
                yield piece
        if struct.unpack(">I", _take(stream, 4))[0] != check and kept:
            raise _damaged()
        if kept:
            yield struct.pack(">I", check)
        number += 1
        if name == b"IEND":
            return


def _pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise _damaged()
        length -= len(piece)
        yield piece


# --- WebP -----------------------------------------------------------------------------------------------------------

_ALPHA: Final = 0x10


def strip_webp(stream: BinaryIO) -> Iterator[bytes]:
    """The picture and its transparency; profiles, Exif, XMP and chunks that are not known are left out."""
    chunks = list(_webp_chunks(stream))
    names = [name for name, _, _ in chunks]
    if b"ANIM" in names or b"ANMF" in names:
        raise CannotStripError(reason=_("it is an animation"))
    kept = [chunk for chunk in chunks if chunk[0] in {b"VP8X", b"ALPH", b"VP8 ", b"VP8L"}]
    pictures = [name for name, _, _ in kept if name in {b"VP8 ", b"VP8L"}]
    if len(pictures) != 1 or (b"VP8X" in names[1:]) or (names[0] == b"VP8X" and chunks[0][2] != 10):
        raise _damaged()
    total = 4 + sum(8 + length + (length & 1) for _, _, length in kept)
    yield b"RIFF" + total.to_bytes(4, "little") + b"WEBP"
    for name, place, length in kept:
        stream.seek(place)
        yield name + length.to_bytes(4, "little")
        if name == b"VP8X":
            said = _take(stream, length)
            yield bytes([said[0] & _ALPHA, 0, 0, 0]) + said[4:]
        else:
            yield from _pieces(stream, length)
        yield b"\0" * (length & 1)


def _webp_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(name, where its content begins, its length) of each chunk; what lies after the file's own end is not looked at.

    Raises CannotStripError.
    """
    whole = int.from_bytes(_take(stream, 12)[4:8], "little") + 8
    place, count = 12, 0
    while place < whole:
        stream.seek(place)
        name, length = struct.unpack("<4sI", _take(stream, 8))
        if length > _MAX_CHUNK or place + 8 + length > whole or count >= 1000:
            raise _damaged()
        yield name, place + 8, length
        place += 8 + length + (length & 1)
        count += 1
    if not count:
        raise _damaged()
