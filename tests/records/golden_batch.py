"""Makes the golden batches of version 2: `python -m tests.records.golden_batch FOLDER`. Synthetic throughout.

They stand in a folder of their own, beside the golden files of the first day, whose batch they carry on from: the same
log after a withdrawal. Nothing in them is drawn at random: made anew they are the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from fieldsurvey.records.container import open_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.log import LogEntry
from fieldsurvey.records.signing import SigningKey
from sync.batches import Batch, plan_batches, read_batch, write_batch
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import Keys
from tests.records.make_golden import GOLDEN

FOLDER = Path(__file__).parent / "golden_batch"
with_shared = sharing("words.txt")
ERASED = {"batch-some.fsb": (3, 4), "batch-all.fsb": (1, 2, 3, 4)}
"""File name -> the entries that the device has erased."""


class Log:
    """The log of the golden batch, after the device erased some of its records."""

    def __init__(self, erased: tuple[int, ...]) -> None:
        self.batch: Batch = read_batch(io.BytesIO((GOLDEN / "batch.fsb").read_bytes()))
        self.whole = [(entry, record) for entry, _header, record in self.batch.records()]
        self.erased = erased

    @property
    def carrier(self) -> SigningKey:
        """Signs the batch."""
        return Keys().carrier

    def device_card(self) -> DeviceCard:
        """The card in the batch."""
        return self.batch.card

    def head_at(self, seq: int) -> bytes:
        """The head after entry `seq`."""
        return self.whole[seq - 1][0].head if seq else self.batch.previous

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """Entries with the records that are left."""
        return (item for item in self.whole[from_seq - 1 : to_seq] if item[0].seq not in self.erased)

    def gone(self) -> list[LogEntry]:
        """The others."""
        return [entry for entry, _record in self.whole if entry.seq in self.erased]


def make() -> dict[str, bytes]:
    """File name -> bytes."""
    files = {}
    said = {}
    for name, erased in ERASED.items():
        log = Log(erased)
        (plan,) = plan_batches(log, 1, len(log.whole), erased=log.gone())
        files[name] = b"".join(write_batch(log, plan))
        content = open_container(files[name], "batch").manifest
        frames = [hashlib.sha256(record).hexdigest() for _entry, record in log.entries(1, len(log.whole))]
        said[name] = {"content": content, "frames": frames}
    return {
        **files,
        "keys.json": json.dumps({"days": []}, indent=1).encode() + b"\n",
        "expected.json": json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
