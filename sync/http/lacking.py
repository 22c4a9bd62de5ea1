"""What central does not hold of a log: a hint for whoever sends it. It confirms nothing."""

from __future__ import annotations

from sync.bare import without_record
from sync.central import Central
from sync.one_chain import one_chain
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
        places = [(link.seq, link.head) for link in central.store.links(device, lost - 1)]
        gaps += ((seq, seq) for seq, _head in without_record(central.store, device, places))
    return joined((first, min(last, to)) for first, last in gaps)
