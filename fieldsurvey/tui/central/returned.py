"""Work that the HMU gave back for correction, as central sees it: for whom, pending, or come back. Values only.

What the HMU wrote is sealed to the laptop: here is only whose it is. Pending means that no later revision is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.returned import ReturnManifest, read_return
from fieldsurvey.tui.central.desk import names_of
from sync.central import Central
from sync.returned import answered
from sync.store import StoredEntry


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
    project = central.project()
    keys = project.role_keys if project else ()
    withdrawn = {tag.hex() for tag, _data in central.store.tombstones()}
    rows = []
    for notice in central.store.notices("return"):
        try:
            manifest = read_return(notice.data, keys).manifest
        except UntrustedError:  # signed by a key that the project has retired since: no laptop takes it any more
            continue
        rows.append(return_row(manifest, central.store.case(manifest.case), withdrawn, names))
    order = list(ReturnState)
    return tuple(sorted(rows, key=lambda row: (order.index(row.state), row.name.casefold(), row.case)))


def return_row(
    manifest: ReturnManifest, held: Iterable[StoredEntry], withdrawn: set[str], names: Mapping[str, str]
) -> ReturnRow:
    """What became of one, from the entries of its case that central holds."""
    later = answered(manifest, held)
    state = ReturnState.BACK if later else ReturnState.PENDING
    if manifest.withdrawal in withdrawn:
        state = ReturnState.WITHDRAWN
    name = names.get(manifest.device, manifest.device[:8])
    return ReturnRow(manifest.case, manifest.device, name, manifest.revision, later, state)
