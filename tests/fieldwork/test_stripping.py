"""A picture is taken without what it says besides; what cannot be cleaned is refused with its reason."""

from __future__ import annotations

import io
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest
from PIL import Image

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.fieldwork.stripping import CannotStripError, kind_of, strip_jpeg
from tests.fieldwork.pictures import CANARY, chunk, drawing, jpeg, png, segment, webp
from tests.records.mutants import flips, mutants, truncations

PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "progressive jpeg": lambda: jpeg(progressive=True),
    "jpeg with restarts": lambda: jpeg(restarts=True),
    "png": png,
    "png without transparency": lambda: png("RGB"),
    "webp": webp,
    "lossless webp": lambda: webp(lossless=True),
    "webp without transparency": lambda: webp(mode="RGB"),
}


def stripped(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    return b"".join(kind_of(stream).strip(stream))


def _pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGBA").tobytes()


def _hits(data: bytes) -> int:
    """Canaries, in the clear or in a compressed text."""
    found = data.count(CANARY) + data.count(CANARY.decode().encode("utf-16-le"))
    for at in range(len(data)):
        if data[at : at + 1] == b"\x78":  # how a zlib stream begins
            try:
                found += CANARY in zlib.decompressobj().decompress(data[at:], 1 << 16)
            except zlib.error:
                continue
    return found


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_left_but_the_picture(name: str) -> None:
    """0 canaries in what is kept, and every pixel as it was; control: the picture as it came has several."""
    data = PICTURES[name]()
    assert _hits(data) >= 4
    clean = stripped(data)
    assert _hits(clean) == 0
    assert _pixels(clean) == _pixels(data)
    with Image.open(io.BytesIO(clean)) as picture:
        assert picture.size == drawing().size
        assert not {"exif", "xmp", "icc_profile", "comment", "Author", "photoshop"} & set(picture.info)


@pytest.mark.parametrize("name", PICTURES)
def test_a_clean_picture_stays_as_it_is(name: str) -> None:
    """Cleaning twice changes nothing: there is one form of what is kept."""
    clean = stripped(PICTURES[name]())
    assert stripped(clean) == clean


@pytest.mark.parametrize("way_up", range(1, 9))
def test_the_way_up_is_kept_and_nothing_else_of_exif(way_up: int) -> None:
    """A picture taken upright is still shown upright."""
    clean = stripped(jpeg(way_up))
    with Image.open(io.BytesIO(clean)) as picture:
        assert dict(picture.getexif()) == {0x0112: way_up}
    assert _hits(clean) == 0


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 something", "not a picture"),
        (b"\0\0\0\x20ftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x20ftypisom" + bytes(40), "MP4"),
        (b"GIF89a" + bytes(40), "not a picture"),
        (b"\xff\xd8\xff\xd9", "damaged"),
        (b"\xff\xd8" + segment(0xF0, b"x") + b"\xff\xd9", "not known"),
        (b"\xff\xd8" + b"\xff\xe0\0\1", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"ABCD", b""), "not known"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", bytes(13)), "damaged"),
        (b"RIFF\4\0\0\0WEBP", "damaged"),
        (b"RIFF\x0c\0\0\0WEBPANIM\0\0\0\0", "animation"),
        (b"RIFF\x0c\0\0\0WEBPEXIF\0\0\0\0", "damaged"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_its_reason(data: bytes, word: str) -> None:
    """Other kinds of file, other kinds of these formats, and what is damaged."""
    with pytest.raises(CannotStripError) as caught:
        stripped(data)
    assert word in caught.value.message


def test_an_animation_is_refused() -> None:
    """Its frames have parts of their own that nobody looked into."""
    out = io.BytesIO()
    drawing().save(out, "WEBP", save_all=True, append_images=[drawing().rotate(90)])
    with pytest.raises(CannotStripError, match="animation"):
        stripped(out.getvalue())


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_damage_never_lets_metadata_through(name: str) -> None:
    """Every flip and cut and 1,000 mutants: refused, or cleaned to something without a single canary.

    The picture ends here where it says so: what follows a damaged end cannot be told from the scan.
    """
    data = PICTURES[name]()
    data = data[: data.index(b"\xff\xd9", data.index(b"\xff\xda")) + 2] if name == "jpeg" else data
    taken = 0
    for damaged in (*list(flips(data))[::3], *list(truncations(data))[::3], *mutants(data, 1_000)):
        try:
            clean = stripped(damaged)
        except FieldsurveyError:
            continue
        taken += 1
        assert CANARY not in clean
    assert taken  # else nothing was looked at


class _Long(io.RawIOBase):
    """A JPEG with 50 MB of scan, made as it is read."""

    def __init__(self, size: int) -> None:
        small = stripped(jpeg())
        head = small[: small.index(b"\xff\xda") + 14]
        self._head = head[:2] + segment(0xE1, CANARY) + head[2:]
        self._block = random.Random(2).randbytes(100_000).replace(b"\xff", b"\xfe")
        self._size = len(self._head) + size
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        end = min(self._size + 2, self._at + size)
        out = bytearray(self._head[self._at : end])
        while self._at + len(out) < min(end, self._size):
            place = (self._at + len(out) - len(self._head)) % len(self._block)
            out += self._block[place : place + min(end, self._size) - self._at - len(out)]
        if end > self._size:
            out += b"\xff\xd9"[max(0, self._at + len(out) - self._size) : end - self._size]
        self._at += len(out)
        return bytes(out)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset if whence == 0 else self._at + offset
        return self._at


def long_jpeg(size: int) -> BinaryIO:
    """A stream of a JPEG of about `size` bytes."""
    return _Long(size)  # type: ignore[return-value]


def test_fifty_megabytes_are_cleaned_in_little_memory() -> None:
    """A stream in, a stream out; control: the same bytes held are seen."""
    size = 50_000_000

    def length(pieces: Iterator[bytes]) -> int:
        return sum(map(len, pieces))

    tracemalloc.start()
    assert length(strip_jpeg(long_jpeg(size))) > size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20
    tracemalloc.start()
    held = list(strip_jpeg(long_jpeg(size)))
    assert tracemalloc.get_traced_memory()[0] > size
    tracemalloc.stop()
    assert held
