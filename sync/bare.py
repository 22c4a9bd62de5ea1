"""Which entries of a log are at central without their record."""

from __future__ import annotations

from collections.abc import Sequence

from sync.merge import Position
from sync.store import Store


def without_record(
    store: Store, device: str, places: Sequence[Position], *, brought: bool = False
) -> Sequence[Position]:
    """Those of `places` (by number) that `store.missing` counts, `brought` as there: by halves, for it is mostly all of
    them, or none, or few. Raises StorageError.
    """
    lacking = store.missing(device, places, brought=brought)
    if lacking in {0, len(places)}:
        return places if lacking else ()
    half = len(places) // 2
    parts = (without_record(store, device, part, brought=brought) for part in (places[:half], places[half:]))
    return [place for part in parts for place in part]
