"""FSB1: whatever is altered, cut, lengthened, mislabelled or out of bounds is refused before it is allocated."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.canonical import NotCanonicalError, canonical
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records import container
from fieldsurvey.records.container import Frame, label_of, open_container, write_container
from fieldsurvey.records.errors import ContainerError, FormatVersionError, SignatureError
from fieldsurvey.records.signing import RootKey, SigningKey, VerifyKey
from tests.records.conftest import Actors, seed
from tests.records.mutants import flips, mutants, survivors, truncations

MANIFEST = {"device": "ab" * 16, "entries": [1, 2, 3], "note": "ñ"}


def file_of(key: SigningKey, *frames: bytes, kind: container.Kind = "batch") -> bytes:
    return b"".join(write_container(kind, MANIFEST, frames, key))


def reader(key: VerifyKey) -> Callable[[bytes], dict[bytes, bytes]]:
    """Reads as an importer does: verify, then every frame to the end."""

    def read(data: bytes) -> dict[bytes, bytes]:
        opened = open_container(io.BytesIO(data), "batch")
        opened.verify(key)
        return opened.read_all()

    return read


@pytest.fixture(scope="module")
def batch(actors: Actors) -> bytes:
    """A small batch of three frames."""
    return file_of(actors.carrier, b"first frame", b"", b"third frame" * 20)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=6, unique=True))
def test_what_is_written_is_read(frames: list[bytes]) -> None:
    """Any frames come back in their order with their addresses."""
    key = SigningKey(seed("carrier"))
    opened = open_container(file_of(key, *frames), "batch")
    opened.verify(key.public)
    assert opened.manifest == MANIFEST
    assert list(opened.frames()) == [(hashlib.sha256(frame).digest(), frame) for frame in frames]


def test_every_flipped_byte_and_truncation_is_refused(actors: Actors, batch: bytes) -> None:
    """Every byte changed, every prefix: all refused, all typed; the control is taken."""
    read = reader(actors.carrier.public)
    assert len(read(batch)) == 3
    assert survivors(read, flips(batch)) == ([], len(batch))
    assert survivors(read, truncations(batch)) == ([], len(batch))


def test_nothing_may_follow_the_end(actors: Actors, batch: bytes) -> None:
    """One byte more, or a second whole batch, is refused."""
    for extra in (b"\0", batch):
        with pytest.raises(ContainerError):
            reader(actors.carrier.public)(batch + extra)


def test_mutants_are_refused(actors: Actors, batch: bytes) -> None:
    """2,000 random mutants: 0 taken, 0 untyped errors."""
    assert survivors(reader(actors.carrier.public), mutants(batch, 2_000)) == ([], 2_000)


def test_an_unsigned_or_foreign_container_is_refused(actors: Actors, batch: bytes) -> None:
    """Another key, a signature moved from another container, or one made for another kind does not verify."""
    with pytest.raises(SignatureError):
        open_container(batch, "batch").verify(actors.central.public)
    other = file_of(actors.carrier, b"other")
    place = len(other) - len(b"other") - 73
    moved = batch.replace(batch[-73 - 220 - 11 : -220 - 11], other[place : place + 73])
    assert moved != batch
    with pytest.raises(SignatureError):
        open_container(moved, "batch").verify(actors.carrier.public)


def test_a_kind_is_not_taken_for_another(actors: Actors, batch: bytes) -> None:
    """A batch is no receipt and no project, and its signature under another kind's label does not hold."""
    for kind in ("receipt", "project", "return", "erasure"):
        with pytest.raises(ContainerError):
            open_container(batch, kind)

    class Mislabelling:
        public = actors.carrier.public

        def sign(self, _label: str, data: bytes) -> bytes:
            return actors.carrier.sign(label_of("receipt"), data)

    wrong = b"".join(write_container("batch", MANIFEST, (), Mislabelling()))  # type: ignore[arg-type]
    with pytest.raises(SignatureError):
        open_container(wrong, "batch").verify(actors.carrier.public)


def test_several_may_sign(actors: Actors) -> None:
    """An old and a new root sign one project: each verifies; the same key twice is refused."""
    old, new = RootKey(seed("old root")), RootKey(seed("new root"))
    opened = open_container(b"".join(write_container("project", {}, (), [old, new])), "project")
    opened.verify(old.public)
    opened.verify(new.public)
    with pytest.raises(ContainerError):
        open_container(b"".join(write_container("project", {}, (), [old, old])), "project")
    for signers in ([], [SigningKey(seed(str(i))) for i in range(5)]):
        with pytest.raises(ContainerError):
            write_container("project", {}, (), signers)


def raw(manifest: bytes, key: SigningKey, body: bytes = b"", *, length: int | None = None, signers: int = 1) -> bytes:
    """A container put together by hand, correctly signed, so that only its content can be at fault."""
    size = (len(manifest) if length is None else length).to_bytes(4, "big")
    signature = key.public.id + key.sign(label_of("batch"), manifest)
    return container.MAGIC + size + bytes([signers]) + manifest + signature + body


def table(*rows: object, kind: object = "batch", **more: object) -> bytes:
    return canonical({"content": {}, "frames": list(rows), "kind": kind, **more})


HASH = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "manifest",
    [
        table([HASH, 2**63]),
        table([HASH, (16 << 20) + 1]),
        table([HASH, -1]),
        table([HASH, True]),
        table([HASH, "1"]),
        table([HASH]),
        table([HASH, 1, 1]),
        table(HASH),
        table([HASH.upper(), 1]),
        table([HASH[:-1], 1]),
        table([HASH[:-1] + "/", 1]),
        table(["../../etc/passwd", 1]),
        table([1, 1]),
        table([HASH, 1], [HASH, 1]),
        table(*([f"{i:064x}", 16 << 20] for i in range(5))),
        table(*([f"{i:064x}", 0] for i in range(16_385))),
        table(kind="receipt"),
        table(kind=None),
        table(more=1),
        canonical({"content": {}, "frames": []}),
        canonical({"content": [], "frames": [], "kind": "batch"}),
        canonical({"content": {}, "frames": {}, "kind": "batch"}),
        canonical([]),
        b"null",
        b'{"content":{},"frames":[],"kind":"batch","kind":"batch"}',
        b'{"content":{"a":1.5},"frames":[],"kind":"batch"}',
        b'{"content":{"a":NaN},"frames":[],"kind":"batch"}',
        b'{"content":{"a":"\\ud800"},"frames":[],"kind":"batch"}',
        b'{"content":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b',"frames":[],"kind":"batch"}',
        b'{"content":{"a":' + b"9" * 5_000 + b'},"frames":[],"kind":"batch"}',
        b"\xff\xfe",
        b"  ",
    ],
)
def test_manifests_out_of_bounds_are_refused(actors: Actors, manifest: bytes) -> None:
    """Correctly signed and yet refused: lengths, addresses, repetitions, types, depth, spelling."""
    with pytest.raises(UntrustedError):
        reader(actors.carrier.public)(raw(manifest, actors.carrier, b"x"))


def test_the_hand_made_container_is_taken_when_right(actors: Actors) -> None:
    """The control of the bounds: the same construction with nothing wrong is read."""
    assert reader(actors.carrier.public)(raw(table([HASH, 1]), actors.carrier, b"x")) == {bytes.fromhex(HASH): b"x"}


def test_declared_lengths_allocate_nothing(actors: Actors) -> None:
    """A stream that claims 4 GiB or a frame of 2^63 costs no memory to refuse; the control allocates what it reads."""
    huge = (
        container.MAGIC + b"\xff" * 4 + b"\1",
        container.MAGIC + (container.MAX_MANIFEST).to_bytes(4, "big") + b"\1",
        container.MAGIC + b"\0\0\0\2" + b"\xff{}",
        raw(table([HASH, 2**63]), actors.carrier),
        raw(table([HASH, 16 << 20]), actors.carrier, b"x"),
    )
    tracemalloc.start()
    for data in huge:
        with pytest.raises((ContainerError, NotCanonicalError)):
            reader(actors.carrier.public)(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    file_of(actors.carrier, bytes(4 << 20))
    assert tracemalloc.get_traced_memory()[1] > 4 << 20
    tracemalloc.stop()


def test_a_declared_length_over_the_bound_is_not_even_read(actors: Actors) -> None:
    """From a stream that never ends, a reader takes no more than the prefix, or the manifest, before it refuses."""

    class Endless(io.RawIOBase):
        def __init__(self, start: bytes) -> None:
            self.start, self.taken = start, 0

        def read(self, size: int = -1) -> bytes:
            out = self.start[:size] or b" " * size
            self.start = self.start[size:]
            self.taken += len(out)
            return out

    long_frame = raw(table([HASH, (16 << 20) + 1]), actors.carrier)
    for start, most in ((container.MAGIC + b"\xff" * 4 + b"\1", 10), (long_frame, len(long_frame))):
        stream = Endless(start)
        with pytest.raises(ContainerError):
            open_container(stream, "batch")  # type: ignore[arg-type]
        assert stream.taken <= most


def test_a_long_batch_is_read_in_little_memory(actors: Actors) -> None:
    """32 MiB of frames pass through in the memory of two frames."""
    frames = [
        Frame(hashlib.sha256(bytes([i]) * (1 << 20)).digest(), 1 << 20, partial(bytes.__mul__, bytes([i]), 1 << 20))
        for i in range(32)
    ]

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts = write_container("batch", MANIFEST, frames, actors.carrier)
            self.left = b""

        def read(self, size: int = -1) -> bytes:
            while not self.left:
                part = next(self.parts, None)
                if part is None:
                    return b""
                self.left = part
            out, self.left = self.left[:size], self.left[size:]
            return out

    tracemalloc.start()
    opened = open_container(Pipe(), "batch")  # type: ignore[arg-type]
    opened.verify(actors.carrier.public)
    assert sum(1 for _ in opened.frames()) == 32
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20


def test_writing_refuses_what_reading_would(actors: Actors) -> None:
    """A frame twice, too many, too large, or not what was announced is refused by the writer."""
    big = Frame(b"a" * 32, (16 << 20) + 1, lambda: b"")
    lying = Frame(hashlib.sha256(b"said").digest(), 4, lambda: b"gave")
    many = [Frame(i.to_bytes(32, "big"), 0, lambda: b"") for i in range(16_385)]
    long = [Frame(i.to_bytes(32, "big"), 16 << 20, lambda: b"") for i in range(5)]
    for frames in ([b"a", b"a"], [big], many, long):
        with pytest.raises(ContainerError):
            write_container("batch", {}, frames, actors.carrier)
    with pytest.raises(ContainerError):
        b"".join(write_container("batch", {}, [lying], actors.carrier))
    with pytest.raises(ContainerError):
        write_container("batch", {"much": "x" * (4 << 20)}, [], actors.carrier)


def test_a_caller_may_set_a_lower_bound(actors: Actors, batch: bytes) -> None:
    """A receipt is small: a larger one is refused by its declared size."""
    assert open_container(batch, "batch", max_bytes=len(batch)).table
    with pytest.raises(ContainerError):
        open_container(batch, "batch", max_bytes=len(batch) - 1)


def test_other_versions_are_refused_by_name(batch: bytes) -> None:
    """A container of another version says so."""
    with pytest.raises(FormatVersionError, match="version 9 "):
        open_container(b"FSB1\x09" + batch[5:], "batch")
