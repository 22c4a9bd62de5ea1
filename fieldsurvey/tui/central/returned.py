"""Work that the HMU gave back for correction, as central sees it: for whom, pending, or come back. Values only.

What the HMU wrote is sealed to the laptop: here is only whose it is. Pending means that no later revision is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fieldsurvey.tui.central.desk import names_of
from sync.central import Central
from sync.returned import Returned
from sync.returned import returned_work as work_of


class ReturnState(Enum):
    """What became of it."""

    PENDING = "pending"
    BACK = "back"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """Revision `revision` of `case`, which goes back to `device`; `answered`: the revision that came since, or 0."""

    case: str
    device: str
    name: str
    revision: int
    answered: int
    state: ReturnState


def returned_work(central: Central) -> tuple[ReturnRow, ...]:
    """Every return that central passes on, pending ones first. Raises StorageError."""
    names = names_of(central)
    rows = [_row(one, names) for one in work_of(central)]
    order = list(ReturnState)
    return tuple(sorted(rows, key=lambda row: (order.index(row.state), row.name.casefold(), row.case)))


def _row(one: Returned, names: Mapping[str, str]) -> ReturnRow:
    of = one.manifest
    name = names.get(of.device, of.device[:8])
    return ReturnRow(of.case, of.device, name, of.revision, one.answered, ReturnState(one.state))
