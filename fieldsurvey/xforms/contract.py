"""What front ends, tests and benchmarks see of the form engine: values and protocols, no implementation.

References are absolute paths with positions from 1 at every repeat: `/data/person[2]/age`. Validity and relevance
are values. The engine takes clock, randomness, time zone, media and verifiers from its caller and keeps no state
outside the interview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Media = Mapping[str, bytes] | Callable[[str], bytes | None]
"""File name or jr:// address -> bytes."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something came from: a sheet and row of a workbook (rows as a spreadsheet counts them, from 1)."""

    sheet: str
    row: int
    column: str = ""


class ViolationKind(StrEnum):
    """Why a question is not as it should be."""

    REQUIRED = "required"
    CONSTRAINT = "constraint"
    TYPE = "type"  # the text does not parse as the question's type; it is kept in Question.raw
    CHOICE = "choice"  # not among the choices offered now
    WARNING = "warning"  # fs:warning: may be accepted with a reason
    ERROR = "error"  # an expression of the form failed; `message` names its row


@dataclass(frozen=True, slots=True)
class Violation:
    """At most one a question. `message` is the form's own, labelled in the interview's language, or None."""

    ref: str
    kind: ViolationKind
    message: str | None = None
    accepted: bool = False  # a warning that was accepted with a reason

    @property
    def blocks(self) -> bool:
        """Whether `finalise` refuses while it stands."""
        return self.kind is not ViolationKind.WARNING


@dataclass(frozen=True, slots=True)
class Choice:
    """One option as offered now: `value` is stored, `label` is in the interview's language."""

    value: str
    label: str
    media: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it stands now. `value` is the stored text, None when blank; `raw` is text that did not parse."""

    ref: str
    name: str
    type: str  # text, integer, decimal, date, time, dateTime, select, selectMultiple, rank, note, acknowledge, range, …
    label: str
    hint: str
    guidance: str
    appearance: tuple[str, ...]
    value: str | None
    raw: str | None
    choices: tuple[Choice, ...]
    required: bool
    relevant: bool
    read_only: bool
    violation: Violation | None
    parameters: Mapping[str, str] = field(default_factory=dict)  # range: start, end, step; text: rows; …
    media: Mapping[str, str] = field(default_factory=dict)
    missing_ref: str | None = None  # fs:missing: the companion select that F5-F7 fill
    origin: Origin | None = None
    ticks: tuple[Choice, ...] = ()  # range: the labels along its scale, by the number they stand at


@dataclass(frozen=True, slots=True)
class Group:
    """A section. `questions` lists the refs shown together when it is a field-list."""

    ref: str
    label: str
    field_list: bool
    questions: tuple[str, ...]
    appearance: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """ "Add another?": the place after the last instance of a repeat. `ref` has no position on its last step."""

    ref: str
    label: str
    count: int
    can_add: bool  # False when the form fixes the count


@dataclass(frozen=True, slots=True)
class End:
    """After the last question."""


Place = Question | Group | Repeat | End


class ChangeKind(StrEnum):
    """What became different about a node."""

    VALUE = "value"
    RELEVANT = "relevant"
    REQUIRED = "required"
    READ_ONLY = "read_only"
    VALID = "valid"
    LABEL = "label"
    CHOICES = "choices"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One node that changed with an answer; the answered node comes first."""

    ref: str
    kinds: frozenset[ChangeKind]


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A line of the live tree in form order; only relevant nodes are listed."""

    ref: str
    kind: str  # question, group, repeat, instance
    label: str
    depth: int
    number: int | None  # counts questions that are asked, from 1; None for the rest
    answered: bool
    violation: Violation | None
    note: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything needed to go on, as JSON-ready data. `data` is opaque outside the engine; it holds the answers."""

    form_id: str
    form_version: str
    form_hash: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An answer for which the form has no place any more: where it stood, and its stored text."""

    ref: str
    value: str


@dataclass(frozen=True, slots=True)
class Instance:
    """A finalised interview: OpenRosa XML (non-relevant nodes left out) and the typed answers by reference."""

    form_id: str
    form_version: str
    instance_id: str
    name: str
    xml: bytes
    values: Mapping[str, Any]


class Interview(Protocol):
    """A form being answered."""

    @property
    def language(self) -> str:
        """The language of labels, hints and messages."""
        ...

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Answers of a draft or record of another version of the form that found no place; drafts keep them."""
        ...

    @property
    def current(self) -> Place:
        """Where we are, as it stands now."""
        ...

    def next(self) -> Place:
        """Go on; never validates."""
        ...

    def previous(self) -> Place:
        """Go back along the path taken."""
        ...

    def go_to(self, ref: str) -> Place:
        """Jump; refused with NoSuchRefError when `ref` is not there or not relevant."""
        ...

    def question(self, ref: str) -> Question:
        """The question as it stands."""
        ...

    def group(self, ref: str) -> Group:
        """The section as it stands."""
        ...

    def outline(self) -> list[OutlineItem]:
        """The live tree in form order."""
        ...

    def answer(self, ref: str, value: str | None) -> list[Change]:
        """Set or clear an answer (several choices are separated by a space)."""
        ...

    def add_repeat(self, ref: str) -> str:
        """Append an instance to the repeat `ref` and return its ref, `/data/person[3]`."""
        ...

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        """Remove the instance at `position` (from 1)."""
        ...

    def set_language(self, language: str) -> None:
        """Labels, hints and messages from now on; answers stay."""
        ...

    def note(self, ref: str) -> str:
        """The enumerator's note on a question, "" when there is none."""
        ...

    def set_note(self, ref: str, text: str) -> None:
        """Keep a note on a question (paradata, not an answer)."""
        ...

    def accept_warning(self, ref: str, reason: str) -> None:
        """Accept a soft violation with a reason, which is kept."""
        ...

    def problems(self) -> list[Violation]:
        """Every violation and required blank, in form order."""
        ...

    def draft(self) -> Draft:
        """A snapshot."""
        ...

    def mark(self) -> int:
        """A mark for `changes_since`: the number of changes made so far."""
        ...

    def changes_since(self, mark: int) -> dict[str, Any]:
        """JSON-ready changes since `mark`; its size does not depend on the form's. See `Form.resume`."""
        ...

    def finalise(self) -> Instance:
        """The instance; raises NotReadyError with the problems that block."""
        ...


class Form(Protocol):
    """A form, ready to be answered any number of times."""

    id: str
    version: str
    title: str
    hash: str
    languages: tuple[str, ...]
    default_language: str

    def start(
        self,
        *,
        now: Callable[[], datetime],
        timezone: str | None = None,
        seed: int | None = None,
        language: str | None = None,
        metadata: Mapping[str, str] | None = None,
        last_saved: bytes | None = None,
        entities: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
        audit: Callable[[dict[str, Any]], None] | None = None,
        verify: Callable[[str, bytes, bytes, bytes], bool] | None = None,
        locate: Callable[[], str | None] | None = None,
        monotonic: Callable[[], float] | None = None,
        record: Callable[[str, str], str | None] | None = None,
    ) -> Interview:
        """A blank interview: defaults and first-load actions have run.

        `last_saved` is the XML of the record last finalised of this form, for its last-saved list. `entities` gives
        lists by name, each a sequence of rows by column. `audit` takes the events of ODK's client audit log as they
        happen, when the form asks for one (columns by name, see live.audit); `monotonic` (seconds) times them.
        `verify(algorithm, message, signature, public key)` checks signatures for extract-signed(). `locate()` gives
        a position for odk:setgeopoint, `latitude longitude altitude accuracy`, None when there is none.
        `record(ref, quality)` begins a recording for odk:recordaudio and gives the name of its file, None without one.
        """
        ...

    def resume(
        self, draft: Draft, changes: Sequence[dict[str, Any]] = (), *, now: Callable[[], datetime], **keywords: Any
    ) -> Interview:
        """Go on from a snapshot and the changes appended since, at the exact place; takes `start`'s keywords.

        A draft of another version of the form keeps every answer that has a place (see Interview.dropped for the
        rest); conditions and calculations are those of this version, and an answer that is none here (another type,
        a choice that is gone) is set aside as raw text with a violation.
        """
        ...

    def resume_instance(self, xml: bytes, *, now: Callable[[], datetime], **keywords: Any) -> Interview:
        """Edit something finalised: a new instanceID, the old one as deprecatedID."""
        ...

    def values(self, xml: bytes) -> dict[str, Any]:
        """Typed answers of a finalised instance by reference (int, float, str, date, list of str), blanks left out."""
        ...
