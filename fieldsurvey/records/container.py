"""FSB1: a signed manifest and content-addressed frames: the one codec of batches, projects, receipts, returned work,
reports of erasure and notes of backups.

    magic 5 | manifest_len 4 | n_signatures 1 | manifest | signatures | frames

No names inside are ever used as paths, nothing is compressed, every length is bounded before it is read, and nothing
may follow the last frame. It does not know which keys to trust: the caller verifies, then uses.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Literal, Protocol

from fieldsurvey.base.canonical import canonical, parse_canonical
from fieldsurvey.records.errors import ContainerError, SignatureError
from fieldsurvey.records.labels import SIGN_CONTAINER
from fieldsurvey.records.signing import KEY_ID_BYTES, SIGNATURE_BYTES, Signature, VerifyKey
from fieldsurvey.records.wire import check_magic

VERSION: Final = 1
MAGIC: Final = b"FSB1" + bytes([VERSION])
PREFIX_BYTES: Final = len(MAGIC) + 5
MAX_MANIFEST: Final = 4 << 20
MAX_FRAME: Final = 16 << 20
MAX_FRAMES: Final = 16_384
MAX_FILE: Final = 64 << 20
MAX_SIGNATURES: Final = 4
HASH_BYTES: Final = 32
_PIECE: Final = 1 << 20  # asked of a stream at a time: what it says it holds is not believed
_ADDRESS: Final = re.compile(r"[0-9a-f]{64}")

Kind = Literal["batch", "project", "receipt", "return", "erasure", "backup"]
Table = tuple[tuple[bytes, int], ...]
"""The SHA-256 and the length of each frame."""
Reader = Callable[[Kind, bytes], tuple[dict[str, Any], Table]]
"""Reads a manifest as `read_manifest` does."""


class Signer(Protocol):
    """What signs a manifest: a SigningKey, a RootKey, or a vault's carrier."""

    @property
    def public(self) -> VerifyKey:
        """The key that verifies what this one signs."""
        ...

    def sign(self, label: str, data: bytes) -> Signature:
        """A signature over `bind(label, data)`."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to write: its address and length are known, its bytes are loaded when their turn comes."""

    sha256: bytes
    size: int
    load: Callable[[], bytes]

    @classmethod
    def of(cls, data: bytes) -> Frame:
        """A frame held in memory."""
        return cls(hashlib.sha256(data).digest(), len(data), lambda: data)


def write_container(
    kind: Kind, manifest: Mapping[str, Any], frames: Sequence[Frame | bytes], sign: Signer | Sequence[Signer]
) -> Iterator[bytes]:
    """The file in pieces, at most one frame in memory. `manifest` holds what canonical JSON can.

    Raises ContainerError before the first piece when a bound would be broken or a frame comes twice, and while
    writing when a loaded frame is not what was announced.
    """
    listed = [frame if isinstance(frame, Frame) else Frame.of(frame) for frame in frames]
    table = [[frame.sha256.hex(), frame.size] for frame in listed]
    data = canonical({"content": dict(manifest), "frames": table, "kind": kind})
    signers = list(sign) if isinstance(sign, Sequence) else [sign]
    signatures = b"".join(signer.public.id + signer.sign(label_of(kind), data) for signer in signers)
    prefix = MAGIC + len(data).to_bytes(4, "big") + bytes([len(signers)])
    _check_frames(kind, table, len(prefix) + len(data) + len(signatures))
    if len(data) > MAX_MANIFEST or not 1 <= len(signers) <= MAX_SIGNATURES:
        raise ContainerError(kind=kind, reason="manifest length" if signers else "signatures")
    return _pieces(kind, prefix + data + signatures, listed)


def label_of(kind: Kind) -> str:
    """The label under which a container of `kind` is signed."""
    return f"{SIGN_CONTAINER}/{kind}"


class Container:
    """An open container: bounds and shape hold; the signatures are the caller's to verify before anything is used."""

    def __init__(
        self,
        kind: Kind,
        manifest_bytes: bytes,
        signatures: dict[bytes, bytes],
        stream: BinaryIO,
        *,
        limit: int = MAX_FILE,
        read: Reader | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.manifest_bytes = manifest_bytes
        self.signatures = signatures
        self.manifest, self.table = (read or read_manifest)(kind, manifest_bytes)
        before = PREFIX_BYTES + len(manifest_bytes) + sum(KEY_ID_BYTES + len(s) for s in signatures.values())
        if before + sum(size for _address, size in self.table) > min(limit, MAX_FILE):
            raise ContainerError(kind=kind, reason="too long")
        self._stream: BinaryIO | None = stream

    def verify(self, key: VerifyKey) -> None:
        """Raises SignatureError unless `key` signed this manifest."""
        if key.id not in self.signatures:
            raise SignatureError(what=self.kind)
        key.verify(label_of(self.kind), self.manifest_bytes, self.signatures[key.id], self.kind)

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """(SHA-256, bytes) in the manifest's order, each checked. Once only.

        Raises ContainerError at the first that is short or altered, and at the end when anything follows: nothing may
        be kept of a container whose iteration did not come to its end.
        """
        stream, self._stream = self._stream, None
        assert stream is not None, "frames are read once"
        for address, size in self.table:
            data = _read(stream, size, self.kind)
            if hashlib.sha256(data).digest() != address:
                raise ContainerError(kind=self.kind, reason="frame altered")
            yield address, data
        if stream.read(1):
            raise ContainerError(kind=self.kind, reason="something follows the end")

    def read_all(self) -> dict[bytes, bytes]:
        """Every frame by its SHA-256, after the end was reached; for small containers."""
        return dict(self.frames())


def read_manifest(kind: Kind, data: bytes) -> tuple[dict[str, Any], Table]:
    """A manifest's content and its table of frames. Raises ContainerError or NotCanonicalError."""
    whole = parse_canonical(data)
    if not isinstance(whole, dict) or whole.keys() != {"content", "frames", "kind"}:
        raise ContainerError(kind=kind, reason="manifest")
    if whole["kind"] != kind:
        raise ContainerError(kind=kind, reason="kind")
    if not isinstance(whole["content"], dict):
        raise ContainerError(kind=kind, reason="content")
    _check_frames(kind, whole["frames"], 0)
    return whole["content"], tuple((bytes.fromhex(address), size) for address, size in whole["frames"])


def open_container(
    stream: BinaryIO | bytes, kind: Kind, *, max_bytes: int = MAX_FILE, read: Reader | None = None
) -> Container:
    """Read prefix, manifest and signatures of a container of `kind`. Raises ContainerError or NotCanonicalError.

    `read`: takes the place of `read_manifest`, where a kind has a reader of its own that refuses the same.
    """
    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    prefix = _read(source, PREFIX_BYTES, kind)
    check_magic(kind, MAGIC, prefix)
    if prefix[: len(MAGIC)] != MAGIC:
        raise ContainerError(kind=kind, reason="magic")
    length = int.from_bytes(prefix[5:9], "big")
    if not 2 <= length <= MAX_MANIFEST:
        raise ContainerError(kind=kind, reason="manifest length")
    if not 1 <= prefix[9] <= MAX_SIGNATURES:
        raise ContainerError(kind=kind, reason="signatures")
    manifest = _read(source, length, kind)
    signatures = {}
    for _ in range(prefix[9]):
        start = _read(source, KEY_ID_BYTES + 1, kind)
        algorithm = start[KEY_ID_BYTES]
        if algorithm not in SIGNATURE_BYTES or start[:KEY_ID_BYTES] in signatures:
            raise ContainerError(kind=kind, reason="signatures")
        rest = _read(source, SIGNATURE_BYTES[algorithm] - 1, kind)
        signatures[start[:KEY_ID_BYTES]] = start[KEY_ID_BYTES:] + rest
    return Container(kind, manifest, signatures, source, limit=max_bytes, read=read)


def _check_frames(kind: Kind, table: Any, before: int) -> int:
    """The length of the whole file; raises ContainerError unless `table` is [[hash, size], …] within the bounds."""
    if not isinstance(table, list) or len(table) > MAX_FRAMES:
        raise ContainerError(kind=kind, reason="frames")
    seen = set()
    total = before
    for row in table:
        if not isinstance(row, list) or len(row) != 2:
            raise ContainerError(kind=kind, reason="frames")
        address, size = row
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise ContainerError(kind=kind, reason="frame address")
        if type(size) is not int or not 0 <= size <= MAX_FRAME:
            raise ContainerError(kind=kind, reason="frame length")
        if address in seen:
            raise ContainerError(kind=kind, reason="frame twice")
        seen.add(address)
        total += size
    if total > MAX_FILE:
        raise ContainerError(kind=kind, reason="too long")
    return total


def _pieces(kind: Kind, start: bytes, frames: Sequence[Frame]) -> Iterator[bytes]:
    yield start
    for frame in frames:
        data = frame.load()
        if len(data) != frame.size or hashlib.sha256(data).digest() != frame.sha256:
            raise ContainerError(kind=kind, reason="frame altered")
        yield data


def _read(stream: BinaryIO, size: int, kind: Kind) -> bytes:
    data = stream.read(min(size, _PIECE)) if size else b""
    if len(data) == size:  # nearly always: then there is nothing to join
        return data
    parts = [data]
    left = size - len(data)
    while left and parts[-1]:
        parts.append(stream.read(min(left, _PIECE)))
        left -= len(parts[-1])
    if left:
        raise ContainerError(kind=kind, reason="truncated")
    return b"".join(parts)
