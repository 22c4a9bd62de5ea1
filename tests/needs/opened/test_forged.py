"""A record that somebody put into central's database in a laptop's name is not opened, and is named. Synthetic."""

from __future__ import annotations

from fieldsurvey.needs.opened.opening import open_round
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.log import next_head
from sync.central import Central
from sync.store import StoredEntry
from tests.needs.opened.world import ROUND, World


def test_a_forged_record_is_left_out_by_name(world: World, central: Central) -> None:
    """Copied from a genuine one but for its place in the log, so that all of it but the signature would hold."""
    before = open_round(central, world.project, world.hmu, ROUND).quality
    genuine = next(case.current for case in central.cases() if case.current is not None)
    assert genuine is not None
    record = central.store.body(genuine.record_hash)
    assert record is not None
    other = record[:-1] + bytes([record[-1] ^ 1])
    head = next_head(genuine.head, genuine.seq + 1, record_hash(other))
    row = StoredEntry(
        genuine.device, genuine.seq + 1, head, genuine.head, record_hash(other), "ab" * 16, 1, "record", None, None
    )
    with central.store.write() as writer:
        writer.entries([(row, other)])
    found = open_round(central, world.project, world.hmu, ROUND)
    assert found.quality.kept == before.kept
    assert found.quality.not_opened == {**before.not_opened, "unsigned": 1}
    (left,) = [one for one in found.left_out if one.reason == "unsigned"]
    assert (left.device, left.seq) == (genuine.device, genuine.seq + 1)
