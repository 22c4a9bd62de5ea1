"""Receipts over records that a laptop is said to have erased: only that laptop knows whether it did.

The carrier key lies outside the slots, so that a locked laptop can export. Who copied it from a disk can sign batches,
though no entry: with a genuine log he can tell central that every record in it was erased.
"""

from __future__ import annotations

import io
import shutil
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.vault.erasure import erase_bodies, erased_entries
from fieldsurvey.vault.errors import ReceiptMismatchError
from sync.central import Central
from sync.folder import collect, export_batches
from sync.importing import import_folder
from tests.sync.laptops import laptop as synthetic
from tests.sync.projects import Field, enrol, withdrawable
from tests.sync.thief import Thief


def test_a_false_erasure_makes_no_laptop_let_go(field: Field, central: Central) -> None:
    """Its receipt is refused by the laptop, which goes on exporting; then central has everything, and says so."""
    project, laptop, stick = field
    central.learn(project.model())
    device = laptop.locked.device_card().device
    central.merge(Thief(laptop.locked, 2).batch())
    (told,) = central.receipts(device)
    assert (told.up_to, told.format_version, told.absent) == (3, 2, ((1, 1), (3, 3)))
    for level in (Level.COMMITTED, Level.BACKED_UP):
        with pytest.raises(ReceiptMismatchError, match="erased here"):
            laptop.locked.take_receipt(told.model_copy(update={"level": level}))
    assert laptop.locked.acknowledged() == {}
    assert export_batches(laptop.locked, stick).written == 3
    import_folder(central, stick, project.publish(), project.central)
    (whole,) = central.receipts(device)
    assert (whole.up_to, whole.format_version, whole.absent) == (3, 1, ())
    collect(laptop, stick)
    assert laptop.locked.acknowledged() == {Level.COMMITTED.value: 3}


def test_without_the_list_it_would_have(field: Field, central: Central) -> None:
    """The control: the same receipt that does not name them is taken, since head and signature are right."""
    project, laptop, _stick = field
    central.learn(project.model())
    central.merge(Thief(laptop.locked).batch())
    (told,) = central.receipts(laptop.locked.device_card().device)
    assert laptop.locked.take_receipt(told.model_copy(update={"format_version": 1, "absent": ()}))
    assert laptop.locked.acknowledged() == {Level.COMMITTED.value: 3}


def test_an_honest_erasure_is_confirmed(field: Field, central: Central) -> None:
    """Two records were withdrawn on the laptop before they ever travelled: the rest of the log is acknowledged."""
    project, laptop, stick = field
    central.learn(project.model())
    log = laptop.locked
    erase_bodies(log, [entry for entry, _record in log.entries(1, 3) if entry.seq in {2, 3}])
    assert [entry.seq for entry in erased_entries(log)] == [2, 3]
    export_batches(log, stick)
    import_folder(central, stick, project.publish(), project.central)
    (told,) = central.receipts(log.device_card().device)
    assert told.absent == ((2, 3),)
    collect(laptop, stick)
    assert log.acknowledged() == {Level.COMMITTED.value: 3}


def test_what_a_clone_erased_warns_nobody(field: Field, central: Central, tmp_path: Path) -> None:
    """A copied disk heard of a withdrawal first, erased the record and told central so. The stick that brings the other
    one that receipt brings the withdrawal too: it is erased here, and the receipt holds. Control: where the withdrawal
    is missing, the receipt is refused with a warning."""
    project, laptop, stick = field
    code = withdrawable(laptop)
    twin_home = tmp_path / "twin"
    shutil.copytree(laptop.home, twin_home)
    twin = Laptop.open(twin_home, laptop.clock)
    withdraw(twin.locked, code, date(2026, 3, 2))
    export_batches(twin.locked, stick)
    twin.close()
    import_folder(central, stick, project.publish(), project.central, home=tmp_path / "office")
    shutil.copytree(stick, tmp_path / "other stick")
    shutil.rmtree(tmp_path / "other stick" / "fieldsurvey" / "withdrawals")
    assert [one.kind for one in collect(laptop, tmp_path / "other stick").warnings] == ["history"]
    assert laptop.locked.acknowledged() == {}
    report = collect(laptop, stick)
    assert (report.warnings, report.withdrawals) == ((), 1)
    assert [entry.seq for entry in erased_entries(laptop.locked)] == [4]
    assert laptop.locked.acknowledged() == {Level.COMMITTED.value: 4}


def test_a_record_that_came_anyhow_is_not_called_absent(tmp_path: Path) -> None:
    """Whichever came first, the entry with its record or the word that it was erased: one receipt."""
    told: list[list[tuple[tuple[int, int], ...]]] = []
    for first in ((1,), ()):
        laptop = synthetic(3)
        bare, full = laptop.clone(), laptop
        bare.erase(1)
        with Central.open(tmp_path / f"{len(told)}.db") as central:
            enrol(central, laptop)
            for data in (bare.batch(), full.batch()) if first else (full.batch(), bare.batch()):
                central.merge(io.BytesIO(data))
            told.append([receipt.absent for receipt in central.receipts(laptop.device)])
    assert told == [[()], [()]]


def test_what_does_not_fit_into_a_receipt_is_not_vouched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many stretches as a receipt holds; it ends before the next one."""
    monkeypatch.setattr("sync.vouching.MAX_ABSENT", 3)
    laptop = synthetic(11)
    laptop.erase(2, 4, 6, 8, 10)
    with Central.open(tmp_path / "central.db") as central:
        enrol(central, laptop)
        central.merge(io.BytesIO(laptop.batch()))
        (told,) = central.receipts(laptop.device)
    assert told.absent == ((2, 2), (4, 4), (6, 6))
    assert (told.up_to, told.head) == (7, laptop.log[6][0].head.hex())


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        (1, ((1, 1),)),
        (2, ()),
        (2, ((0, 1),)),
        (2, ((2, 1),)),
        (2, ((1, 2), (2, 3))),
        (2, ((1, 2), (3, 4))),
        (2, ((4, 4), (1, 1))),
        (2, ((9, 11),)),
    ],
)
def test_a_receipt_has_one_spelling(version: int, absent: tuple[tuple[int, int], ...]) -> None:
    """Stretches in order, apart, within the log; version 2 with them and version 1 without."""
    with pytest.raises(ValidationError):
        Receipt(
            format_version=version,  # type: ignore[arg-type]
            project="0" * 32,
            device="1" * 32,
            up_to=10,
            head="2" * 64,
            level=Level.COMMITTED,
            by=Role.CENTRAL,
            issued="2026-03-01T08:00:00Z",
            absent=absent,
        )
