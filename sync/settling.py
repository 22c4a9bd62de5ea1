"""What must not stay at a relay any longer goes, with its line in the sync log and its word to whoever is there.

On its last day a batch that waits is delivered first where somebody sends or hands on just then; however that ends, it
goes afterwards. Past that day it goes before anything else. Whoever only looks erases on the day itself; who opens the
screen, once it is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from fieldsurvey.base.errors import FieldsurveyError, StorageError
from sync.errors import RelayBusyError
from sync.journal import Journal
from sync.relay import Relay
from sync.waiting import erased_batches


@dataclass
class Settled:
    """How many batches went."""

    batches: int = 0


def erase(relay: Relay, place: str = "", handed: AbstractSet[bytes] = frozenset(), *, deliver: bool = False) -> int:
    """`Relay.erase`, with its line in the sync log; how many batches went. Raises StorageError."""
    gone = relay.erase(handed, deliver=deliver)
    if gone:
        Journal(relay.home, relay.clock).note("erasure", "relay", place=place, batches=len(gone))
    return len(gone)


def settle(relay: Relay, *, deliver: bool = False) -> int:
    """Erase what waited for too long, or waits no more, without any stick; how many batches went. For whoever looks.

    `deliver`: who looks may still deliver what is due today, and settles once more afterwards. Where another process is
    at it already, that one does. Raises StorageError.
    """
    if not relay.noted:
        return 0
    try:
        with relay.alone():
            return erase(relay, deliver=deliver)
    except RelayBusyError:
        return 0


@contextmanager
def settling(relay: Relay) -> Iterator[Settled]:
    """What is tried in it comes first; then what is due today goes, whatever became of that, and a failure says so.

    `batches` of what it gives counts all of it, with what was erased in between and added there.
    """
    done = Settled()
    try:
        yield done
    except FieldsurveyError as error:
        try:
            done.batches += settle(relay)
        except StorageError as own:  # this laptop's own disk, which the next look comes upon again
            error.afterwards.append(own.message)
        if done.batches:
            error.afterwards.append(erased_batches(done.batches))
        raise
    except BaseException:  # killed, or a fault of ours: that must show, and not hide behind a disk
        with suppress(StorageError):
            settle(relay)
        raise
    else:
        done.batches += settle(relay)
