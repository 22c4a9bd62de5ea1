"""Returned work at central: what is out, and what came back. A function of what is held, never of the order.

A return is pending while no higher revision of its case is held. What it says is sealed to its laptop: here is only
whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
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


def standing(manifest: ReturnManifest, held: Iterable[StoredEntry], withdrawn: AbstractSet[str]) -> Returned:
    """What became of one: from the entries that are held of its case, and the tags (hex) of withdrawn cases."""
    came = answered(manifest, held)
    state: State = "back" if came else "pending"
    return Returned(manifest, "withdrawn" if manifest.withdrawal in withdrawn else state, came)


def returns_of(central: Central, keys: Keys, device: str | None = None) -> Iterator[ReturnManifest]:
    """What the HMU sent back to a laptop, or to any. What its present keys did not sign, nobody takes any more."""
    for _data, manifest in _signed(central, keys, device):
        yield manifest


def returned_work(central: Central) -> list[Returned]:
    """Every return that central passes on, the pending ones first. Raises StorageError."""
    order = ("pending", "back", "withdrawn")
    found = (one for _data, one in _standing(central))
    return sorted(found, key=lambda one: (order.index(one.state), one.manifest.device, one.manifest.case))


def pending_returns(central: Central) -> Iterator[bytes]:
    """The files of those to which no later revision has come yet; none of a withdrawn case. Raises StorageError."""
    return (data for data, one in _standing(central) if one.state == "pending")


def _standing(central: Central) -> Iterator[tuple[bytes, Returned]]:
    """Each file with what became of it."""
    project = central.project()
    withdrawn = {tag.hex() for tag, _data in central.store.tombstones()}
    for data, manifest in _signed(central, project.role_keys if project else ()):
        yield data, standing(manifest, central.store.case(manifest.case), withdrawn)


def _signed(central: Central, keys: Keys, device: str | None = None) -> Iterator[tuple[bytes, ReturnManifest]]:
    roles = tuple(keys)
    for notice in central.store.notices("return", device):
        try:
            yield notice.data, read_return(notice.data, roles).manifest
        except UntrustedError:  # signed by a key that has retired since: no laptop takes it any more
            continue
