"""What goes over the line: how a request is signed, and the answers, as canonical JSON.

A request is signed over the project, method, path, nonce, count, and the length and hash of its body, so that it can be
checked before a byte of the body is read. No secret is in it; what confirms anything is always a signed receipt.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import Signer
from fieldsurvey.records.labels import SIGN_REQUEST
from fieldsurvey.records.log import MAX_SEQ
from fieldsurvey.records.wire import Hash, Id, Wire

PREFIX: Final = "/v1"
PACK: Final = 1 << 20
"""Bytes of a pack at most."""
MAX_PACKS: Final = 64
"""Packs of a batch at most: a file has 64 MiB at most."""
MAX_LOGS: Final = 32
PAGE: Final = 1 << 20
"""Bytes of one page of small signed files, unless a single one is larger."""
MAX_ANSWER: Final = 20 << 20
SCHEME: Final = "Fieldsurvey"
_AUTHORIZATION: Final = re.compile(
    r"Fieldsurvey key=([0-9a-f]{64}), nonce=([0-9a-f]{112}), count=([1-9][0-9]{0,8}),"
    r" length=(0|[1-9][0-9]{0,8}), body=([0-9a-f]{64}), signature=([0-9a-f]{130})"
)
EMPTY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request says of itself. `key`: the signing key's fingerprint; `body`: SHA-256; both hexadecimal."""

    key: str
    nonce: str
    count: int
    length: int
    body: str
    signature: bytes

    @classmethod
    def read(cls, text: str) -> Authorization | None:
        """From the header, None unless it is exactly of its one form."""
        found = _AUTHORIZATION.fullmatch(text)
        if found is None:
            return None
        key, nonce, count, length, body, signature = found.groups()
        return cls(key, nonce, int(count), int(length), body, bytes.fromhex(signature))

    def write(self) -> str:
        """The header."""
        return (
            f"{SCHEME} key={self.key}, nonce={self.nonce}, count={self.count}, length={self.length},"
            f" body={self.body}, signature={self.signature.hex()}"
        )

    def signed(self, project: str, method: str, path: str) -> bytes:
        """What the signature is over. `path` has the query too, exactly as it is sent."""
        return canonical(
            {
                "body": self.body,
                "count": self.count,
                "length": self.length,
                "method": method,
                "nonce": self.nonce,
                "path": path,
                "project": project,
            }
        )


def authorize(signer: Signer, project: str, *, method: str, path: str, nonce: str, count: int, body: bytes) -> str:
    """The header of a request. `count` is used once with its nonce, and only ever grows."""
    plain = Authorization(
        signer.public.fingerprint, nonce, count, len(body), hashlib.sha256(body).hexdigest(), b"\0" * 65
    )
    signature = signer.sign(SIGN_REQUEST, plain.signed(project, method, path))
    return Authorization(plain.key, nonce, count, plain.length, plain.body, bytes(signature)).write()


Seq = Annotated[int, Field(ge=1, le=MAX_SEQ)]
Range = Annotated[tuple[Seq, Seq], Field(strict=False)]
HexFile = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=128 << 10)]


class _Answer(Wire):
    what: ClassVar[str] = "answer"
    max_bytes: ClassVar[int] = 4 << 20


class Hello(_Answer):
    """To anybody: a nonce for requests of the next `seconds`, and the bounds."""

    format: Literal["fieldsurvey hello"] = "fieldsurvey hello"
    format_version: Literal[1] = 1
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{112}$")]
    seconds: Annotated[int, Field(ge=1, le=86_400)]
    pack: Annotated[int, Field(ge=1 << 16, le=PACK)]


class LogAsked(_Answer):
    """A log, and how far it reaches at the sender's."""

    device: Id
    to: Annotated[int, Field(ge=0, le=MAX_SEQ)]


class HeadsAsked(_Answer):
    """What does central hold of these logs, and which of these packs?"""

    logs: Annotated[tuple[LogAsked, ...], Field(strict=False, max_length=MAX_LOGS)] = ()
    packs: Annotated[tuple[Hash, ...], Field(strict=False, max_length=MAX_PACKS)] = ()


class LogHeld(_Answer):
    """`lacks`: stretches that central does not hold, a hint; `receipts`: what it holds, proved (receipt files)."""

    device: Id
    lacks: Annotated[tuple[Range, ...], Field(strict=False, max_length=10_000)] = ()
    receipts: Annotated[tuple[HexFile, ...], Field(strict=False, max_length=64)] = ()


class Heads(_Answer):
    """`packs`: those of the packs asked for that are there. The digests change when there is something new to fetch."""

    format: Literal["fieldsurvey heads"] = "fieldsurvey heads"
    format_version: Literal[1] = 1
    project: Annotated[int, Field(ge=1, le=2**31)]
    logs: Annotated[tuple[LogHeld, ...], Field(strict=False, max_length=MAX_LOGS)] = ()
    packs: Annotated[tuple[Hash, ...], Field(strict=False, max_length=MAX_PACKS)] = ()
    withdrawals: Hash
    returns: Hash
    erased: Hash


class Offered(_Answer):
    """What became of a batch: packs that are missing still, or merged: `new` entries, and central's receipts."""

    format: Literal["fieldsurvey offered"] = "fieldsurvey offered"
    format_version: Literal[1] = 1
    missing: Annotated[tuple[Hash, ...], Field(strict=False, max_length=MAX_PACKS)] = ()
    new: Annotated[int, Field(ge=0, le=16_384)] = 0
    receipts: Annotated[tuple[HexFile, ...], Field(strict=False, max_length=64)] = ()


class Taken(_Answer):
    """How many of what was handed in were new."""

    format: Literal["fieldsurvey taken"] = "fieldsurvey taken"
    format_version: Literal[1] = 1
    new: Annotated[int, Field(ge=0, le=100_000)]


class Refused(_Answer):
    """Why not, as a code; `reason` is the code of the error behind it, where there is one."""

    format: Literal["fieldsurvey refused"] = "fieldsurvey refused"
    format_version: Literal[1] = 1
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    reason: Annotated[str, Field(pattern=r"^[a-z_.]{0,80}$")] = ""


def join_pieces(pieces: list[bytes]) -> bytes:
    """Small files one after the other, each with its length before it (four bytes, big-endian)."""
    return b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)


def split_pieces(data: bytes) -> list[bytes] | None:
    """The inverse; None unless it comes out even."""
    pieces = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4 + size
        if at > len(data) or not size:
            return None
        pieces.append(data[at - size : at])
    return pieces


def digest_of(files: Iterable[bytes]) -> str:
    """A set of files as one hash (hexadecimal), the same on both sides of the line."""
    each = sorted({hashlib.sha256(data).hexdigest() for data in files})
    return hashlib.sha256("".join(each).encode("ascii")).hexdigest()
