"""What of a laptop's log lies on a stick already, and what does not. Names only say which files are worth opening."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.erasure import erased
from sync.batches import Plan, read_batch
from sync.refusals import passing_over
from sync.stick import Stick, opened


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A batch on the stick. `written`: by this export; otherwise it was there, whole, and was verified."""

    name: str
    first: int
    last: int
    written: bool


def batch_name(locked: SealedLog, plan: Plan) -> str:
    """For people, and so that clones do not overwrite each other's; readers do not trust it."""
    device = locked.device_card().device
    return f"{device[:12]}-{plan.first:06d}-{plan.last:06d}-{plan.entries[-1].head.hex()[:8]}.fsb"


def present_on(stick: Stick, locked: SealedLog) -> Iterator[ExportedFile]:
    """Batches of this very log that are whole on the stick. A name only says which files are worth opening."""
    device = locked.device_card().device
    for file in stick.files(stick.batches):
        if file.ignored or not file.name.startswith(device[:12]):
            continue
        found = None
        with passing_over(stick, file), opened(file.path) as stream:  # damaged: it is written again
            batch = read_batch(stream, locked.device_card().project)
            ours = batch.device == device and holds(locked, batch.last, batch.entries[-1].head)
            if ours and batch.erased <= erased(locked):  # else it is somebody's who copied the carrier key
                batch.verify()
                found = ExportedFile(file.name, batch.first, batch.last, written=False)
        if found is not None:
            yield found


def holds(locked: SealedLog, seq: int, head: bytes) -> bool:
    """Whether that is the head of this very log at entry `seq`."""
    return seq <= locked.head().seq and locked.head_at(seq) == head


def without(wanted: range, files: list[ExportedFile]) -> list[range]:
    """The stretches of `wanted` that no file covers."""
    left: list[range] = []
    at = wanted.start
    for file in sorted(files, key=lambda item: item.first):
        if file.first > at:
            left.append(range(at, min(file.first, wanted.stop)))
        at = max(at, file.last + 1)
    left.append(range(at, wanted.stop))
    return [stretch for stretch in left if len(stretch)]


def clear_unfinished(stick: Stick, locked: SealedLog) -> None:
    """Remove what an interrupted export of this laptop left half written."""
    for file in stick.files(stick.batches):
        if file.name.endswith(".part") and file.name.startswith(locked.device_card().device[:12]):
            with contextlib.suppress(OSError):  # it is ignored by every reader; the space is all that it costs
                file.path.unlink()
