"""What central does not hold of a log: a hint for whoever sends it. It confirms nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync.central import Central
from sync.merge import Link
from sync.one_chain import one_chain
from sync.store import Store
from sync.stretches import Stretch, joined


def lacking(central: Central, device: str, to: int) -> list[Stretch]:
    """Stretches of entries 1 … `to`: what never came, and entries whose record was lost since.

    Where there are forks, everything after the whole part of the longest: which of them is the sender's is not known.
    """
    whole = one_chain(central, device)
    if whole is not None:
        return joined([(whole[0] + 1, to)])
    lost = central.store.first_without_body(device)
    view = central.log(device)
    if view.forks:
        held = view.whole_to if lost is None else min(view.whole_to, lost - 1)
        return joined([(held + 1, to)])
    gaps = [*view.gaps, (view.last + 1, to)]
    if lost is not None:
        links = list(central.store.links(device, lost - 1))
        gaps += ((seq, seq) for seq in _bare(central.store, device, links))
    return joined((first, min(last, to)) for first, last in gaps)


def _bare(store: Store, device: str, links: Sequence[Link]) -> Iterator[int]:
    """Those of them without their record: by halves, for it is few, or all that follow."""
    lacking = store.missing(device, [(link.seq, link.head) for link in links])
    if lacking == len(links):
        yield from (link.seq for link in links)
    elif lacking:
        half = len(links) // 2
        yield from _bare(store, device, links[:half])
        yield from _bare(store, device, links[half:])
