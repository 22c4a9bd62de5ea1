"""What is inside a sealed record: the form it answers, the OpenRosa instance, consent, paradata. Canonical JSON.

Typed answers are not stored: the HMU derives them from the instance with the form. It does not read the instance.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fieldsurvey.records.envelope import MAX_PAYLOAD
from fieldsurvey.records.wire import Code, Hash, Instant, Json, Label, Wire

Ref = Annotated[str, Field(min_length=1, max_length=1024)]


class FormRef(Wire):
    """A form, exactly: `hash` is the SHA-256 of its compiled XForm."""

    id: Label
    version: Annotated[str, Field(max_length=200)]
    hash: Hash


class Consent(Wire):
    """What the respondent said to one purpose, under one version of its words. Oral, attested by the enumerator."""

    purpose: Code
    version: Annotated[str, Field(max_length=200)]
    language: Annotated[str, Field(max_length=35)]
    given: bool
    at: Instant


class Attachment(Wire):
    """A file that the instance names: its parts are records of kind `attachment`, by record hash, in order."""

    name: Label
    media_type: Annotated[str, Field(max_length=200)]
    size: Annotated[int, Field(ge=0, le=2**40)]
    parts: Annotated[tuple[Hash, ...], Field(max_length=4096, strict=False)]


class Payload(Wire):
    """One finalised revision. `person` is the enumerator's code from the unlocked slot.

    `notes` and `reasons` (for accepted warnings and for a revision) are by reference; `paradata` is free but small.
    """

    what: ClassVar[str] = "record payload"
    max_bytes: ClassVar[int] = MAX_PAYLOAD

    format: Literal["fieldsurvey payload"] = "fieldsurvey payload"
    format_version: Literal[1] = 1
    form: FormRef
    instance: Annotated[str, Field(min_length=1)]
    person: Code
    language: Annotated[str, Field(max_length=35)]
    started: Instant
    finished: Instant
    mode: Literal["screen", "paper", "practice"] = "screen"
    consent: Annotated[tuple[Consent, ...], Field(strict=False)] = ()
    attachments: Annotated[tuple[Attachment, ...], Field(strict=False)] = ()
    notes: dict[Ref, str] = Field(default_factory=dict)
    reasons: dict[Ref, str] = Field(default_factory=dict)
    paradata: dict[str, Json] = Field(default_factory=dict)
