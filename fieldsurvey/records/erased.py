"""Reports of erasure: a place's signed word that it holds nothing any more of withdrawn cases.

A report file is an FSB1 of kind `erasure` without frames. Central, a relay and the HMU sign with their role's key, a
laptop with its carrier key, so that a locked one reports too. It says what is gone, never what it was; and it is a
place's word, not a proof: nobody can prove that no copy was kept. It does not erase anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from pydantic import Field, model_validator

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import Signer, open_container, write_container
from fieldsurvey.records.errors import ContainerError, SignatureError
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import VerifyKey
from fieldsurvey.records.wire import Day, Hash, Id, Instant, Wire

MAX_BYTES: Final = 256 << 10
MAX_CASES: Final = 1_000
"""Of one report; who has more to say writes another."""


class Place(StrEnum):
    """Where records lie."""

    LAPTOP = "laptop"
    RELAY = "relay"
    CENTRAL = "central"
    HMU = "hmu"


_ROLES: Final = {Place.RELAY: Role.SUPERVISOR, Place.CENTRAL: Role.CENTRAL, Place.HMU: Role.HMU}


class ErasedCase(Wire):
    """A withdrawn case by its tag. `records`: how many records of it were erased at this place, 0 if none were there.

    At the HMU: records taken out of opened rounds.
    """

    tag: Hash
    records: Annotated[int, Field(ge=0, le=1_000_000)]


class ErasureReport(Wire):
    """At `at` (the place's clock) it holds nothing of these cases. `cases` come by tag, none twice.

    `device`: the laptop, where the place is one. `backups_until`: the last day on which a backup made at this place may
    still hold something of them; None: none does.
    """

    what: ClassVar[str] = "erasure report"
    max_bytes: ClassVar[int] = MAX_BYTES

    format: Literal["fieldsurvey erasure"] = "fieldsurvey erasure"
    format_version: Literal[1] = 1
    project: Id
    place: Annotated[Place, Field(strict=False)]
    device: Id | None = None
    cases: Annotated[tuple[ErasedCase, ...], Field(strict=False, min_length=1, max_length=MAX_CASES)]
    backups_until: Day | None = None
    at: Instant

    @model_validator(mode="after")
    def _whole(self) -> ErasureReport:
        if (self.device is not None) != (self.place is Place.LAPTOP):
            raise ValueError("device")
        tags = [case.tag for case in self.cases]
        if tags != sorted(set(tags)):
            raise ValueError("cases")
        return self


class HeardReport(NamedTuple):
    """A report, and the key that signed it: two relays of one project differ by it."""

    report: ErasureReport
    key: VerifyKey


def write_erasure(report: ErasureReport, key: Signer) -> bytes:
    """The report as a file, signed by the place's key: a role's, or a laptop's carrier."""
    return b"".join(write_container("erasure", report.content(), (), key))


def read_erasure(
    data: bytes, roles: Iterable[tuple[Role, VerifyKey]], carriers: Mapping[str, VerifyKey]
) -> HeardReport:
    """A report that its place signed: the role's key, or the carrier key of the laptop it names.

    Raises ContainerError, NotCanonicalError, FieldError, or SignatureError for an unsigned or foreign one.
    """
    container = open_container(data, "erasure", max_bytes=MAX_BYTES)
    if container.table or len(container.signatures) != 1:  # any more would be bytes that nobody verified
        raise ContainerError(kind="erasure", reason="frames" if container.table else "signatures")
    container.read_all()
    report = ErasureReport.from_bytes(canonical(container.manifest))
    if report.device is not None:
        keys = [carriers[report.device]] if report.device in carriers else []
    else:
        keys = [key for role, key in roles if role is _ROLES[report.place]]
    for key in keys:
        if key.id in container.signatures:
            container.verify(key)
            return HeardReport(report, key)
    raise SignatureError(what="erasure")
