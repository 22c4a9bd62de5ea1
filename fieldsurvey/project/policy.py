"""What a project decides for its laptops and its HMU: the policy, and the plan of rounds. Values only, no doing."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from fieldsurvey.records.wire import Code, Day, Label, Wire

PlaceCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
"""INEC's DPA code of a parish."""
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Argon2(Wire):
    """Argon2id for this project's passphrases; the bounds are those of a key slot."""

    memory_kib: Annotated[int, Field(ge=19 * 1024, le=512 * 1024)]
    iterations: Annotated[int, Field(ge=2, le=16)]
    lanes: Annotated[int, Field(ge=1, le=8)]


class Retention(Wire):
    """How long what is kept. `hmu_until` ends everything: keys are destroyed then, escrow included."""

    laptop_days_after_backup: Annotated[int, Field(ge=7, le=365)] = 7
    draft_days: Annotated[int, Field(ge=1, le=365)] = 30
    backup_days: Annotated[int, Field(ge=1, le=10)] = 10
    withdrawal_days: Annotated[int, Field(ge=0, le=5)] = 5
    hmu_until: Day | None = None


class Policy(Wire):
    """The signed rules. Defaults are the careful ones.

    review_window_hours: how long after finalising an enumerator may still open an interview; 0, the default, is never.
    argon2: None lets each laptop calibrate for itself.
    people_to_open, hmu_people: how many of how many HMU members must give their passphrases to open a round.
    consent_forms: the purposes for which a consent must be given before an interview can be finalised.
    purge_after_receipts: laptops drop sealed bodies once central has backed them up and retention allows it.
    ethics_approval: what allows people under 18 or media in a form about people; shown by `project show`.
    """

    what: ClassVar[str] = "policy"

    languages: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=35)], ...], Field(strict=False)] = ("es",)
    review_window_hours: Annotated[int, Field(ge=0, le=12)] = 0
    idle_lock_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    assembly_idle_minutes: Annotated[int, Field(ge=1, le=120)] = 20
    required_waits_for_review: bool = False
    passphrase_bits: Annotated[int, Field(ge=40, le=256)] = 60
    people_per_device: Annotated[int, Field(ge=1, le=8)] = 8
    argon2: Argon2 | None = None
    recovery_slot: bool = False
    people_to_open: Annotated[int, Field(ge=1, le=2)] = 1
    hmu_people: Annotated[int, Field(ge=1, le=16)] = 1
    consent_forms: Annotated[tuple[Code, ...], Field(strict=False, max_length=100)] = ()
    purge_after_receipts: bool = True
    ethics_approval: Annotated[str, Field(max_length=500)] = ""
    k_cell: Annotated[int, Field(ge=3, le=100)] = 5
    k_sensitive: Annotated[int, Field(ge=3, le=100)] = 10
    k_base: Annotated[int, Field(ge=3, le=1000)] = 10
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _enough_people(self) -> Policy:
        if self.people_to_open > self.hmu_people:
            raise ValueError("people_to_open")
        if len(set(self.consent_forms)) != len(self.consent_forms):
            raise ValueError("consent form twice")
        return self


class Quota(Wire):
    """How many interviews are wanted; None stands for any."""

    parish: PlaceCode | None = None
    mobility: Code | None = None
    sex: Code | None = None
    age: Code | None = None
    count: Count


class Round(Wire):
    """A closed set of fieldwork dates, both included."""

    id: Code
    title: Label
    start: Day
    end: Day
    parishes: Annotated[tuple[PlaceCode, ...], Field(strict=False)] = ()
    quotas: Annotated[tuple[Quota, ...], Field(strict=False)] = ()
    modules: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    routes: Annotated[tuple[Code, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Round:
        if self.start > self.end:
            raise ValueError("end before start")
        return self


class Plan(Wire):
    """The rounds of a project; they do not overlap."""

    what: ClassVar[str] = "plan"

    rounds: Annotated[tuple[Round, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _apart(self) -> Plan:
        if len({r.id for r in self.rounds}) != len(self.rounds):
            raise ValueError("round twice")
        ordered = sorted(self.rounds, key=lambda r: r.start)
        if any(later.start <= earlier.end for earlier, later in pairwise(ordered)):
            raise ValueError("rounds overlap")
        return self

    def round_on(self, day: str) -> Round | None:
        """The round whose dates hold `day` (YYYY-MM-DD)."""
        return next((r for r in self.rounds if r.start <= day <= r.end), None)
