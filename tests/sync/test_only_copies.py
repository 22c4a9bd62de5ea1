"""A stick may hold the only good copy there is, or one that somebody made from the laptop's disk. All synthetic."""

from __future__ import annotations

from datetime import date

import pytest

from fieldsurvey.fieldwork.standing import sealed_cards
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.vault.erasure import erased_entries
from sync.batches import plan_batches, write_batch
from sync.central import Central
from sync.errors import ErasedMeanwhileError
from sync.folder import export_batches
from sync.importing import import_folder
from sync.stick import Stick
from tests.sync.projects import Field, seal_some, withdrawable
from tests.sync.thief import Thief


def test_a_false_batch_on_a_stick_keeps_no_record_from_travelling(field: Field, central: Central) -> None:
    """It says that the laptop erased its records, in the laptop's name: they are written beside it all the same."""
    project, laptop, place = field
    stick = Stick(place)
    stick.make(stick.batches)
    device = laptop.locked.device_card().device
    (stick.batches / f"{device[:12]}-false.fsb").write_bytes(Thief(laptop.locked).batch().read())
    report = export_batches(laptop.locked, place)
    assert (report.written, report.present) == (3, 0)
    import_folder(central, place, project.publish(), project.central)
    assert central.store.counts().bodies == 3


def test_a_withdrawal_takes_no_only_copy_off_a_stick(field: Field) -> None:
    """The laptop's own copy of another record in the same batch is damaged: the stick keeps it until central has it."""
    _project, laptop, place = field
    code = withdrawable(laptop)
    export_batches(laptop.locked, place)
    (file,) = Stick(place).files(Stick(place).batches)
    with laptop.locked.store.write() as connection:
        connection.execute("UPDATE outbox SET record = zeroblob(length(record)) WHERE seq = 2")
    withdraw(laptop.locked, code, date(2026, 3, 2))
    report = export_batches(laptop.locked, place)
    assert file.path.exists()
    assert report.left_out == ()


def test_a_withdrawal_takes_its_record_off_a_stick(field: Field) -> None:
    """The control: nothing is damaged, and the batch is written anew without it."""
    _project, laptop, place = field
    code = withdrawable(laptop)
    export_batches(laptop.locked, place)
    (file,) = Stick(place).files(Stick(place).batches)
    before = file.path.read_bytes()
    withdraw(laptop.locked, code, date(2026, 3, 2))
    assert export_batches(laptop.locked, place).written == 4
    (again,) = Stick(place).files(Stick(place).batches)
    assert again.path.read_bytes() != before
    assert again.size < len(before)


def test_a_record_that_is_withdrawn_while_a_batch_is_written_stops_it(
    field: Field,
) -> None:
    """Another process takes it back after the batch was planned: the batch is not finished, and made anew it goes
    without the record. Where the log is being read, the rest is read on: nothing of it is called damaged.
    """
    _project, laptop, _place = field
    log = laptop.locked
    code = withdrawable(laptop)
    seal_some(laptop, 1)
    (plan,) = plan_batches(log, 1, 5)
    reading = log.entries(1, 5)
    assert next(reading)[0].seq == 1
    assert len(b"".join(write_batch(log, plan))) > 0
    withdraw(log, code, date(2026, 3, 2))
    assert [entry.seq for entry, _record in reading] == [2, 3, 5]
    with pytest.raises(ErasedMeanwhileError):
        b"".join(write_batch(log, plan))
    (anew,) = plan_batches(log, 1, 5, erased=erased_entries(log))
    assert [size is None for size in anew.sizes] == [False, False, False, True, False]
    assert len(b"".join(write_batch(log, anew))) > 0


def test_a_damaged_record_is_listed_and_hides_no_other(field: Field) -> None:
    """Its header cannot be read any more: the list says that it is there, and that it waits."""
    _project, laptop, _place = field
    with laptop.locked.store.write() as connection:
        connection.execute("UPDATE outbox SET record = zeroblob(length(record)) WHERE seq = 2")
    cards = sealed_cards(laptop.locked, 10)
    assert [(card.seq, bool(card.case), card.removed) for card in cards] == [
        (3, True, False),
        (2, False, False),
        (1, True, False),
    ]
