"""What was done with a project's keys, and by whom: one line for each opening and each ceremony, chained and signed.

    ledger.jsonl in the steward's folder: a line of canonical JSON each, which names the hash of the line before it

The root signs ceremonies, the HMU's role key signs openings. A line that is altered, left out or moved shows; lines cut
off at the end do not, so keep a copy. It never says what was answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Protocol

from pydantic import Field

from fieldsurvey.base.canonical import canonical, parse_canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.project.errors import LedgerBrokenError
from fieldsurvey.project.model import Project
from fieldsurvey.project.succession import HexSignature
from fieldsurvey.records.labels import LEDGER_LINE, SIGN_LEDGER, hash_of
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import Signature, VerifyKey
from fieldsurvey.records.wire import Code, Hash, Id, Instant, Wire

LEDGER: Final = "ledger.jsonl"
Deed = Literal["opened", "rotated", "destroyed", "recovered", "succeeded", "revoked", "members", "left"]
MAX_LEDGER: Final = 64 << 20


class Signer(Protocol):
    """The root, or the HMU's role key."""

    public: VerifyKey

    def sign(self, label: str, data: bytes) -> Signature:
        """See `records.signing`."""
        ...


class LedgerLine(Wire):
    """One deed. `who`: codes of people; `count`: records opened; `signer`: a key's fingerprint."""

    what: ClassVar[str] = "ledger line"
    max_bytes: ClassVar[int] = 32 << 10

    format: Literal["fieldsurvey ledger"] = "fieldsurvey ledger"
    format_version: Literal[1] = 1
    project: Id
    seq: Annotated[int, Field(ge=1, le=2**31)]
    previous: Hash
    at: Instant
    deed: Deed
    who: Annotated[tuple[Code, ...], Field(strict=False, max_length=16)] = ()
    round: Code | None = None
    count: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None
    text: Annotated[str, Field(max_length=500)] = ""
    signer: Hash
    signature: HexSignature = "00"


class Ledger:
    """The ledger in a steward's folder, read and verified."""

    def __init__(self, folder: Path, project: Project) -> None:
        """Raises LedgerBrokenError, StorageError."""
        self.path = folder / LEDGER
        self.project = project
        self._raw = _read(self.path)
        self.lines = self._verified()

    def append(
        self,
        key: Signer,
        deed: Deed,
        *,
        at: str,
        who: Sequence[str] = (),
        round_id: str | None = None,
        count: int | None = None,
        text: str = "",
    ) -> LedgerLine:
        """Write a line, durably, before it is said to be there. Raises LedgerBrokenError for a key of somebody else."""
        if key.public.fingerprint not in self._keys():
            raise LedgerBrokenError(place=str(self.path), line=len(self.lines) + 1)
        line = LedgerLine(
            project=self.project.id,
            seq=len(self.lines) + 1,
            previous=self._head(self._raw[-1] if self._raw else None),
            at=at,
            deed=deed,
            who=tuple(who),
            round=round_id,
            count=count,
            text=text[:500],
            signer=key.public.fingerprint,
        )
        signed = line.model_copy(update={"signature": key.sign(SIGN_LEDGER, _unsigned(line)).hex()})
        raw = [*self._raw, signed.to_bytes()]
        write_atomic(self.path, b"".join(data + b"\n" for data in raw), private=True)
        self._raw, self.lines = raw, [*self.lines, signed]
        return signed

    def _verified(self) -> list[LedgerLine]:
        keys = self._keys()
        found: list[LedgerLine] = []
        before: bytes | None = None
        for number, data in enumerate(self._raw, 1):
            broken = LedgerBrokenError(place=str(self.path), line=number)
            try:
                line = LedgerLine.from_bytes(data)
                key = keys[line.signer]
                key.verify(SIGN_LEDGER, _unsigned(line), bytes.fromhex(line.signature), "ledger")
            except (FieldsurveyError, KeyError):
                raise broken from None
            if (line.project, line.seq, line.previous) != (self.project.id, number, self._head(before)):
                raise broken
            found.append(line)
            before = data
        return found

    def _head(self, before: bytes | None) -> str:
        return hash_of(LEDGER_LINE, bytes.fromhex(self.project.id), before or b"").hex()

    def _keys(self) -> dict[str, VerifyKey]:
        roots = [step.root_key for step in self.project.successions]
        hmu = [role.key for role in self.project.roles if role.role is Role.HMU]
        return {key.fingerprint: key for key in (*roots, self.project.root_key, *hmu)}


def _unsigned(line: LedgerLine) -> bytes:
    body = parse_canonical(line.to_bytes())
    del body["signature"]
    return canonical(body)


def _read(path: Path) -> list[bytes]:
    try:
        if not path.exists():
            return []
        if path.stat().st_size > MAX_LEDGER:
            raise LedgerBrokenError(place=str(path), line=1)
        return path.read_bytes().splitlines()
    except OSError as error:
        raise storage_error(error, path) from error
