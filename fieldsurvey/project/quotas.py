"""What the plan's quotas count: interviews with a person, wherever they are counted.

A form counts when it asks for the person's mobility, sex or age outside repeats; an assembly's does not, as nobody in
it is a person interviewed. Where it says an `outcome`, only what was kept counts: a refusal is no interview. A quota
names answers to `parish`, `sex`, `age_band`, and to `mobility` either the answer or the group that it makes
(`host_mobility`); what it does not name may be anything, so that one interview may count for several quotas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from fieldsurvey.project.policy import Quota

_MOBILITY: Final = ("host_mobility", "mobility")
_PERSON: Final = frozenset({*_MOBILITY, "sex", "age_band"})
_KEPT: Final = frozenset({"complete", "partial"})
QUESTIONS: Final = ("parish", *_MOBILITY, "sex", "age_band", "outcome")
"""The names of all questions outside repeats that decide what an interview counts for."""


class Cell(NamedTuple):
    """Whom a quota is about, by the answers' codes; None stands for any."""

    parish: str | None = None
    mobility: str | None = None
    sex: str | None = None
    age: str | None = None

    @classmethod
    def of(cls, quota: Quota) -> Cell:
        """A quota's, without its number."""
        return cls(quota.parish, quota.mobility, quota.sex, quota.age)


def interviews_people(names: Collection[str]) -> bool:
    """Whether a form with these questions outside repeats interviews one person."""
    return not _PERSON.isdisjoint(names)


def cells_met(quotas: Iterable[Quota], answers: Mapping[str, object]) -> tuple[Cell, ...]:
    """The cells for which an interview counts, in the plan's order, each once. `answers`: by name, blanks left out."""
    outcome = answers.get("outcome")
    if outcome is not None and outcome not in _KEPT:
        return ()
    return tuple(dict.fromkeys(cell for cell in map(Cell.of, quotas) if _meets(cell, answers)))


def _meets(cell: Cell, answers: Mapping[str, object]) -> bool:
    groups = [answers.get(name) for name in _MOBILITY]
    return (
        cell.parish in {None, answers.get("parish")}
        and (cell.mobility is None or cell.mobility in groups)
        and cell.sex in {None, answers.get("sex")}
        and cell.age in {None, answers.get("age_band")}
    )
