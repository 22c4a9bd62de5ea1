"""One log with a wild history does not make the answer about all the others too long to be read. Synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.records.receipt import MAX_ABSENT, Level, Receipt, Role
from sync.http.wire import Heads, HeadsAsked, LogAsked
from sync.vouching import Vouching
from tests.sync.http.worlds import Asker, Place, asking
from tests.sync.laptops import SyntheticLaptop, laptop


def wild(one: SyntheticLaptop) -> list[Receipt]:
    """What central would say of a log with sixty histories, each with as many holes as a receipt has room for."""
    holes = tuple((1_000_000 + 2 * hole, 1_000_000 + 2 * hole) for hole in range(MAX_ABSENT))
    return [
        Receipt(
            format_version=2, project=one.card.project, device=one.device, up_to=9_000_000 + number, head="ab" * 32,
            level=Level.COMMITTED, by=Role.CENTRAL, issued="2026-03-02T09:00:00Z", absent=holes,
        )
        for number in range(60)
    ]  # fmt: skip


def test_a_wild_log_keeps_nobody_elses_answer_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay asks about five logs at once, four of which are somebody's mischief."""
    laptops = [laptop(1) for _ in range(5)]
    place = Place.make(tmp_path, *laptops)
    histories = {one.device: wild(one) for one in laptops[1:]}
    real = Vouching.receipts
    monkeypatch.setattr(Vouching, "receipts", lambda self: histories.get(self._device) or real(self))
    asked = HeadsAsked(logs=tuple(LogAsked(device=one.device, to=1) for one in laptops)).to_bytes()
    with asking(place, laptops[0]) as (known, _service):
        relay = Asker(known.app, place.project.id, place.project.supervisor)
        found = Heads.from_bytes(relay.ask("POST", "/v1/heads", asked).content)
    assert [log.device for log in found.logs] == [one.device for one in laptops]
    assert all(log.receipts for log in found.logs[1:])
