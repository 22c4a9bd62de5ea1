"""Withdrawals at the HMU: out of every opened round, from every file, before anything else is read. All synthetic."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import needs as commands
from fieldsurvey.cli import rights
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.needs.opened import erasing
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.opened.erasing import taken_from, without
from fieldsurvey.needs.opened.opening import open_round
from fieldsurvey.needs.opened.store import load_dataset, save_dataset
from fieldsurvey.project import keys, steward
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.erased import Place
from fieldsurvey.records.errors import NotARecipientError
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.xforms.contract import Question
from fieldsurvey.xforms.live.interview import LiveInterview
from sync.central import Central
from sync.folder import export_batches
from sync.importing import import_folder
from tests.needs.opened.world import HMU_WORDS, NEXT, ROUND, WORDS, Given, Maker, World
from tests.vault.canaries import search

LEAVES, STAYS = "Remolacha-canaria-2209", "Zapallo-canario-4410"


class TwoStories(Maker):
    """Two interviews whose free text can be told apart."""

    story = STAYS

    def wish(self, question: Question, interview: LiveInterview) -> Any:
        """The story wherever text is taken."""
        return self.story if question.type == "text" else super().wish(question, interview)

    def make(self) -> World:
        """Steward and central in one home, as at an HMU; the laptop's stick is imported."""
        self.new_project()
        laptop = self.join("laptop")
        steward.enrol(self.steward, laptop.locked.device_card().to_bytes(), root_pass=WORDS)
        signed = steward.read_steward(self.steward)
        world = World(
            self.folder, signed, keys.unlock_hmu(self.steward / keys.HMU, HMU_WORDS), self.folder / "central.db"
        )
        session, rng = laptop.unlock(WORDS), Random(3)
        for self.story in (STAYS, LEAVES, STAYS):
            world.given.append(self.interview(session, "needs", rng))
        session.close()
        with Central.open(world.central) as central:
            export_batches(laptop.locked, self.folder.parent / "stick")
            laptop.close()
            import_folder(central, self.folder.parent / "stick", signed, None)
        for path in (self.folder / "laptop").rglob("*"):
            if path.is_file():
                path.unlink()
        return world


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An HMU whose two rounds are open, with a prepared table beside them."""
    (tmp_path / "words").write_text(HMU_WORDS, encoding="utf-8")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_HMU", str(tmp_path / "words"))
    set_language("en")
    world = TwoStories(tmp_path / "home").make()
    with Central.open(world.central) as central:
        dataset = open_round(central, world.project, world.hmu, ROUND)
    save_dataset(dataset, world.hmu)
    other = Dataset(
        project=dataset.project,
        project_version=dataset.project_version,
        survey_round=NEXT,
        quality=dataset.quality,
        tables=dataset.tables,
    )
    save_dataset(other, world.hmu)  # as if both rounds held the same cases: both must be cleared
    prepared = tmp_path / "home" / "needs" / "releases" / "r1.prepared.json"
    prepared.parent.mkdir()
    prepared.write_text(json.dumps({"fingerprint": "", "content": LEAVES}), encoding="utf-8")
    return world


def run(app: Any, *words: str) -> Any:
    """A command's result."""
    return CliRunner().invoke(app, list(words))


def leaving(world: World) -> Given:
    """Whose case is withdrawn."""
    return next(given for given in world.given if LEAVES in given.xml)


def everything(world: World) -> dict[str, str]:
    """What whoever holds the HMU's keys can read under its home: file -> text, datasets and records opened."""
    found = {}
    for path in sorted(world.folder.rglob("*")):
        if path.suffix == ".fso":
            dataset = load_dataset(path.stem, world.hmu)
            rows = [json.dumps(table.frame.to_dicts(), default=str) for table in dataset.tables]
            found[path.name] = "\n".join([*rows, dataset.quality.model_dump_json()])
        elif path.is_file():
            found[path.name] = path.read_bytes().decode("latin-1")
    with Central.open(world.central) as central:
        for device in central.store.devices():
            for entry in central.store.entries(device.device):
                body = central.store.body(entry.record_hash)
                if body is not None:
                    found[f"body {entry.seq}"] = _opened(world, body)
    return found


def _opened(world: World, body: bytes) -> str:
    try:
        return open_record(body, *world.hmu.recipients).payload.decode()
    except NotARecipientError:
        return ""


def where(world: World, canary: str) -> list[str]:
    """The files in which a canary can be read."""
    return [name for name, text in everything(world).items() if canary in text]


def test_one_command_takes_a_case_out_of_every_file(office: World) -> None:
    """After `rights … erase` no file under the HMU's home holds an answer of the case, opened with every key there is;
    the other interviews are where they were. Control: before, the same search finds it in both rounds, the prepared
    table and the sealed record.
    """
    leaves = leaving(office)
    record = load_dataset("r1", office.hmu).frame("needs").filter(pl.col("_case") == leaves.case)["_record"][0]
    before, kept = where(office, LEAVES), where(office, STAYS)
    assert [name.partition(" ")[0] for name in before] == ["r1.fso", "r2.fso", "r1.prepared.json", "body"]
    assert {"r1.fso", "r2.fso"} <= set(where(office, leaves.case))
    done = run(rights.app, leaves.code, "erase", "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["erased"] == {"central": 1, "hmu": 2}
    assert where(office, LEAVES) == []
    assert [name for name in where(office, record) if name.endswith(".fso")] == []
    assert [name for name in where(office, leaves.case) if name.endswith((".fso", ".json"))] == []
    assert where(office, STAYS) == kept
    assert search(office.folder, (LEAVES,)) == []
    cleared = load_dataset("r1", office.hmu)
    assert (cleared.quality.kept, cleared.quality.withdrawn, cleared.quality.cases) == (2, 1, 2)
    assert all(set(table.frame["_record"]) <= set(cleared.frame("needs")["_record"]) for table in cleared.tables[:1])


def test_it_is_reported_and_signed_by_the_hmu(office: World) -> None:
    """Central's and the HMU's reports lie in the home, verified under the project's keys; asked for, they are told."""
    leaves = leaving(office)
    run(rights.app, leaves.code, "erase")
    said = {heard.report.place: heard for heard in Reports(office.folder, Trust.of(office.project.model))}
    assert said.keys() == {Place.CENTRAL, Place.HMU}
    tag = WithdrawalCode.parse(leaves.code).tag(office.project.model.id)
    assert [(case.tag, case.records) for case in said[Place.HMU].report.cases] == [(tag, 2)]
    assert said[Place.HMU].key == office.hmu.sign.public
    found = json.loads(run(rights.app, leaves.code, "access", "--json").stdout)
    assert [(one["place"], one["records"], bool(one["at"])) for one in found["places"]] == [
        ("central", 1, True),
        ("hmu", 2, True),
        ("laptop", 0, False),
    ]
    assert [(one["seq"], one["erased"]) for one in found["central"]] == [(2, True)]
    text = run(rights.app, leaves.code, "access").stdout
    assert "the HMU: erased, 2 records" in text
    assert "laptop: to come, by" in text


@pytest.mark.parametrize("command", [["table"], ["export", "--out", "out"], ["open"], ["erase"]])
def test_a_command_that_reads_a_round_erases_first(office: World, command: list[str], tmp_path: Path) -> None:
    """A withdrawal that came without anybody of the HMU there: whatever `needs` does next, it is gone from both rounds
    when that ends, even where the command itself is refused (three interviews make no table).
    """
    stone = Tombstone(
        project=office.project.model.id,
        code=WithdrawalCode.parse(leaving(office).code).raw,
        requested="2026-03-05",
    )
    with Central.open(office.central) as central:
        central.withdraw(stone)
    assert "r1.fso" in where(office, LEAVES)
    arguments = [word if word != "out" else str(tmp_path / "out") for word in command]
    run(commands.app, *arguments, *([] if command == ["erase"] else ["--round", "r1"]))
    assert where(office, LEAVES) == []
    assert len(where(office, STAYS)) == 4


def test_nothing_is_tabulated_while_central_is_away(office: World) -> None:
    """Withdrawals are known, but not which records they name: refused, in words. Control: without them it is not."""
    tag = WithdrawalCode.parse(leaving(office).code)
    office.central.rename(office.central.with_suffix(".away"))
    assert "needs.central_needed" not in run(commands.app, "table", "--round", "r1", "--json").stdout
    rights_done = run(rights.app, tag.text, "erase", "--json")
    assert rights_done.exit_code == 0, rights_done.output
    found = run(commands.app, "table", "--round", "r1", "--json")
    assert (found.exit_code, json.loads(found.stdout)["error"]) == (1, "needs.central_needed")


def test_a_round_that_does_not_open_is_named_and_nothing_is_called_erased(office: World) -> None:
    """One damaged file: the others are cleared, the command says which one it is, no report is written. Opened again,
    it is done.
    """
    damaged = office.folder / "needs" / "r2.fso"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    done = run(rights.app, leaving(office).code, "erase", "--json")
    assert json.loads(done.stdout)["erased"]["hmu"] is None
    assert "r2" in run(commands.app, "erase").output
    assert LEAVES not in json.dumps(load_dataset("r1", office.hmu).frame("needs").to_dicts(), default=str)
    places = [heard.report.place for heard in Reports(office.folder, Trust.of(office.project.model))]
    assert places == [Place.CENTRAL]
    damaged.unlink()
    assert run(commands.app, "erase").exit_code == 0
    places = [heard.report.place for heard in Reports(office.folder, Trust.of(office.project.model))]
    assert sorted(places) == [Place.CENTRAL, Place.HMU]


def test_a_cleared_round_is_not_read_again(office: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done to a file is noted; a file that was exchanged for an older one is cleared again."""
    path = office.folder / "needs" / "r1.fso"
    old = path.read_bytes()
    run(rights.app, leaving(office).code, "erase")
    loaded: list[str] = []

    def counted(name: str, *rest: Any) -> Dataset:
        loaded.append(name)
        return load_dataset(name, *rest)

    monkeypatch.setattr(erasing, "load_dataset", counted)
    run(commands.app, "erase")
    assert loaded == []
    path.write_bytes(old)
    os.utime(path, (1, 1))
    run(commands.app, "erase")
    assert loaded == ["r1"]
    assert where(office, LEAVES) == []


def test_a_twin_that_stays_does_not_tell_of_the_one_that_left(world: World, dataset: Dataset, central: Central) -> None:
    """Of two probable duplicates one is taken out: the other is flagged no more, and the counts follow."""
    twins = dataset.frame("needs").filter(pl.col("_duplicate"))
    assert twins.height == 2
    made, gone = without(dataset, [twins["_record"][0]])
    assert gone == {twins["_record"][0]}
    assert made.frame("needs").filter(pl.col("_duplicate")).height == 0
    assert (made.quality.duplicates, made.quality.kept) == (0, dataset.quality.kept - 1)
    repeats = [level for level in dataset.levels("needs") if level]
    assert all(twins["_record"][0] not in set(made.frame("needs", level)["_record"]) for level in repeats)
    same, none = without(dataset, ["ab" * 32])
    assert (same is dataset, none) == (True, frozenset())
    assert taken_from(central).records.keys().isdisjoint(dataset.frame("needs")["_record"])
