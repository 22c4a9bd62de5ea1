"""A relay takes whole batches, names what is damaged, and vouches only for what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import i18n
from fieldsurvey.base.files import write_atomic
from fieldsurvey.records.receipt import Level
from fieldsurvey.tui.central.journal import log_cells
from sync import holding as holding_module
from sync.carrying import RelayFile, take_stick
from sync.errors import NothingHereError
from sync.journal import Journal
from sync.relay import Relay
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import give, held, lay, on_stick, outcomes, said


def test_batches_of_many_laptops_are_taken_and_vouched_for(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """Three laptops on one stick: every batch is held whole; a signed `received` for each is on the same stick."""
    three = [laptop(4), laptop(2), laptop(7)]
    for one in three:
        lay(stick, one.batch())
    seen: list[tuple[int, int, str]] = []
    report = take_stick(relay, stick, lambda *args: seen.append(args))
    assert outcomes(report) == ["taken"] * 3
    assert sorted(held(relay)) == sorted((one.device, 1, len(one.log)) for one in three)
    assert on_stick(stick, project) == {one.device: len(one.log) for one in three}
    assert {receipt.level for receipt in report.receipts} == {Level.RECEIVED}
    assert seen[-1][0] == seen[-1][1] == sum(file.stat().st_size for file in stick.rglob("*.fsb"))
    assert (stick / "fieldsurvey" / "project.fsp").exists()


def test_taking_again_changes_nothing(relay: Relay, stick: Path) -> None:
    """The same stick, and the same batch under another name: present; nothing is written twice."""
    one = laptop(3)
    lay(stick, one.batch())
    take_stick(relay, stick)
    before = {path: path.stat().st_mtime_ns for path in relay.holding.folder.iterdir()}
    lay(stick, one.batch(), "zz.fsb")
    assert outcomes(take_stick(Relay.open(relay.home), stick)) == ["present", "present"]
    assert {path: path.stat().st_mtime_ns for path in relay.holding.folder.iterdir()} == before


def test_a_damaged_copy_of_what_is_here_is_named(relay: Relay, project: SyntheticProject, stick: Path) -> None:
    """Its manifest is whole and known, its last record is not: refused by name, as central does it, and only it."""
    one = laptop(3)
    data = one.batch()
    lay(stick, data, "a.fsb")
    take_stick(relay, stick)
    lay(stick, data[:-1], "b.fsb")
    assert outcomes(take_stick(relay, stick)) == ["present", "refused"]
    give(stick, said(one, 3), project.central)
    assert outcomes(take_stick(relay, stick)) == ["present", "refused"]  # and is then forgotten
    assert outcomes(take_stick(relay, stick)) == ["committed", "refused"]


def test_a_longer_batch_takes_the_place_of_those_within_it(relay: Relay, stick: Path) -> None:
    """Each night's export holds the one before: one is kept, and the shorter one is then `present`."""
    one = laptop(3)
    short = one.batch()
    lay(stick, short)
    take_stick(relay, stick)
    one.seal()
    lay(stick, one.batch())
    take_stick(relay, stick)
    assert held(relay) == [(one.device, 1, 4)]
    assert outcomes(take_stick(relay, stick)) == ["present", "present"]


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_what_is_damaged_is_refused_by_name_and_the_others_are_taken(relay: Relay, stick: Path, place: int) -> None:
    """A byte flipped anywhere, a truncation, something behind the end, another project's: refused, typed, logged."""
    good, bad = laptop(2), laptop(2)
    whole = bad.batch()
    at = len(whole) * place // 100
    lay(stick, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "a-flipped.fsb")
    lay(stick, whole[: at + 1], "b-cut.fsb")
    lay(stick, whole + b"x", "c-longer.fsb")
    lay(stick, laptop(1, project="1e" * 16).batch(), "d-foreign.fsb")
    lay(stick, good.batch(), "e-good.fsb")
    report = take_stick(relay, stick)
    refused = report.having("refused")
    assert [file.name for file in refused] == ["a-flipped.fsb", "b-cut.fsb", "c-longer.fsb", "d-foreign.fsb"]
    assert all(file.code and file.reason and file.advice for file in refused)
    assert held(relay) == [(good.device, 1, 2)]
    assert [path.name for path in relay.holding.folder.iterdir()] == [next(iter(relay.holding.folder.iterdir())).name]
    logged = [line for line in Journal(relay.home).lines() if line.what == "refusal"]
    assert [line.code for line in logged] == [file.code for file in refused]


def test_a_stick_that_says_something_else_the_second_time(
    relay: Relay, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is verified is the copy: a stick that shows another file once it has been looked at gets nothing in."""
    one = laptop(3)
    path = lay(stick, one.batch())
    other = one.clone().batch(1, 2)
    real = write_atomic

    def swapped(target: Path, chunks: Any, **more: Any) -> str:
        return real(target, other if target.name == "incoming" else chunks, **more)

    monkeypatch.setattr(holding_module, "write_atomic", swapped)
    assert [file.code for file in take_stick(relay, stick).files] == ["untrusted.batch"]
    assert held(relay) == []
    monkeypatch.undo()
    assert [file.outcome for file in take_stick(relay, stick).files] == ["taken"]
    assert path.exists()


def test_only_what_hangs_on_a_beginning_is_vouched_for(relay: Relay, project: SyntheticProject, stick: Path) -> None:
    """Entries 4 to 6 alone: held, but no `received`, for nobody says where 1 to 3 are; central's receipt for 3, or the
    missing batch, gives one."""
    one, two = laptop(6), laptop(6)
    for each in (one, two):
        lay(stick, each.batch(4, 6))
    assert take_stick(relay, stick).receipts == ()
    assert len(held(relay)) == 2
    give(stick, said(one, 3), project.central)
    lay(stick, two.batch(1, 3))
    take_stick(relay, stick)
    assert on_stick(stick, project) == {one.device: 6, two.device: 6}


def test_a_fork_gets_a_receipt_for_each_history(relay: Relay, stick: Path) -> None:
    """A cloned laptop: both ends are vouched for, each with its own head."""
    one = laptop(2)
    twin = one.clone()
    one.seal()
    twin.seal()
    lay(stick, one.batch())
    lay(stick, twin.batch())
    report = take_stick(relay, stick)
    assert {receipt.head for receipt in report.receipts} == {one.head_at(3).hex(), twin.head_at(3).hex()}


def test_strangers_and_the_disk_are_bounded(
    relay: Relay, project: SyntheticProject, stick: Path, monkeypatch: Any
) -> None:
    """Of laptops not enrolled only so much is taken; with a full disk nothing; each says so and stays on its stick."""
    known, stranger = laptop(2), laptop(2)
    project.devices[known.device] = {"id": known.device, "name": "known", "card": known.card}
    relay.update(project.publish().data)
    lay(stick, stranger.batch(1, 1), "a.fsb")
    lay(stick, stranger.batch(2, 2), "b.fsb")
    lay(stick, known.batch(), "c.fsb")
    monkeypatch.setattr(holding_module, "MAX_STRANGERS", len(stranger.batch(1, 1)) + 10)
    report = take_stick(relay, stick)
    assert outcomes(report) == ["taken", "refused", "taken"]
    assert report.files[1].code == "storage.relay_full"
    monkeypatch.setattr(holding_module, "RESERVE", 1 << 60)
    lay(stick, laptop(1).batch(), "d.fsb")
    assert take_stick(relay, stick).files[3].code == "storage.relay_full"
    monkeypatch.setattr(holding_module, "MAX_BATCHES", 2)
    assert take_stick(relay, stick).files[3].code == "storage.relay_full"


def test_a_wrong_stick_and_a_foreign_project(relay: Relay, stick: Path) -> None:
    """A stick without anything says so; one with another root's project keeps no batch away, and is not trusted."""
    with pytest.raises(NothingHereError):
        take_stick(relay, stick)
    lay(stick, laptop(1).batch())
    (stick / "fieldsurvey" / "project.fsp").write_bytes(SyntheticProject(PROJECT).publish(99).data)
    report = take_stick(relay, stick)
    assert report.project is None
    assert report.project_problem is not None
    assert outcomes(report) == ["taken"]


def test_stopping_between_files(relay: Relay, stick: Path) -> None:
    """What was taken before the stop is vouched for; the rest is left, and taken the next time."""
    for name in ("a.fsb", "b.fsb", "c.fsb"):
        lay(stick, laptop(1).batch(), name)
    answers = iter([False, True, True])
    report = take_stick(relay, stick, stop=lambda: next(answers))
    assert outcomes(report) == ["taken", "left", "left"]
    assert len(report.receipts) == 1
    assert sorted(outcomes(take_stick(relay, stick))) == ["present", "taken", "taken"]
    assert isinstance(report.files[0], RelayFile)


def test_what_is_left_aside_says_why_in_the_users_language(relay: Relay, stick: Path) -> None:
    """A hidden file and a text among the batches: each has its reason, and it is not the message's English id."""
    one = laptop(2)
    lay(stick, one.batch())
    lay(stick, b"synthetic", ".hidden")
    lay(stick, b"synthetic", "notes.txt")
    i18n.set_language("es")
    try:
        report = take_stick(relay, stick)
    finally:
        i18n.set_language("en")
    reasons = {file.name: file.reason for file in report.files if file.outcome == "ignored"}
    assert reasons.keys() == {".hidden", "notes.txt"}
    assert not {"", "a hidden file", "not a batch"} & set(reasons.values())


def test_the_log_says_how_far_a_receipt_of_centrals_goes(relay: Relay, project: SyntheticProject, stick: Path) -> None:
    """Committed, or backed up as well: in the sync log as on a laptop's."""
    one = laptop(2)
    lay(stick, one.batch())
    for level, issued in ((Level.COMMITTED, "2026-03-02T10:00:00Z"), (Level.BACKED_UP, "2026-03-02T11:00:00Z")):
        give(stick, said(one, 2, level=level, issued=issued), project.central)
        take_stick(relay, stick)
    noted = [line for line in Journal(relay.home).lines() if line.what == "receipt"]
    assert [line.code for line in noted] == ["committed", "backed_up"]
    assert [log_cells(line, {})[-1] for line in noted] == [
        "up to 2, held by central",
        "up to 2, held by central, backed up",
    ]
