"""What somebody with the database's password put there is no device's word. All synthetic."""

from __future__ import annotations

import io

import pytest

from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.log import next_head
from sync.central import Central
from sync.proving import Proof
from sync.store import StoredEntry
from tests.sync.laptops import HMU, PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import enrol


@pytest.fixture
def one(central: Central) -> SyntheticLaptop:
    """A laptop whose six entries came in two batches."""
    made = laptop(6)
    enrol(central, made)
    for first, last in ((1, 4), (5, 6)):
        central.merge(io.BytesIO(made.batch(first, last)))
    return made


def covered(central: Central, one: SyntheticLaptop) -> list[bool]:
    """Each of its entries that is held, by place."""
    proof = Proof(central.store, PROJECT)
    return [proof.covers(one.device, entry.head) for entry in central.store.entries(one.device)]


def forge(central: Central, one: SyntheticLaptop, seq: int, previous: bytes) -> bytes:
    """A sealed record in an enrolled laptop's name, with an entry that fits its log; anybody can seal to the HMU."""
    record = seal(Header(project=PROJECT, device=one.device, case="ab" * 16), b"forged", [HMU.public])
    head = next_head(previous, seq, record_hash(record))
    row = StoredEntry(one.device, seq, head, previous, record_hash(record), "ab" * 16, 1, "record", None, None)
    with central.store.write() as writer:
        writer.entries([(row, record)])
    return head


def test_what_came_in_batches_is_covered(central: Central, one: SyntheticLaptop) -> None:
    """Every entry, by the signature at the end of its batch or of a later one."""
    assert covered(central, one) == [True] * 6


@pytest.mark.parametrize("at", [3, 6, 9])
def test_a_forged_record_counts_for_central_and_is_not_covered(central: Central, one: SyntheticLaptop, at: int) -> None:
    """In the middle of the log as a fork, at its end, or beyond it: what is genuine is covered all the same."""
    head = forge(central, one, at + 1, one.head_at(min(at, 6)))
    assert "ab" * 16 in {case.case for case in central.cases()}  # why it has to be asked
    proof = Proof(central.store, PROJECT)
    assert not proof.covers(one.device, head)
    assert all(proof.covers(one.device, entry.head) for entry, _record in one.log)


def test_a_signature_of_somebody_elses_covers_nothing(central: Central, one: SyntheticLaptop) -> None:
    """Nor does one over another entry, put beside the forged one."""
    head = forge(central, one, 7, one.head_at(6))
    other = laptop(7)
    for signature in (other.log[6][0].signature, one.log[5][0].signature):
        with central.store.write() as writer:
            writer.signature(one.device, 7, head, signature)
        assert not Proof(central.store, PROJECT).covers(one.device, head)
        central.store._connection.execute("DELETE FROM signatures WHERE seq = 7")  # type: ignore[attr-defined]


def test_an_altered_entry_and_what_only_it_vouched_for_are_not_covered(central: Central, one: SyntheticLaptop) -> None:
    """Its record exchanged for another: the entry no longer follows from its own head."""
    central.store._connection.execute("UPDATE entries SET record_hash = zeroblob(32) WHERE seq = 5")  # type: ignore[attr-defined]
    assert covered(central, one) == [True] * 4 + [False, True]


def test_a_device_without_a_card_has_said_nothing(central: Central, one: SyntheticLaptop) -> None:
    """Whose key it was cannot be known any more."""
    central.store._connection.execute("DELETE FROM devices")  # type: ignore[attr-defined]
    assert covered(central, one) == [False] * 6


def test_an_entry_that_its_device_erased_holds_the_log_together(central: Central) -> None:
    """The chain goes on over it."""
    made = laptop(4)
    enrol(central, made)
    made.erase(2)
    central.merge(io.BytesIO(made.batch()))
    assert covered(central, made) == [True] * 3
