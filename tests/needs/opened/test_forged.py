"""A record that somebody put into central's database in a laptop's name is not opened, and is named. Synthetic."""

from __future__ import annotations

import hashlib

from fieldsurvey.needs.opened.opening import open_round
from fieldsurvey.project.model import Device
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.log import next_head
from sync.central import Central
from sync.store import StoredEntry, StoredProject
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


def test_a_project_put_into_the_database_enrols_nobody(world: World, central: Central) -> None:
    """One that nobody signed, newer than any, by which a stranger's records would count: the one at hand decides."""
    before = open_round(central, world.project, world.hmu, ROUND).quality
    known = central.project()
    assert known is not None
    stranger = next(
        DeviceCard.from_bytes(one.card) for one in central.store.devices() if known.device(one.device) is None
    )
    forged = known.model_copy(
        update={
            "version": known.version + 1000,
            "devices": (*known.devices, Device(id=stranger.device, name="synthetic", card=stranger)),
        }
    )
    data = forged.to_bytes()
    with central.store.write() as writer:
        writer.project(StoredProject(forged.version, hashlib.sha256(data).digest(), data))
    central.learn(world.project.model)
    found = open_round(central, world.project, world.hmu, ROUND)
    assert found.quality.kept == before.kept
    assert found.quality.not_opened["not_enrolled"] > 0
    assert {one.device for one in found.left_out if one.reason == "not_enrolled"} == {stranger.device}
