"""Returned work at central: what is out, and what came back. A function of what is held, never of the order.

A return is pending while no higher revision of its case is held. What it says is sealed to its laptop: here is only
whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.returned import ReturnManifest, read_return
from fieldsurvey.records.signing import VerifyKey
from sync.central import Central
from sync.store import StoredEntry

State = Literal["pending", "back", "withdrawn"]
Keys = Iterable[tuple[Role, VerifyKey]]


@dataclass(frozen=True, slots=True)
class Returned:
    """One return. `answered`: the highest revision of its case that came since, 0 while it is pending."""

    manifest: ReturnManifest
    state: State
    answered: int


def answered(manifest: ReturnManifest, held: Iterable[StoredEntry]) -> int:
    """The highest revision after the returned one among the entries held of its case; 0 for none."""
    later = (entry.revision for entry in held if entry.kind == "record" and entry.case == manifest.case)
    return max((revision for revision in later if revision > manifest.revision), default=0)


def returns_of(central: Central, keys: Keys, device: str | None = None) -> Iterator[ReturnManifest]:
    """What the HMU sent back to a laptop, or to any. What its present keys did not sign, nobody takes any more."""
    roles = tuple(keys)
    for notice in central.store.notices("return", device):
        try:
            yield read_return(notice.data, roles).manifest
        except UntrustedError:
            continue


def returned_work(central: Central) -> list[Returned]:
    """Every return that central passes on, the pending ones first. Raises StorageError."""
    project = central.project()
    withdrawn = {tag.hex() for tag, _data in central.store.tombstones()}
    found = []
    for manifest in returns_of(central, project.role_keys if project else ()):
        came = answered(manifest, central.store.case(manifest.case))
        state: State = "back" if came else "pending"
        if manifest.withdrawal in withdrawn:
            state = "withdrawn"
        found.append(Returned(manifest, state, came))
    order = ("pending", "back", "withdrawn")
    return sorted(found, key=lambda one: (order.index(one.state), one.manifest.device, one.manifest.case))
