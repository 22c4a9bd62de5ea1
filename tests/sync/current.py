"""What counts at a central, with its sealed record: read as the HMU reads it when it opens a round."""

from __future__ import annotations

from collections.abc import Iterator

from sync.central import Central
from sync.merge import Version


def records(central: Central) -> Iterator[tuple[Version, bytes]]:
    """The current record of every case; one that is lost fails the test that asks."""
    for case in central.cases():
        if case.current is not None:
            body = central.store.body(case.current.record_hash)
            assert body is not None, f"record {case.current.seq} of {case.current.device} is lost"
            yield case.current, body
