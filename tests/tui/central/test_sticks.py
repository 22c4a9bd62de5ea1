"""A stick at central: what came of each file and what to do; receipts without importing; stopping between files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.receipt import read_receipt
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.central.desk import Desk, NotCentralError
from fieldsurvey.tui.central.purposes import PURPOSES, words_of
from fieldsurvey.tui.central.sticks import (
    NoKeyError,
    ReceiptsWritten,
    Sentence,
    give_receipts,
    import_words,
    take,
)
from sync.errors import NoFolderError
from sync.importing import FileReport, ImportReport
from tests.sync.laptops import PROJECT
from tests.tui.central.province import Province


def told(_done: int, _total: int, _text: str) -> None:
    """Nobody looks."""


def said(sentences: list[Sentence], *, good: bool) -> str:
    """What is well, or what is not, with the advice."""
    return "\n".join(f"{s.text} {s.advice}" for s in sentences if s.good is good)


def test_every_file_has_its_outcome_its_reason_and_what_to_do(tmp_path: Path) -> None:
    """A whole batch, the same again, half of one, a stranger's, and a file that is none."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1", 5)
    stranger = province.laptop("Prestada", 1, enrolled=False)
    province.bring(made.batch(1, 2))
    province.put(made.batch(1, 2), made.batch(3, 5), stranger.batch(), made.batch()[:500])
    (province.stick / "fieldsurvey" / "batches" / "notas.txt").write_text("sintético", encoding="utf-8")
    report = take(province.desk, province.stick, told, lambda: False)
    words = import_words(report)
    well, ill = said(words, good=True), said(words, good=False)
    assert words[0].text == "4 new records merged."
    assert "Laptop 1: 3 new, entries 3 to 5." in well
    assert "Laptop 1: nothing new, entries 1 to 2." in well
    assert "notas.txt was left aside: not a batch." in well
    assert "1 file was refused." in ill
    assert "truncated" in ill
    assert "Ask for a fresh copy." in ill
    assert "Not enrolled, kept aside: Prestada." in ill
    assert words[-1].text == "Everything is written: the stick can be taken out."
    assert read_project(province.stick / "fieldsurvey" / "project.fsp").model.id == PROJECT


def test_stopping_leaves_whole_files_and_says_what_is_left(tmp_path: Path) -> None:
    """After the first file it stops; what was merged has its receipt, the rest comes with the next import."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1", 3)
    province.put(*made.batches(max_entries=1))
    asked = iter([False, True, True])
    report = take(province.desk, province.stick, told, lambda: next(asked))
    assert report.new == 1
    assert len(report.having("left")) == 2
    assert len(report.receipts) == 1
    words = said(import_words(report), good=False)
    assert "Stopped: 2 files were not looked at." in words
    assert "Import the same stick again" in words
    assert take(province.desk, province.stick, told, lambda: False).new == 2


def test_a_stick_that_is_pulled_out_is_not_written_to(tmp_path: Path) -> None:
    """Its mount point stays, empty: nothing is put there, the files that were left are no culprits, and it is said."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1", 3)
    province.put(*made.batches(max_entries=1))

    def pull(done: int, _total: int, _text: str) -> None:
        if done:
            shutil.rmtree(province.stick / "fieldsurvey", ignore_errors=True)

    report = take(province.desk, province.stick, pull, lambda: False)
    assert (report.new, len(report.having("left")), report.refused) == (1, 2, ())
    assert list(province.stick.iterdir()) == []
    ill = said(import_words(report), good=False)
    assert "was the stick pulled out?" in ill
    assert "Stopped: 2 files were not looked at." in ill
    assert "can be taken out" not in said(import_words(report), good=True)


def test_withdrawals_come_in_and_go_out(tmp_path: Path) -> None:
    """As with the command: a tombstone of the stick is kept here and excludes; one that is kept here goes onto it."""
    province = Province(tmp_path)
    code, kept = WithdrawalCode.generate(), WithdrawalCode.generate()
    made = province.laptop("Laptop 1")
    made.seal(withdrawal=code.tag(PROJECT))
    province.put(made.batch())
    folder = province.stick / "fieldsurvey" / "withdrawals"
    folder.mkdir()
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01")
    (folder / f"{stone.tag}.fsw").write_bytes(stone.to_bytes())
    Withdrawals(province.home).enter(Tombstone(project=PROJECT, code=kept.raw, requested="2026-03-01"))
    take(province.desk, province.stick, told, lambda: False)
    assert Withdrawals(province.home).holds(stone.tag)
    assert len(list(folder.iterdir())) == 2
    with province.desk.central() as central:
        assert central.status().cases.withdrawn == 1


def test_receipts_without_importing(tmp_path: Path) -> None:
    """Every laptop's receipt and the project are on the stick; what else is on it is not looked at."""
    province = Province(tmp_path)
    one, two = province.laptop("Laptop 1", 3), province.laptop("Laptop 2", 2)
    province.bring(one.batch(), two.batch(1, 1))
    province.put(two.batch())
    done = give_receipts(province.desk, province.stick, told, lambda: False)
    assert (done.receipts, done.project) == (2, "written")
    keys = province.publish().model.role_keys
    held = {}
    for path in (province.stick / "fieldsurvey" / "receipts").iterdir():
        receipt = read_receipt(path.read_bytes(), keys)
        held[receipt.device] = receipt.up_to
    assert held == {one.device: 3, two.device: 1}
    assert words_of(done)[0].text.startswith("2 receipts put on")


def test_nothing_is_written_where_no_stick_is(tmp_path: Path) -> None:
    """A mount point that is not there does not become a folder of this machine's own disk."""
    province = Province(tmp_path)
    province.bring(province.laptop("Laptop 1", 1).batch())
    with pytest.raises(NoFolderError):
        give_receipts(province.desk, tmp_path / "AZUL", told, lambda: False)
    assert not (tmp_path / "AZUL").exists()


def test_without_the_key_nothing_is_imported(tmp_path: Path) -> None:
    """Central can be looked at without its key; importing says where the key belongs. Nothing at all is no central."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1", 1)
    province.bring(made.batch())
    (province.home / "steward" / "central.key").unlink()
    with pytest.raises(NoKeyError) as caught:
        take(province.desk, province.stick, told, lambda: False)
    assert "steward" in caught.value.message
    with pytest.raises(NotCentralError):
        Desk.at(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("offer", "good", "words"),
    [
        ("newer", False, "newer project"),
        ("foreign", False, "another project's"),
        ("written", True, "for laptops to take"),
        ("there", True, ""),
    ],
)
def test_what_became_of_the_project_on_the_stick(offer: str, good: bool, words: str) -> None:
    """A newer or a foreign one is left there, and said."""
    done = ReceiptsWritten("stick", 1, offer)  # type: ignore[arg-type]
    assert words in said(words_of(done), good=good)


def test_a_stick_with_nothing_and_names_that_move_the_cursor() -> None:
    """An empty stick is told apart from one with nothing new; a file name from a stick is only read."""
    assert "There was no batch on it." in said(import_words(ImportReport("stick")), good=False)
    file = FileReport("a\x1b[2J.fsb", "refused", reason="synthetic", advice="again")
    assert "\x1b" not in said(import_words(ImportReport("stick", (file,))), good=False)


def test_every_purpose_has_its_words() -> None:
    """What can be begun can be told."""
    assert {"import", "receipts"} <= set(PURPOSES)
    with pytest.raises(TypeError):
        words_of(object())
