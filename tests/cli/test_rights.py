"""`fieldsurvey rights`: access and erasure by code, at a laptop that is locked and where there is no laptop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.cli import rights
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.carrying import take_stick
from sync.central import Central
from sync.folder import export_batches
from sync.relay import Relay
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join
from tests.sync.laptops import PROJECT, SyntheticLaptop
from tests.sync.projects import SyntheticProject as RelayProject
from tests.sync.relay.kit import lay, made

CANARY = "canary-5e0c-synthetic"


def run(*words: str, typed: str = "") -> tuple[int, dict[str, Any], str]:
    """Exit code, the object of `--json`, and the text of the same command (which may find the work done already)."""
    runner = CliRunner()
    as_json = runner.invoke(rights.app, [*words, "--json"], input=typed)
    text = runner.invoke(rights.app, list(words), input=typed)
    return as_json.exit_code, json.loads(as_json.stdout), text.output


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Laptop, WithdrawalCode]:
    """A locked laptop in FIELDSURVEY_HOME with two records, and the code of the second."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    laptop = join(tmp_path / "home", SyntheticProject(), FixedClock(NOW))
    session = laptop.unlock(WORDS)
    code = ""
    for _ in range(2):
        work = session.start("synthetic")
        work.answer("/data/story", CANARY)
        code = work.finalise().withdrawal_code or ""
    session.close()
    return laptop, WithdrawalCode.parse(code)


def test_access_answers_what_is_held_and_no_answers(sealed: tuple[Laptop, WithdrawalCode]) -> None:
    """By letters, by words, or asked for: the record is named with its state; no answer and no code is printed."""
    _, code = sealed
    for words, typed in (
        ([code.text], ""), (code.text.lower().replace("-", " ").split(), ""), (code.words.split(), ""),
        ([code.words.upper()], ""), ([], code.text + "\n"),
    ):  # fmt: skip
        status, data, text = run(*words, "access", typed=typed)
        assert (status, data["requested"], [held["seq"] for held in data["held"]]) == (0, None, [2])
        assert "Record 2, revision 1" in text
        assert "on this laptop alone" in text
        assert CANARY not in text
        assert code.raw not in text.replace("-", "")
    assert run(WithdrawalCode.generate().text, "access")[1]["held"] == []


def test_erase_erases_and_is_carried(sealed: tuple[Laptop, WithdrawalCode], tmp_path: Path) -> None:
    """The record goes, the other stays, the stick gets the tombstone; again, it says that it was entered before."""
    laptop, code = sealed
    stick = tmp_path / "stick"
    stick.mkdir()
    status, data, text = run(*code.words.split(), "erase", "--to", str(stick))
    assert (status, data["records_erased"], data["new"], data["written"]) == (0, 1, True, 1)
    assert "It had been entered on" in text
    assert [entry.seq for entry, _ in laptop.locked.entries()] == [1]
    [file] = (stick / "fieldsurvey" / "withdrawals").iterdir()
    assert Tombstone.from_bytes(file.read_bytes()).code == code.raw
    assert "Withdrawn on" in run(code.text, "access")[2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), "letters or digits is wrong"),
        (lambda text: text[:-1], "too many or too few"),
        (lambda text: "U" + text[1:], "a sign that no code has"),
    ],
)
def test_a_mistyped_code_is_said_and_changes_nothing(
    sealed: tuple[Laptop, WithdrawalCode], change: Any, said: str
) -> None:
    """Each kind of mistake has its words; what was typed is not repeated."""
    laptop, code = sealed
    status, data, text = run(change(code.text), "erase")
    assert (status, data["error"]) == (1, "input.code_mistyped")
    assert said in text
    assert code.raw[4:12] not in text.replace("-", "")
    assert len(list(laptop.locked.entries())) == 2
    assert not (laptop.home / "withdrawals").exists()


def test_a_wrong_word_is_named_by_its_place(sealed: tuple[Laptop, WithdrawalCode]) -> None:
    """The third of seven words is none of ours: said so; six words are too few."""
    words = sealed[1].words.split()
    assert "word 3 is not" in run(*words[:2], "xyzzy", *words[3:], "erase")[2]
    assert "too many or too few" in run(*words[:6], "erase")[2]


def test_where_there_is_no_laptop_it_is_entered_to_be_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a project's file: kept and put on a stick as bytes. Without one, what to do is said."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "office"))
    code, project = WithdrawalCode.generate(), SyntheticProject()
    assert run(code.text, "erase")[1]["error"] == "input.no_place"
    assert run(code.text, "access")[1]["error"] == "input.no_place"
    assert run(code.text, "forget")[1]["error"] == "input.which_right"
    file = tmp_path / "project.fsp"
    file.write_bytes(project.publish())
    status, data, _ = run(code.text, "erase", "--project", str(file), "--to", str(tmp_path))
    assert (status, data["new"], data["written"]) == (0, True, 1)
    [carried] = (tmp_path / "fieldsurvey" / "withdrawals").iterdir()
    assert Tombstone.from_bytes(carried.read_bytes()).tag == code.tag(project.id)


def test_central_excludes_the_case_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entered where central is: the case is withdrawn in its projection; the other case stays."""
    project, clock = SyntheticProject(), FixedClock(NOW)
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    codes = []
    for _ in range(2):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        codes.append(work.finalise().withdrawal_code or "")
    session.close()
    project.enrol(laptop.locked.device_card())
    file = tmp_path / "project.fsp"
    file.write_bytes(project.publish())
    export_batches(laptop.locked, tmp_path / "stick")
    office = tmp_path / "office"
    office.mkdir()
    with Central.open(office / "central.db") as central:
        central.learn(read_project(file).model)
        [batch] = (tmp_path / "stick" / "fieldsurvey" / "batches").iterdir()
        with batch.open("rb") as stream:
            central.merge(stream)
        assert [bool(case.withdrawn) for case in central.cases()] == [False, False]
    monkeypatch.setenv("FIELDSURVEY_HOME", str(office))
    assert run(codes[0], "erase", "--project", str(file))[0] == 0
    with Central.open(office / "central.db") as central:
        assert sorted(bool(case.withdrawn) for case in central.cases()) == [False, True]


def test_a_relay_erases_the_batches_that_hold_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a supervisor's laptop: how many batches hold it, not whose; erased, they are gone, and its key says so."""
    relay = made(tmp_path / "supervisor", relayed := RelayProject(PROJECT), FixedClock(NOW))
    code, one, other = WithdrawalCode.generate(), SyntheticLaptop(), SyntheticLaptop()
    one.seal(withdrawal=code.tag(PROJECT))
    other.seal()
    for each in (one, other):
        lay(tmp_path / "stick", each.batch())
    take_stick(relay, tmp_path / "stick")
    monkeypatch.setenv("FIELDSURVEY_HOME", str(relay.home))
    assert run(code.text, "access")[1]["relay"] == 1
    status, data, text = run(code.text, "erase")
    assert (status, data["erased"]) == (0, {"relay": 1})
    assert "Batches erased on this relay: 0." in text  # the second time
    assert [(one["place"], one["records"]) for one in data["places"]] == [("central", 0), ("relay", 1)]
    assert [held.device for held in Relay.open(relay.home).offers()] == [other.device]
    [heard] = Reports(relay.home, Trust.of(relayed.model()))
    assert heard.key == relayed.supervisor.public
