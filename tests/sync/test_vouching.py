"""What central vouches for where a laptop is said to have erased records: every receipt over them says so.

A copy of a laptop's disk holds its carrier key: with the log's genuine entries it can tell central that they were
erased. Whoever writes to the database can too. All synthetic.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.records.receipt import Level, Receipt
from sync.backups import back_up
from sync.central import Central
from sync.store import AbsentEntry
from sync.vouching import Vouching
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import CENTRAL, enrol


def bare(one: SyntheticLaptop, *erased: int) -> SyntheticLaptop:
    """The same log, of which these records are said to be erased."""
    twin = one.clone()
    twin.erase(*erased)
    return twin


def of(level: Level, receipts: list[Receipt]) -> list[tuple[int, tuple[tuple[int, int], ...]]]:
    """Where the receipts of a level end, and what they say they have not."""
    return [(receipt.up_to, receipt.absent) for receipt in receipts if receipt.level is level]


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """Where backups are kept."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def test_a_receipt_in_the_middle_of_a_log_names_what_is_absent(central: Central) -> None:
    """As for a carrier whose own copy ends there: else a laptop would take it, and never send those records again."""
    one = laptop(6)
    enrol(central, one)
    central.merge(io.BytesIO(bare(one, 1, 2, 4).batch(1, 5)))
    central.merge(io.BytesIO(one.batch(6, 6)))
    vouching = Vouching(central, one.device)
    known = vouching.receipts()
    assert of(Level.COMMITTED, known) == [(6, ((1, 2), (4, 4)))]
    ((up_to, absent), (later, more)) = of(Level.COMMITTED, vouching.receipts_at([3, 5], known))
    assert (up_to, absent) == (3, ((1, 2),))
    assert (later, more) == (5, ((1, 2), (4, 4)))


def test_no_backup_is_said_to_hold_a_record_that_came_after_it(
    central: Central, tmp_path: Path, backups: Path, clock: FixedClock
) -> None:
    """A record was said to be erased when the backup was made, and came then: central has it, that backup has not."""
    one = laptop(4)
    enrol(central, one)
    central.merge(io.BytesIO(bare(one, 2, 3).batch()))
    back_up(central, tmp_path, backups, key=CENTRAL, clock=clock)
    central.merge(io.BytesIO(one.batch()))
    found = central.receipts(one.device)
    assert of(Level.COMMITTED, found) == [(4, ())]
    assert of(Level.BACKED_UP, found) == [(4, ((2, 3),))]


def test_a_backup_of_everything_is_said_to_hold_everything(
    central: Central, tmp_path: Path, backups: Path, clock: FixedClock
) -> None:
    """The control: nobody ever said that anything was erased."""
    one = laptop(4)
    enrol(central, one)
    central.merge(io.BytesIO(one.batch()))
    back_up(central, tmp_path, backups, key=CENTRAL, clock=clock)
    assert of(Level.BACKED_UP, central.receipts(one.device)) == [(4, ())]


def test_a_record_taken_out_of_the_database_is_not_vouched_for_as_erased_by_its_laptop(central: Central) -> None:
    """Whoever writes to the database can put the word there that a laptop gives, and remove the record."""
    one = laptop(3)
    enrol(central, one)
    central.merge(io.BytesIO(one.batch()))
    entry, _record = one.log[1]
    central.store._connection.execute("DELETE FROM bodies WHERE hash = ?", (entry.record_hash,))  # type: ignore[attr-defined]
    with central.store.write() as writer:
        writer.absent([AbsentEntry(one.device, 2, entry.head, one.head_at(1), entry.record_hash)])
    assert of(Level.COMMITTED, central.receipts(one.device)) == [(3, ((2, 2),))]


def test_what_a_clone_erased_of_its_own_is_not_named_to_the_other(central: Central) -> None:
    """Two histories from entry 4 on: each receipt speaks of its own, or that laptop would refuse it."""
    one = laptop(3)
    clone = one.clone()
    one.seal()
    clone.seal()
    clone.erase(2, 4)
    enrol(central, one)
    central.merge(io.BytesIO(clone.batch()))
    central.merge(io.BytesIO(one.batch(4)))
    said = {receipt.head: receipt.absent for receipt in central.receipts(one.device)}
    assert said == {one.head_at(4).hex(): ((2, 2),), clone.head_at(4).hex(): ((2, 2), (4, 4))}
